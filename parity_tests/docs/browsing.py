"""What a page of the book must hold to, looked at in a real browser."""

import json
import shutil
from pathlib import Path

HERE = Path(__file__).parent
CHROMIUM = next(filter(None, map(shutil.which, (
    "chromium", "chromium-browser", "google-chrome", "chrome"))), None)

LEVEL = (HERE / "level.js").read_text(encoding="utf-8")
COLUMNS = (HERE / "columns.js").read_text(encoding="utf-8")

# what ends beyond its column, or beyond a box that hides it, and cannot be scrolled to
CUT_OFF = (HERE / "cut_off.js").read_text(encoding="utf-8")
SMALL = (HERE / "small.js").read_text(encoding="utf-8")


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


VIEWS = [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")]


def look(chromium, path, axe=None, views=VIEWS):
    """All faults of one page, loaded once, at each width and in each colour scheme."""
    faults = []
    page = chromium.new_page(viewport={"width": views[0][0], "height": 900},
                             color_scheme=views[0][1])
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:"))
            else faults.append(f"asks for {r.url}"))
    page.on("requestfailed", lambda r: faults.append(f"cannot load {r.url}"))
    page.on("console", lambda m: faults.append(f"console: {m.text}")
            if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda e: faults.append(f"script error: {e}"))
    page.goto(path.as_uri())
    page.evaluate("document.fonts.ready.then(() => 1)")
    if axe:
        page.add_script_tag(content=axe)
    for width, scheme in views:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        if views[1:]:
            page.wait_for_timeout(250)  # colours move over
        faults += [f"at {width} {scheme}: {fault}" for fault in faults_of(page, width, scheme)]
        if axe and (width > 1000 or scheme == "light"):
            faults += [f"at {width} {scheme}: {fault}" for fault in serious(page)]
    page.close()
    return [f"{path.stem}: {fault}" for fault in faults]


def faults_of(page, width, scheme):
    """What is measured: overflow, what is cut off, small labels, rows out of level."""
    found = []
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > width:
        found.append(f"is {wide} px wide")
    if scheme == "dark":  # the same boxes in other colours
        return found
    found += page.evaluate(CUT_OFF)
    found += page.evaluate(SMALL)
    if width > 1000:
        found += page.evaluate(LEVEL)
        columns = page.evaluate(COLUMNS)
        if columns < 76:
            found.append(f"a pane has {columns:.1f} columns")
    return found


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
                   if page.query_selector(f"{twin} .half.{side}")]
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
