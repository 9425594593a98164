() => {
  const faults = [];
  for (const seg of document.querySelectorAll('.seg')) {
    const [left, right] = ['np', 'pt'].map(s => [...seg.querySelectorAll(`.half.${s} .ln`)]);
    for (let i = 0; i < Math.min(left.length, right.length); i++) {
      const [a, b] = [left, right].map(lines => lines[i].getBoundingClientRect().top);
      if (Math.abs(a - b) > 1) faults.push(`${left[i].id} is ${Math.abs(a - b)} px off`);
    }
  }
  return faults;
}
