"""The book's live figures: what the script shows is what our NumPy code gives, for whatever is
typed, dragged or pressed; and with scripts off the page stands as well.

By default one figure is tried; `--profile acceptance` tries all.
"""

import copy
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
STATIC = DOCS / "_theme" / "book" / "static"
NAMES = sorted(path.stem for path in (STATIC / "play").glob("*.js"))
FEW = ["softmax"]
sys.path[:0] = [str(Path(__file__).parent), str(DOCS / "_ext")]

LETTERS = [*"aeehhtttt   TheQz'.,!?\"019-éßж語🙂€ ", " the", " and", "'s", "  "]


def part(name, function):
    from block import load

    return load(DOCS / "pictures" / "play" / f"{name}.py", function)


def built(folder, names):
    """A site of the sections "Try it" alone."""
    source = folder / "source"
    (source / "chapters").mkdir(parents=True)
    for name in names:
        text = (DOCS / "chapters" / f"{name}.md").read_text(encoding="utf-8")
        section = re.search(r"^## Try it.*?(?=^## )", text, re.S | re.M)
        assert section, f"{name}.md has no section “Try it”"
        (source / "chapters" / f"{name}.md").write_text(f"# {name}\n\n{section[0]}", "utf-8")
    listed = "\n".join(f"chapters/{name}" for name in names)
    (source / "index.md").write_text(f"# A book\n\n## Chapters\n\n```{{toctree}}\n{listed}\n```\n")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-c", str(DOCS), "-b", "html", "-d",
         str(folder / "doctrees"), str(source), str(folder / "html")],
        capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "html" / "chapters"


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    return built(tmp_path_factory.mktemp("few"), FEW)


@pytest.fixture(scope="module")
def all_of_them(tmp_path_factory):
    return built(tmp_path_factory.mktemp("all"), NAMES)


@pytest.fixture(scope="module")
def chromium():
    import browsing

    play, found = browsing.browser()
    yield found
    found.close()
    play.stop()


# ---- a figure in the page ------------------------------------------------

CONTROLS = """box => [...box.querySelectorAll('[data-in]')].map(e => ({
  name: e.dataset.in, type: e.type, min: +e.min, max: +e.max, step: +e.step, value: e.value,
  checked: e.checked}))"""
SHOWN = """box => [...box.querySelectorAll('[data-out], [data-bar], [data-path], [data-dot], '
    + '[data-list], [data-off]')].map(e => ({...e.dataset, text: e.textContent,
  words: [...e.children].map(c => c.textContent), dim: e.classList.contains('off-row'),
  left: parseFloat(e.style.left), width: parseFloat(e.style.width),
  d: e.getAttribute('d'), at: [e.getAttribute('cx'), e.getAttribute('cy')].map(Number),
  view: e.ownerSVGElement?.dataset.view}))"""


def put(inputs, key, value):
    name, _, index = key.partition(".")
    if index:
        inputs[name][int(index)] = value
    else:
        inputs[name] = value


def in_page(box, start):
    """The inputs as the page's fields hold them."""
    inputs = copy.deepcopy(start)
    for each in box.evaluate(CONTROLS):
        if each["type"] == "checkbox":
            put(inputs, each["name"], each["checked"])
        elif each["type"] == "text":
            put(inputs, each["name"], each["value"])
        elif each["type"] == "number" or (each["type"] == "radio" and each["checked"]):
            value = float(each["value"])
            put(inputs, each["name"], int(value) if value == int(value) else value)
    return inputs


def same_number(text, value, form):
    """Equal to the digits shown: a text that a half decides may fall to either side."""
    digits = int(form.replace("+", ""))
    assert re.fullmatch(r"[+−]?\d+([.]\d+)?", text), text
    assert len(text.partition(".")[2]) == digits, text
    assert not re.fullmatch(r"[+−]0*[.]?0*", text), text
    assert text[0] != "+" or form[0] == "+"
    return abs(float(text.replace("−", "-")) - value) <= 0.5 * 10.0**-digits + 1e-9


def placed(point, view):
    x0, x1, y0, y1, left, right, low, top = map(float, view.split())
    return (left + (point[0] - x0) / (x1 - x0) * (right - left),
            low + (point[1] - y0) / (y1 - y0) * (top - low))


def check_shown(box, outputs):
    """Every number, word, bar, line and dot of the figure is that of `outputs`."""
    from playing import get

    count = 0
    for each in box.evaluate(SHOWN):
        if "out" in each:
            value = get(outputs, each["out"])
            if isinstance(value, str):
                assert each["text"] == value
            else:
                assert same_number(each["text"], value, each["form"]), (each, value)
                count += 1
        elif "bar" in each:
            share = max(-1, min(1, get(outputs, each["bar"]) / float(each["full"])))
            full = 50 if "signed" in each else 100
            assert each["width"] == pytest.approx(full * abs(share), abs=0.006)
            if "signed" in each:
                assert each["left"] == pytest.approx(50 + min(0, 50 * share), abs=0.006)
        elif "path" in each:
            found = [float(number) for number in re.findall(r"-?[\d.]+", each["d"])]
            wanted = [v for p in get(outputs, each["path"]) for v in placed(p, each["view"])]
            assert found == pytest.approx(wanted, abs=0.051)
        elif "dot" in each:
            assert each["at"] == pytest.approx(
                placed(get(outputs, each["dot"]), each["view"]), abs=0.051)
        elif "list" in each:
            assert each["words"] == get(outputs, each["list"])
            count += len(each["words"])
        else:
            assert each["dim"] == get(outputs, each["off"])
    assert count


def drawn(controls, start, random):
    """Inputs as a reader may set them; sliders on their steps."""
    inputs = copy.deepcopy(start)
    for each in controls:
        if each["type"] == "range":
            steps = round((each["max"] - each["min"]) / each["step"])
            value = round(each["min"] + each["step"] * int(random.integers(steps + 1)), 6)
            put(inputs, each["name"], int(value) if value == int(value) else value)
        elif each["type"] == "checkbox":
            put(inputs, each["name"], bool(random.integers(2)))
        elif each["type"] == "text":
            put(inputs, each["name"], "".join(random.choice(LETTERS, random.integers(30))))
    for name in {each["name"] for each in controls if each["type"] == "radio"}:
        value = float(random.choice([e["value"] for e in controls if e["name"] == name]))
        put(inputs, name, int(value) if value == int(value) else value)
    return inputs


def set_by_typing(box, inputs, controls):
    from playing import get

    for each in controls:
        place = box.locator(f'[type={each["type"]}][data-in="{each["name"]}"]')
        value = get(inputs, each["name"])
        if each["type"] in ("number", "text"):
            place.fill(str(value))
        elif each["type"] == "checkbox":
            place.set_checked(value)
        elif each["type"] == "radio" and float(each["value"]) == value:
            box.locator(f'[data-in="{each["name"]}"][value="{each["value"]}"]').check(force=True)
    box.page.keyboard.press("Tab")  # leave the last field


def alike(found, wanted, where=""):
    if isinstance(wanted, dict):
        assert set(found) == set(wanted), where
        for key, value in wanted.items():
            alike(found[key], value, f"{where}.{key}")
    elif isinstance(wanted, (list, tuple)):
        assert len(found) == len(wanted), where
        for i, pair in enumerate(zip(found, wanted)):
            alike(*pair, f"{where}.{i}")
    elif isinstance(wanted, (bool, str)):
        assert found == wanted, where
    else:
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-11), where


class Opened:
    """A figure's page, with all that goes wrong noted."""

    def __init__(self, chromium, folder, name, width=1440, scripts=True):
        self.context = chromium.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=scripts)
        self.page, self.faults = self.context.new_page(), []
        self.page.on("request", lambda r: None if r.url.startswith(("file:", "data:"))
                     else self.faults.append(f"asks for {r.url}"))
        self.page.on("requestfailed", lambda r: self.faults.append(f"cannot load {r.url}"))
        self.page.on("pageerror", lambda e: self.faults.append(f"script error: {e}"))
        self.page.goto((folder / f"{name}.html").as_uri())
        self.box = self.page.locator(f"#play-{name}")

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.context.close()
        if kind is None:
            assert not self.faults, self.faults


def check_functions(chromium, folder, name):
    """compute() gives what values() gives, changes nothing, and forgets nothing."""
    values, start = part(name, "values"), part(name, "INPUTS")
    random = np.random.default_rng(1)
    with Opened(chromium, folder, name) as seen:
        controls = seen.box.evaluate(CONTROLS)
        draws = [start, *(drawn(controls, start, random) for _ in range(100))]
        results = seen.page.evaluate(
            """([name, draws]) => draws.map(inputs => {
              const {compute, data} = play.figures[name], before = JSON.stringify([inputs, data]);
              const outputs = compute(inputs, data);
              if (JSON.stringify([inputs, data]) !== before) throw "compute changes its inputs";
              return outputs;
            })""", [name, draws])
        for inputs, outputs in zip(draws, results):
            alike(outputs, json.loads(json.dumps(values(inputs))), f"{name} {inputs}: ")


def check_typing_and_keys(chromium, folder, name, width):
    values, start = part(name, "values"), part(name, "INPUTS")
    random = np.random.default_rng(2)
    with Opened(chromium, folder, name, width) as seen:
        box, page = seen.box, seen.page
        controls = box.evaluate(CONTROLS)
        assert in_page(box, start) == start
        check_shown(box, values(start))
        for _ in range(2):
            inputs = drawn(controls, start, random)
            set_by_typing(box, inputs, controls)
            assert in_page(box, start) == inputs
            check_shown(box, values(inputs))
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        sliders = [each for each in controls if each["type"] == "range"]
        for each in sliders:
            place = box.locator(f'[type=range][data-in="{each["name"]}"]')
            place.focus()
            before = float(place.input_value())
            key, way = (("ArrowRight", 1) if before + 3 * each["step"] <= each["max"]
                        else ("ArrowLeft", -1))
            for _ in range(2):
                page.keyboard.press(key)
            after = float(place.input_value())
            assert after == pytest.approx(before + 2 * way * each["step"])
            check_shown(box, values(in_page(box, start)))
        place = box.locator("[type=range]").last       # with the mouse
        place.scroll_into_view_if_needed()
        size = place.bounding_box()
        place.click(position={"x": size["width"] * 0.3, "y": size["height"] / 2})
        each = sliders[-1]
        assert float(place.input_value()) == pytest.approx(
            each["min"] + 0.3 * (each["max"] - each["min"]), abs=0.1 * (each["max"] - each["min"]))
        check_shown(box, values(in_page(box, start)))
        number = box.locator("[type=number]").first    # what is no number, and what is too large
        held = number.input_value()
        number.fill("")
        page.keyboard.press("Tab")
        assert number.input_value() == held
        number.fill("1e9")
        page.keyboard.press("Tab")
        assert float(number.input_value()) == sliders[0]["max"]
        check_shown(box, values(in_page(box, start)))


def check_buttons(chromium, folder, name):
    """Each button sets what its preset says; "reset" goes back."""
    values, start, presets = part(name, "values"), part(name, "INPUTS"), part(name, "PRESETS")
    with Opened(chromium, folder, name) as seen:
        section = seen.page.locator("section", has=seen.box).last
        buttons = section.locator("[data-do]")
        said = {each.get_attribute("data-do") for each in buttons.all()}
        assert said == {"reset", *presets}, "each preset has its button"
        assert len(said) >= 4
        for button in buttons.all():
            before, done = in_page(seen.box, start), button.get_attribute("data-do")
            button.click()
            wanted = copy.deepcopy(start if done == "reset" else before)
            for key, value in presets.get(done, {}).items():
                if key[0] == "+":
                    wanted[key[1:]] = [old + value for old in wanted[key[1:]]]
                elif isinstance(value, str) and value[0] == "=":
                    wanted[key] = values(before)[value[1:]]
                else:
                    wanted[key] = value
            assert in_page(seen.box, start) == wanted, done
            check_shown(seen.box, values(wanted))
        section.locator("[data-do=reset]").click()
        assert in_page(seen.box, start) == start


def check_still(chromium, folder, name):
    """With scripts off: the numbers, and no control."""
    with Opened(chromium, folder, name, scripts=False) as seen:
        check_shown(seen.box, part(name, "values")(part(name, "INPUTS")))
        section = seen.page.locator("section", has=seen.box).last
        for control in section.locator("input, button, select").all():
            assert not control.is_visible(), control.get_attribute("data-in")
        assert seen.box.locator(".say").is_visible()
        for still in seen.box.locator(".row .still").all():
            assert still.is_visible() or not still.text_content()


def check_looks(chromium, folder, name):
    import browsing

    faults = browsing.look(chromium, folder / f"{name}.html", browsing.axe_script())
    assert not faults, "\n".join(faults)


CHECKS = {"the functions": check_functions,
          "typing and keys": lambda *all_: check_typing_and_keys(*all_, 1440),
          "typing and keys on a phone": lambda *all_: check_typing_and_keys(*all_, 390),
          "buttons": check_buttons, "scripts off": check_still, "looks": check_looks}


@pytest.mark.parametrize("name", NAMES)
def test_a_script_is_small_and_loads_nothing(name):
    for path in (STATIC / "play" / f"{name}.js", STATIC / "play.js"):
        text = path.read_text(encoding="utf-8")
        assert len(text.encode()) <= 4096, path
        assert not re.search(r"https?:|\bimport\b|\bfetch\b|XMLHttp|eval|innerHTML", text), path


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", FEW)
def test_a_live_figure(few, chromium, name, check):
    CHECKS[check](chromium, few, name)


@pytest.mark.acceptance
@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", NAMES)
def test_every_live_figure(all_of_them, chromium, name, check):
    CHECKS[check](chromium, all_of_them, name)
