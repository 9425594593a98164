play("schedule", ({ peak, warmup, decay, least, step: at }, { end }) => {
  const rate = step => {
    if (step < warmup) return peak * (step + 1) / warmup;
    if (step >= decay) return least;
    return least + (peak - least) * (1 + Math.cos(Math.PI * (step - warmup) / (decay - warmup))) / 2;
  };
  const steps = new Set([Math.max(warmup - 1, 0), warmup, Math.min(decay, end)]);
  for (let step = 0; step <= end; step += 10) steps.add(step);
  let sum = 0;
  for (let step = 0; step < end; step++) sum += rate(step);
  return {
    curve: [...steps].sort((a, b) => a - b).map(step => [step, rate(step)]), dot: [at, rate(at)],
    rate: rate(at), part: 100 * rate(at) / peak, at, mean: sum / end,
    phase: at < warmup ? "is warming up" : at >= decay ? "holds its minimum" : "follows half a cosine",
  };
});
