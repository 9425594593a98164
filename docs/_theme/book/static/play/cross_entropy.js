play("cross_entropy", ({ z, target }, { words }) => {
  const top = Math.max(...z), powers = z.map(x => Math.exp(x - top)), total = powers.reduce((a, b) => a + b);
  const p = powers.map(e => e / total), loss = Math.log(total) - (z[target] - top);
  const grad = p.map((share, i) => share - (i === target));
  const other = [...p.keys()].filter(i => i !== target).reduce((a, b) => grad[b] > grad[a] ? b : a);
  return {
    p, grad, loss, perplexity: Math.exp(loss), right: words[target], chance: p[target],
    push: grad[target], other: words[other],
  };
});
