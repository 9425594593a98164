play("attention", ({ fit, head, scaled }, { words, columns, v }) => {
  const score = scaled ? fit : fit.map(x => x * Math.sqrt(head)), top = Math.max(...score);
  const powers = score.map(x => Math.exp(x - top)), total = powers.reduce((a, b) => a + b);
  const p = powers.map(e => e / total);
  const y = columns.map((_, c) => p.reduce((sum, share, j) => sum + share * v[j][c], 0));
  const largest = values => values.indexOf(Math.max(...values));
  const word = largest(p), column = largest(y), slope = p[word] * (1 - p[word]);
  return {
    score, p, y, word: words[word], top: p[word], column: columns[column], most: 100 * y[column], slope,
    left: slope < 0.02 ? "almost nothing is left to learn from" : "there is something to learn from",
  };
});
