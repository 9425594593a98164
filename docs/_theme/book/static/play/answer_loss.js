play("answer_loss", ({ learn, ask, together, apart, T }, { words, losses, asked, targets, answers }) => {
  const length = targets.length / 2, shared = together === 1 && T >= 2 * length, rows = shared ? 1 : 2;
  const counted = targets.map((id, i) => learn === 0 || answers[i] === 1 && (learn === 1 || words[id] !== "END"));
  const loss = losses.map((x, i) => asked[i] ? ask : x);
  const sum = values => values.reduce((a, b) => a + b), total = sum(loss.map((x, i) => counted[i] ? x : 0)), count = sum(counted.map(Number));
  return {
    target: targets.map((id, i) => counted[i] ? words[id] : "−"),
    position: targets.map((_, i) => shared && !apart ? i : i % length),
    part: loss.map((x, i) => counted[i] ? 100 * x / total : 0), count, loss: total / count,
    places: rows * T, shape: shared ? `1 row of ${T} places` : `2 rows of ${T} places`, empty: rows * T - 2 * length,
    read: shared && !apart ? "The second conversation reads the first one as well"
      : shared ? "The second conversation reads nothing of the first" : "Each conversation has a row of its own",
  };
});
