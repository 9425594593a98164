play("dpo", ({ gain: [chosen, rejected], beta }) => {
  const cost = m => Math.max(-m, 0) + Math.log1p(Math.exp(-Math.abs(m)));
  const apart = chosen - rejected, margin = beta * apart, loss = cost(margin), wrong = 1 / (1 + Math.exp(margin));
  const steps = Array.from({ length: 49 }, (_, i) => i / 4 - 6);
  return {
    times: [Math.exp(chosen), Math.exp(rejected)], grad: [-beta * wrong, beta * wrong], loss, margin, wrong, apart,
    curve: steps.map(x => [x, cost(beta * x)]), dot: [apart, loss],
    read: margin === 0 ? "A margin of 0 costs ln 2, whatever β is"
      : margin < 0 ? "The order is wrong, and the pair pulls with more than half of β"
      : chosen < 0 ? "The order is right, though the chosen answer has become less likely, too"
      : "The order is right; the larger the margin, the weaker the pull",
  };
});
