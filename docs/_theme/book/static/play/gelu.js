play("gelu", ({ x, which }, { names }) => {
  const root = Math.sqrt(2 / Math.PI), cubic = 0.044715;
  const gate = 0.5 * Math.tanh(root * (x + cubic * x ** 3)) + 0.5, sigmoid = 0.5 * Math.tanh(0.5 * x) + 0.5;
  const y = [x * gate, Math.max(x, 0), x * sigmoid];
  const slope = [
    gate + 2 * x * gate * (1 - gate) * root * (1 + 3 * cubic * x * x),
    +(x > 0),
    sigmoid + x * sigmoid * (1 - sigmoid),
  ];
  const here = y[which], steep = slope[which];
  return {
    y, slope, dot: [x, here], name: names[which], here, steep, x,
    tangent: [[x - 0.8, here - 0.8 * steep], [x + 0.8, here + 0.8 * steep]],
    read: steep === 0 ? "no gradient comes back: the unit learns nothing from this input"
      : steep < 0 ? "the gradient comes back with its sign changed"
      : steep < 1 ? "the gradient comes back smaller" : "the gradient comes back at least as large",
  };
});
