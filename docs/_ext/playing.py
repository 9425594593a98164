"""Helpers for docs/pictures/play: a figure that the reader moves, drawn still.

A figure's file has `INPUTS`, where it begins; `values(inputs)`, its outputs by our NumPy code;
and `play()`, which draws it with a `Figure` and gives the data that its script needs. Every
element says what it shows, and play.js moves it:

    data-in      an input; a slider and a number field of one name move together
    data-out     an output as text; data-form says its digits, "2", or "+2" with a plus sign
    data-bar     an output as a bar; data-full fills it; data-signed: from the middle
    data-path    points as a line, data-dot one point; data-view of the svg says where they lie
    data-list    a list of words
    data-off     the row is dim while the output is true
    data-do      a button: `reset`, or one of the presets. {"z": [1, 1]} sets, {"+z": 1} adds to
                 each of z while all can hold it, {"n": "=next"} takes an output
"""

from decimal import ROUND_HALF_UP, Decimal
from html import escape

from block import DOCS, load
from svg import Svg, ticks_of


def taken(page, name):
    """A value of another file of docs/pictures: the example of the page."""
    return load(DOCS / "pictures" / f"{page}.py", name)


def get(values, key):
    """`p.0` of {"p": [0.1, …]}."""
    for part in key.split("."):
        values = values[int(part)] if isinstance(values, (list, tuple)) else values[part]
    return values


def printed(value, form="2"):
    """A number as play.js shows it: with so many digits, halves away from 0, a real minus."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return str(value)
    digits = Decimal(1).scaleb(-int(form.replace("+", "")))
    text = f"{Decimal(abs(value)).quantize(digits, ROUND_HALF_UP):f}"
    if not any(digit in text for digit in "123456789"):
        return text
    return ("−" if value < 0 else "+" if form[0] == "+" else "") + text


class Figure:
    def __init__(self, values, inputs, **data):
        self.inputs, self.outputs = inputs, values(inputs)
        self.data = {"inputs": inputs, "presets": {}, **data}

    # ---- what can be moved -----------------------------------------------

    def slider(self, name, label, low, high, step=0.1):
        """A slider and a number field, which move together; with scripts off, the number."""
        value = get(self.inputs, name)
        limits = f'min="{low:g}" max="{high:g}" step="{step:g}" value="{value:g}"'
        words = escape(label)
        return (f'<input class="needs-js" type="range" data-in="{name}" {limits} '
                f'aria-label="{words}" autocomplete="off">'
                f'<input class="needs-js" type="number" data-in="{name}" {limits} '
                f'aria-label="{words}, as a number" inputmode="decimal" autocomplete="off">'
                f'<span class="still">{input_text(value)}</span>')

    def choice(self, name, legend, options):
        """Radio buttons; with scripts off, what is chosen. `options`: {number: words}."""
        now = get(self.inputs, name)
        buttons = "".join(
            f'<label>{self.radio(name, value)}{escape(words)}</label>'
            for value, words in options.items())
        return (f'<fieldset class="needs-js"><legend>{escape(legend)}</legend>'
                f'<span class="view">{buttons}</span></fieldset>'
                f'<span class="still">{escape(legend)} {escape(options[now])}</span>')

    def radio(self, name, value, label=None):
        """One of several; with scripts off, an arrow at the chosen one where it has a `label`."""
        checked = " checked" if get(self.inputs, name) == value else ""
        words = f' aria-label="{escape(label)}"' if label else ""
        still = f'<span class="still">{"→" if checked else ""}</span>' if label else ""
        return (f'<input class="needs-js" type="radio" name="play-{name}" data-in="{name}" '
                f'value="{value:g}"{checked}{words} autocomplete="off">{still}')

    def tick(self, name, words, still):
        checked = " checked" if self.inputs[name] else ""
        return (f'<label class="chk needs-js"><input type="checkbox" data-in="{name}"{checked} '
                f'autocomplete="off"> {escape(words)}</label>'
                f'<span class="still">{escape(still)}</span>')

    def text(self, name, label, most):
        value = escape(self.inputs[name])
        return (f'<label class="line needs-js"><span>{escape(label)}</span><input type="text" '
                f'data-in="{name}" value="{value}" maxlength="{most}" spellcheck="false" '
                f'autocomplete="off" autocapitalize="off"></label>'
                f'<span class="still">{escape(label)}: “{value}”</span>')

    # ---- what is shown ---------------------------------------------------

    def out(self, key, form="2", tag="span", kind=""):
        what = f' class="{kind}"' if kind else ""
        return (f'<{tag}{what} data-out="{key}" data-form="{form}">'
                f"{escape(printed(get(self.outputs, key), form))}</{tag}>")

    def value(self, key, form="2", kind="val"):
        return self.out(key, form, "span", kind)

    def bar(self, key, full=1, signed=False, kind=""):
        """From the left, or `signed` from the middle. `kind` "grad": coloured by its sign."""
        part = min(1, max(-1, get(self.outputs, key) / full))
        size = 100 * abs(part)
        if signed:
            style = (f"left: {printed(50 - size / 2 if part < 0 else 50.0)}%; "
                     f"width: {printed(size / 2)}%;")
            less = ' class="less"' if part < 0 else ""
            return (f'<span class="bar mid {kind}"><i{less} data-bar="{key}" data-full="{full:g}" '
                    f'data-signed style="{style}"></i></span>')
        return (f'<span class="bar {kind}"><i data-bar="{key}" data-full="{full:g}" '
                f'style="width: {printed(size)}%;"></i></span>')

    def list(self, key, kind="pieces"):
        spans = "".join(f"<span>{escape(word)}</span>" for word in get(self.outputs, key))
        return f'<div class="{kind}" data-list="{key}">{spans}</div>'

    def row(self, label, *cells, kind="six", off=None):
        dim = ""
        if off:
            dim = f' data-off="{off}"'
            kind += " off-row" if get(self.outputs, off) else ""
        return f'<div class="row {kind}"{dim}><span class="w">{label}</span>{"".join(cells)}</div>'

    def say(self, text):
        """A sentence with `{key}`, `{key:form}` or, for plain words, `{key:s}`; read out when
        it changes."""
        parts = []
        for piece in text.split("{"):
            key, closed, rest = piece.partition("}")
            if not closed:
                parts.append(piece)
                continue
            key, _, form = key.partition(":")
            tag = "span" if form == "s" else "b"
            parts.append(self.out(key, form.removesuffix("s") or "2", tag) + rest)
        return f'<p class="say" aria-live="polite">{"".join(parts)}</p>'

    def reset(self):
        return ('<p class="again needs-js"><button class="do" type="button" data-do="reset">'
                "back to the example</button></p>")

    def twice(self, draw, alt):
        """A chart drawn by `draw(width)`, for a wide column and for a phone."""
        return "".join(draw(width).html(kind, alt)
                       for kind, width in (("wide", 640), ("narrow", 360)))


def input_text(value):
    """An input as it stands in its field: 2, −0.5."""
    return f"{value:g}".replace("-", "−")


def head(*words, kind="six"):
    """The captions over the columns of rows: label, slider, then what is shown."""
    label, moved, *rest = words
    cells = "".join(f"<span>{escape(word)}</span>" for word in rest)
    return (f'<div class="row head {kind}" aria-hidden="true"><span>{escape(label)}</span>'
            f'<span class="needs-js">{escape(moved)}</span><span class="needs-js"></span>'
            f'<span class="still">{escape(moved)}</span>{cells}</div>')


class Graph(Svg):
    """Axes on which play.js moves lines and dots."""

    def __init__(self, figure, width, x_range, y_range, x_label, y_label, height=None):
        super().__init__(width, height or (230 if width < 500 else 270), "plot")
        self.figure, self.x_range, self.y_range = figure, x_range, y_range
        self.left, self.right, self.low, self.top = 40, width - 8, self.height - 44, 26
        for value, words in ticks_of(*y_range, False, 6):
            _, y = self.at(x_range[0], value)
            self.line(self.left, y, self.right, y, "grid")
            self.text(self.left - 8, y + 4, words, "tick", "end")
        for value, words in ticks_of(*x_range, False, 4 if width < 500 else 7):
            self.text(self.at(value, 0)[0], self.low + 20, words, "tick", "middle")
        self.text((self.left + self.right) / 2, self.height - 4, x_label, "cap", "middle")
        self.text(4, 12, y_label, "cap")

    def at(self, x, y):
        (x0, x1), (y0, y1) = self.x_range, self.y_range
        return (self.left + (x - x0) / (x1 - x0) * (self.right - self.left),
                self.low + (y - y0) / (y1 - y0) * (self.top - self.low))

    def curve(self, points, kind):
        """A line that stays."""
        return self.polyline([self.at(x, y) for x, y in points], kind)

    def moved(self, key, kind):
        """A line that moves: its points are an output."""
        where = "L".join(" ".join(printed(v, "1").replace("−", "-") for v in self.at(x, y))
                         for x, y in get(self.figure.outputs, key))
        return self.add(f'<path class="{kind}" data-path="{key}" d="M{where}"/>')

    def point(self, key, kind="dot", radius=5):
        x, y = (printed(v, "1") for v in self.at(*get(self.figure.outputs, key)))
        return self.add(f'<circle class="{kind}" data-dot="{key}" cx="{x}" cy="{y}" r="{radius}"/>')

    def html(self, kind, alt):
        view = " ".join(f"{v:g}" for v in (*self.x_range, *self.y_range, self.left, self.right,
                                           self.low, self.top))
        return super().html(kind, alt).replace("<svg ", f'<svg data-view="{view}" ', 1)
