() => {
  const faults = new Set();
  for (const e of document.querySelectorAll('main svg text')) {
    if (!e.getBoundingClientRect().width) continue;
    const size = parseFloat(getComputedStyle(e).fontSize) * Math.hypot(e.getScreenCTM().a, e.getScreenCTM().b);
    if (size < 11.7) faults.add(`a label of ${size.toFixed(1)} px in a picture: ${e.textContent.slice(0, 30)}`);
  }
  const walk = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || e.closest('.off, .katex, sup, sub, svg, script, style') || !e.getBoundingClientRect().width) continue;
    const size = parseFloat(getComputedStyle(e).fontSize);
    if (size < 11.5) faults.add(`text of ${size.toFixed(1)} px: ${walk.currentNode.data.trim().slice(0, 30)}`);
  }
  return [...faults].slice(0, 5);
}
