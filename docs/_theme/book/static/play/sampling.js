play("sampling", ({ temperature, k, p }, { words, logits }) => {
  const top = Math.max(...logits);
  const probs = (k, p) => {
    if (temperature === 0) return logits.map((_, i) => +(i === logits.indexOf(top)));
    const scores = logits.map(x => (x - top) / temperature), last = [...scores].sort((a, b) => b - a)[k - 1];
    const powers = scores.map(s => s >= last ? Math.exp(s) : 0), total = powers.reduce((a, b) => a + b);
    const kept = powers.map(e => e / total);
    let before = 0, first = true;
    for (const i of [...kept.keys()].sort((i, j) => kept[j] - kept[i])) {
      const share = kept[i];
      if (before >= p && !first) kept[i] = 0;
      before += share;
      first = false;
    }
    return kept;
  };
  const before = probs(logits.length, Infinity), kept = probs(k, p), total = kept.reduce((a, b) => a + b);
  const after = kept.map(x => x / total), positive = after.filter(x => x > 0), most = Math.max(...after);
  return {
    before, after, cut: kept.map(x => x === 0), count: positive.length,
    held: before.reduce((sum, x, i) => sum + (kept[i] > 0 ? x : 0), 0),
    top: most, first: words[after.indexOf(most)],
    choices: Math.exp(-positive.reduce((sum, x) => sum + x * Math.log(x), 0)),
  };
});
