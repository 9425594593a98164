play("layer_norm", ({ x, scale, shift, eps }) => {
  const mean = a => a.reduce((s, b) => s + b) / a.length;
  const variance = a => mean(a.map(b => (b - mean(a)) ** 2));
  const inverse = 1 / Math.sqrt(variance(x) + eps), normed = x.map(b => (b - mean(x)) * inverse);
  const y = normed.map(b => b * scale + shift), std = Math.sqrt(variance(x));
  return {
    normed, y, mean: mean(x), std, y_mean: mean(y), y_std: Math.sqrt(variance(y)),
    read: std < 1e-9
      ? "All five are equal, so their distance from the mean is 0; without eps the layer would divide 0 by 0."
      : scale === 0 ? "A scale of 0 gives all five the shift."
      : scale < 0 ? "A negative scale reverses the order; the ratios of the distances stay."
      : "The order stays, and so do the ratios of the distances.",
  };
});
