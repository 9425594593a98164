() => {
  let least = 999;
  for (const code of document.querySelectorAll('.half .ln code')) {
    const probe = document.createElement('span');
    probe.textContent = '0'.repeat(50);
    code.append(probe);
    const one = probe.getBoundingClientRect().width / 50;
    probe.remove();
    if (one > 0) least = Math.min(least, code.clientWidth / one);
    break;
  }
  return least;
}
