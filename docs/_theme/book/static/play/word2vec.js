play("word2vec", ({ first, second }, { u, rate, limit }) => {
  const v = [first, second];
  const score = u.map(([a, b]) => a * v[0] + b * v[1]), y = [1, 0, 0];
  const p = score.map(s => s < 0 ? Math.exp(s) / (1 + Math.exp(s)) : 1 / (1 + Math.exp(-s)));
  const costs = score.map((s, i) => Math.max(s, 0) - s * y[i] + Math.log1p(Math.exp(-Math.abs(s))));
  const d = [0, 1].map(c => u.reduce((sum, row, i) => sum + (p[i] - y[i]) * row[c], 0));
  const down = v.map((x, c) => x - rate * d[c]);
  const next = down.map(x => Math.floor(100 * Math.min(limit, Math.max(-limit, x)) + 0.5) / 100);
  return {
    score, p, loss: costs.reduce((a, b) => a + b), d,
    next_first: next[0], next_second: next[1],
    vector: [[0, 0], v], dot: v, downhill: [v, down],
  };
});
