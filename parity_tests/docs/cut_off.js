() => {
  const faults = [], main = document.querySelector('main');
  const edge = main.getBoundingClientRect().right - parseFloat(getComputedStyle(main).paddingRight);
  for (const e of main.querySelectorAll('p, pre, table, svg, .katex-html, td, th, h1, h2, h3, figcaption, li, dd, label, input, button')) {
    const box = e.getBoundingClientRect();
    if (!box.width || !box.height || e.closest('.off, .katex-mathml')) continue;
    let limit = edge, over = false;
    for (let up = e.parentElement; up && up !== main.parentElement; up = up.parentElement) {
      const style = getComputedStyle(up).overflowX;
      if (style === 'auto' || style === 'scroll') { over = true; break; }
      if (style === 'hidden' || style === 'clip') limit = Math.min(limit, up.getBoundingClientRect().right);
    }
    const own = getComputedStyle(e).overflowX;
    if (!over && box.right > limit + 1.5)
      faults.push(`${e.tagName.toLowerCase()}.${e.getAttribute('class') ?? ''} ends ${Math.round(box.right - limit)} px too far right: ${e.textContent.trim().slice(0, 40)}`);
    if (own === 'hidden' && e.scrollWidth > e.clientWidth + 1 && e.tagName !== 'svg')
      faults.push(`${e.tagName.toLowerCase()} hides a part: ${e.textContent.trim().slice(0, 40)}`);
  }
  return faults.slice(0, 5);
}
