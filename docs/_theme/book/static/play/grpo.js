play("grpo", ({ reward, which, ratio, clip }) => {
  const mean = a => a.reduce((s, b) => s + b) / a.length, centre = mean(reward);
  const centred = reward.map(r => r - centre), std = Math.sqrt(mean(centred.map(c => c * c)));
  const advantage = centred.map(c => c / (std + 1e-4)), size = std < 1e-9 ? 0 : advantage[which];
  const gain = q => Math.min(q * size, Math.min(Math.max(q, 1 - clip), 1 + clip) * size);
  const beyond = Math.abs(ratio - 1) > clip + 1e-9, stopped = beyond && (ratio > 1) === (size > 0);
  const slope = stopped || size === 0 ? 0 : size * ratio;
  return {
    centred, advantage, mean: centre, std, answer: which + 1, size, ratio, gain: gain(ratio), slope,
    dot: [ratio, gain(ratio)], curve: [0.4, 1 - clip, 1 + clip, 1.6].map(q => [q, gain(q)]),
    read: std < 1e-9 ? "all rewards are equal, and the group teaches nothing"
      : Math.abs(size) < 1e-9 ? "its reward is the mean, so nothing pulls at it"
      : stopped ? "clipped, for it has gone far enough the right way"
      : beyond ? "not clipped, though it is far: it has gone the wrong way" : "not clipped",
  };
});
