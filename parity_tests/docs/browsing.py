"""What a page of the book must hold to, looked at in a real browser."""

import json
import shutil
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, (
    "chromium", "chromium-browser", "google-chrome", "chrome"))), None)

LEVEL = """() => {
  const faults = [];
  for (const seg of document.querySelectorAll('.seg')) {
    const [left, right] = ['np', 'pt'].map(s => [...seg.querySelectorAll(`.half.${s} .ln`)]);
    for (let i = 0; i < Math.min(left.length, right.length); i++) {
      const [a, b] = [left, right].map(lines => lines[i].getBoundingClientRect().top);
      if (Math.abs(a - b) > 1) faults.push(`${left[i].id} is ${Math.abs(a - b)} px off`);
    }
  }
  return faults;
}"""
COLUMNS = """() => {
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
}"""


def browser():
    """A started playwright and a Chromium; the caller stops both."""
    from playwright.sync_api import sync_playwright

    play = sync_playwright().start()
    return play, play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


def axe_script():
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")


def serious(page):
    """axe's serious and critical findings, each as a line."""
    result = page.evaluate(
        "() => axe.run(document, {resultTypes: ['violations'], preload: false})"
        ".then(r => JSON.stringify("
        "r.violations.filter(v => ['serious', 'critical'].includes(v.impact))"
        ".map(v => [v.id, v.nodes.slice(0, 3).map(n => n.target.join(' ') + ' ' + "
        "(n.any[0]?.message ?? ''))])))")
    return [f"axe {rule}: {'; '.join(where)}" for rule, where in json.loads(result)]


def look(chromium, path, width, scheme, axe=None):
    """All faults of one page at one width in one colour scheme."""
    faults = []
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:"))
            else faults.append(f"asks for {r.url}"))
    page.on("requestfailed", lambda r: faults.append(f"cannot load {r.url}"))
    page.on("console", lambda m: faults.append(f"console: {m.text}")
            if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: faults.append(f"script error: {e}"))
    page.goto(path.as_uri())
    page.evaluate("document.fonts.ready.then(() => 1)")
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > width:
        faults.append(f"is {wide} px wide")
    if width > 1000:
        faults += page.evaluate(LEVEL)
        columns = page.evaluate(COLUMNS)
        if columns < 76:
            faults.append(f"a pane has {columns:.1f} columns")
    if axe:
        page.add_script_tag(content=axe)
        faults += serious(page)
    page.close()
    return [f"{path.stem} at {width} {scheme}: {fault}" for fault in faults]


def look_at_hover(chromium, path):
    """With scripts off, hovering a step lights both panes and the other pass."""
    context = chromium.new_context(java_script_enabled=False,
                                   viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(path.as_uri())
    faults = []

    def colour(selector):
        return page.eval_on_selector(selector, "e => getComputedStyle(e).backgroundColor")

    names = page.eval_on_selector_all(
        ".twin[id^=forward-]", "all => all.map(e => e.id.slice('forward-'.length))")
    for name in names:
        step = f'[data-step~="{name}-1"]'
        forward = f"#forward-{name} .seg{step}"
        if not page.query_selector(forward):
            continue
        backward = f"#backward-{name} .seg{step}"
        watched = [f"{twin} .half.{side}" for twin in (forward, backward) for side in ("np", "pt")
                   if page.query_selector(twin)]
        before = [colour(one) for one in watched]
        page.hover(f"{forward} .half.np .ln")
        page.wait_for_timeout(200)
        after = [colour(one) for one in watched]
        faults += [f"{path.stem}: hovering does not light {one}"
                   for one, a, b in zip(watched, before, after) if a == b]
        page.mouse.move(2, 2)
    context.close()
    return faults


def copied(chromium, path):
    """What the copy buttons of a page's twins and cells give."""
    page = chromium.new_page(viewport={"width": 1440, "height": 900})
    page.goto(path.as_uri())
    texts = []
    for button in page.query_selector_all("[data-copy]"):
        button.click()
        page.wait_for_function("b => b.dataset.text !== undefined", arg=button)
        texts.append((button.get_attribute("data-copy"), button.evaluate("b => b.dataset.text")))
    page.close()
    return texts
