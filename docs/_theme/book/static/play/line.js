play("line", ({ w, b, rate }, { x, y, limits, best }) => {
  const count = x.length, error = x.map((at, i) => w * at + b - y[i]);
  const mean = parts => parts.reduce((sum, part) => sum + part, 0) / count;
  const loss = mean(error.map(e => e * e));
  const dw = 2 * mean(error.map((e, i) => e * x[i])), db = 2 * mean(error);
  const onSlider = (name, value) =>
    Math.min(Math.max(Math.floor(100 * value + 0.5) / 100, limits[name][0]), limits[name][1]);
  return {
    line: [-1.2, 2.2].map(at => [at, w * at + b]),
    error, square: error.map(e => e * e), loss, dw, db, rate,
    next_w: onSlider("w", w - rate * dw), next_b: onSlider("b", b - rate * db),
    best_w: best[0], best_b: best[1],
    read: Math.abs(db) < 0.1 ? "the sum of the errors is nearly 0: the height is right"
      : db < 0 ? "on the whole the line lies too low" : "on the whole the line lies too high",
  };
});
