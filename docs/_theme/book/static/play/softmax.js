play("softmax", ({ z, temperature }, { words }) => {
  const s = z.map(x => x / temperature), top = Math.max(...s);
  const powers = s.map(x => Math.exp(x - top)), total = powers.reduce((a, b) => a + b);
  const p = powers.map(e => e / total);
  const [first, second] = [...z.keys()].sort((i, j) => z[j] - z[i]);
  const ratio = Math.exp((z[first] - z[second]) / temperature);
  return {
    p, first: words[first], second: words[second], top: p[first], gap: z[first] - z[second],
    ratio: ratio > 1000 ? "more than 1000" : play.shown(ratio, "1"), slope: p[first] * (1 - p[first]) / temperature,
  };
});
