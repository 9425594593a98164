play("lora", ({ rank, alpha }, { sizes }) => {
  const inputs = 128, outputs = 384;
  const whole = sizes.reduce((sum, size) => sum + size * size, 0);
  let sum = 0;
  const part = sizes.map(size => Math.sqrt((sum += size * size) / whole));
  const count = rank * (inputs + outputs);
  return {
    curve: part.map((value, i) => [i + 1, value]), dot: [rank, part[rank - 1]], count,
    share: 100 * count / (inputs * outputs), scale: alpha / rank,
    rslora: alpha / Math.sqrt(rank), part: 100 * part[rank - 1], rank,
  };
});
