(() => {
  const $ = (s, r = document) => [...r.querySelectorAll(s)], root = document.documentElement;

  // theme: follow the system until the reader chooses
  $("#theme")[0].onclick = () => {
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    root.dataset.theme = (root.dataset.theme || system) === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch { /* a page from a disk */ }
  };
  addEventListener("keydown", e => {
    if (e.key === "/" && !/^(INPUT|TEXTAREA)$/.test(e.target.tagName)) { e.preventDefault(); $(".search input")[0].focus(); }
    if (e.key === "Escape") { pinned = null; show(null); }
  });
  // what may scroll sideways can be reached with the keyboard
  $(".highlight pre, main table:not(.sym)").forEach(e => e.tabIndex = 0);
  const reach = () => $(".fx, .formula").forEach(e => {
    if (e.scrollWidth > e.clientWidth + 1) e.tabIndex = 0; else e.removeAttribute("tabindex");
  });
  addEventListener("resize", reach); reach();
  addEventListener("beforeprint", () => $("details").forEach(d => d.open = true));

  // copy one pane: the rows are interleaved in the document, so gather one side's in order
  $("[data-copy]").forEach(b => b.onclick = async () => {
    const box = b.closest(".twin, .cell"), side = b.dataset.copy;
    const lines = $(side === "run" ? ".code code" : `.seg:not(.inset) > .half.${side} .ln > code`, box).map(c => c.textContent);
    b.dataset.text = (b.dataset.before || "") + lines.join("\n") + "\n";
    try { await navigator.clipboard.writeText(b.dataset.text); b.textContent = "Copied"; } catch { b.textContent = "Press Ctrl+C"; }
    setTimeout(() => b.textContent = "Copy", 1400);
  });

  // light every occurrence of one variable; a click pins it, Escape lets go
  const peek = $(".peek")[0], facts = {};
  $(".sym tr[data-v]").forEach(r => { const c = r.cells; facts[r.dataset.v] = [c[0].innerHTML, c[2].textContent, c[3].innerHTML]; });
  let pinned = null, now = null;
  function show(v) {
    if (v === now) return;
    $(".hot").forEach(e => e.classList.remove("hot"));
    if (v) $(`[data-v="${v}"]`).forEach(e => e.classList.add("hot"));
    now = v;
    const base = v && (facts[v] || facts[v.replace(/^d_/, "")]), grad = v && !facts[v] && base;
    if (base) peek.innerHTML = `<code>${v}</code><span class="m">${grad ? "d" : ""}${base[0]}</span><span class="dim"><code>${base[1]}</code></span><span class="dim long">${grad ? "gradient of the loss with respect to " + v.slice(2) : base[2]}</span>`;
    peek.classList.toggle("on", !!base);
  }
  const of = e => e.target.closest?.("[data-v]")?.dataset.v ?? null;
  addEventListener("mouseover", e => show(of(e) ?? pinned));
  addEventListener("focusin", e => show(of(e) ?? pinned));
  addEventListener("click", e => { const v = of(e); pinned = v && v !== pinned ? v : null; show(v && pinned ? v : pinned); });
})();
