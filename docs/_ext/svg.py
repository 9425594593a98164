"""Small pictures as SVG, in the page's own colours, so that dark mode and print follow.

Every number drawn comes from code that ran: `Svg` draws, `matrix` shows an
array with its values, `chart` plots measured series.
"""

import math
from html import escape


def printed(value, digits=1):
    """A number as a picture prints it: −1.5, 0, 2; never -0."""
    text = f"{value:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text.replace("-", "−")


def signed(value, digits=1):
    """A gradient as a picture prints it: with its sign, a positive one too."""
    text = printed(value, digits)
    return text if text == "0" or text.startswith("−") else f"+{text}"


class Svg:
    """Collects shapes; `html(kind, alt)` gives the element for the page."""

    def __init__(self, width, height, kind="pic"):
        self.width, self.height, self.kind, self.parts = width, height, kind, []

    def add(self, text):
        self.parts.append(text)
        return self

    def text(self, x, y, words, kind="lab", anchor="start", name=None, title=None):
        data = f' data-v="{name}"' if name else ""
        where = f' text-anchor="{anchor}"' if anchor != "start" else ""
        return self.add(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}"{where}{data}>'
                        f"{escape(str(words))}</text>")

    def name(self, x, y, name, note="", note_x=None):
        """A variable's name, which lights up with the variable, and a note."""
        self.add(f'<g data-v="{name}"><text class="nm" x="{x:.1f}" y="{y:.1f}">{name}</text></g>')
        if note:
            if note_x is None:
                self.text(x, y + 14, note, "nt")
            else:
                self.text(note_x, y, note, "nt", "end")
        return self

    def line(self, x1, y1, x2, y2, kind="th"):
        return self.add(f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" '
                        f'x2="{x2:.1f}" y2="{y2:.1f}"/>')

    def arrow(self, x1, y1, x2, y2, kind="th"):
        """A line with a head at its end."""
        angle = math.atan2(y2 - y1, x2 - x1)
        points = [(x2, y2)] + [
            (x2 - 7 * math.cos(angle + turn), y2 - 7 * math.sin(angle + turn))
            for turn in (0.42, -0.42)]
        self.line(x1, y1, x2 - 4 * math.cos(angle), y2 - 4 * math.sin(angle), kind)
        return self.polygon(points, "tip")

    def dot(self, x, y, radius=4.5, kind="dot"):
        return self.add(f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>')

    def rect(self, x, y, width, height, kind="box", radius=6, style=""):
        extra = f' style="{style}"' if style else ""
        return self.add(f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
                        f'height="{height:.1f}" rx="{radius}"{extra}/>')

    def polygon(self, points, kind):
        where = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        return self.add(f'<polygon class="{kind}" points="{where}"/>')

    def polyline(self, points, kind):
        where = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        return self.add(f'<polyline class="{kind}" points="{where}"/>')

    def step(self, step, x, y, width, height):
        """Open a group that lights with a step, `layer_norm-1`; close with `end`."""
        return self.add(f'<g data-step="{step}" class="st"><rect x="{x}" y="{y}" '
                        f'width="{width}" height="{height}"/>')

    def label(self, x, y, number, words, indent=26):
        """`(1) words`, a step's label; a list of words makes several lines."""
        lines = [words] if isinstance(words, str) else words
        rest = "".join(
            f'<tspan x="{x + indent}" dy="{14 if i else 0}">{escape(line)}</tspan>'
            for i, line in enumerate(lines))
        return self.add(f'<text class="lab" x="{x}" y="{y:.1f}"><tspan class="n">({number})'
                        f"</tspan>{rest}</text>")

    def end(self):
        return self.add("</g>")

    def link(self, target):
        """Open a link around what follows; close with `unlink`."""
        return self.add(f'<a href="{escape(target)}">')

    def unlink(self):
        return self.add("</a>")

    def matrix(self, x, y, values, cell=(46, 26), digits=2, rows=(), columns=(), top=None,
               kind="np", name=None, note="", hidden=None):
        """An array with its numbers; the larger a value's size, the deeper its cell."""
        width, height = cell
        biggest = top or max((abs(v) for row in values for v in row if math.isfinite(v)),
                             default=1) or 1
        if name:
            self.name(x, y - (24 if len(columns) else 10), name)
            if note:
                self.text(x + 8.2 * len(name) + 10, y - (24 if len(columns) else 10), note, "nt")
        for j, word in enumerate(columns):
            self.text(x + (j + 0.5) * width, y - 7, word, "nt", "middle")
        for i, row in enumerate(values):
            if len(rows):
                self.text(x - 7, y + (i + 0.5) * height + 4, rows[i], "nt", "end")
            for j, value in enumerate(row):
                gone = hidden is not None and hidden[i][j]
                strength = 0 if gone or not math.isfinite(value) else min(1, abs(value) / biggest)
                tint = "pt" if value < 0 and kind == "np" else kind
                self.rect(x + j * width, y + i * height, width - 2, height - 2,
                          f"cellbox {tint}", 3, f"--share:{strength:.3f}")
                word = "−∞" if value == -math.inf else printed(value, digits)
                self.text(x + (j + 0.5) * width - 1, y + (i + 0.5) * height + 3,
                          "·" if gone else word, "val", "middle")
        return self

    def bars(self, x, y, values, step, tallest, kind="np", digits=2, tints=None):
        """Numbers as columns on the line y, negative ones hanging; `tallest`: the
        height of the largest. `tints`: a kind for each."""
        biggest = max(abs(v) for v in values) or 1
        self.line(x, y, x + step * len(values), y, "axis")
        for i, value in enumerate(values):
            size = abs(value) / biggest * tallest
            tint = tints[i] if tints else "pt" if value < 0 and kind == "np" else kind
            self.rect(x + (i + 0.2) * step, y - size * (value > 0), 0.6 * step, size,
                      f"cellbox {tint}", 2, "--share:1")
            self.text(x + (i + 0.5) * step, y + size + 14 if value < 0 else y - size - 5,
                      printed(value, digits), "num", "middle")
        return self

    def html(self, kind, alt):
        """`kind`: wide, narrow or both."""
        role = "group" if any(part.startswith("<a ") for part in self.parts) else "img"
        return (f'<svg class="{self.kind} {kind}" viewBox="0 0 {self.width:g} {self.height:g}" '
                f'role="{role}" aria-label="{escape(alt)}">{"".join(self.parts)}</svg>')


def gradient_table(image, x, y, table, cell, rows=(), columns=(), name=None, top=None):
    """A table of gradients, coloured by sign; `top`: the size of the deepest colour."""
    if name:
        image.name(x, y - (24 if len(columns) else 10), name)
    top = top or abs(table).max() or 1
    for j, word in enumerate(columns):
        image.text(x + (j + 0.5) * cell[0], y - 7, word, "nt", "middle")
    for i, row in enumerate(table):
        if len(rows):
            image.text(x - 7, y + (i + 0.5) * cell[1] + 4, rows[i], "nt", "end")
        for j, value in enumerate(row):
            image.rect(x + j * cell[0], y + i * cell[1], cell[0] - 2, cell[1] - 2,
                       f"cellbox {'up' if value > 0 else 'dn' if value < 0 else 'grey'}", 3,
                       f"--share:{abs(value) / top:.2f}")
            image.text(x + (j + 0.5) * cell[0] - 1, y + (i + 0.5) * cell[1] + 4,
                       printed(value, 1), "val", "middle")


def gains_and_losses(width, words, before, after, tallest):
    """A bar for each probability, and what a raised score adds to it or takes from it."""
    image = Svg(width, 210)
    left = 0 if width < 500 else 40
    step = (width - left) / len(words)
    image.line(left, 160, width, 160, "axis")
    for i, word in enumerate(words):
        x, old, new = left + (i + 0.22) * step, tallest * before[i], tallest * after[i]
        image.rect(x, 160 - min(old, new), 0.56 * step, min(old, new), "cellbox att", 2,
                   "--share:.9")
        image.rect(x, 160 - max(old, new), 0.56 * step, abs(new - old),
                   "gain" if new > old else "loss", 2)
        image.text(left + (i + 0.5) * step, 152 - max(old, new),
                   signed(after[i] - before[i], 3), "num", "middle")
        image.text(left + (i + 0.5) * step, 179, word, "tok", "middle")
        image.text(left + (i + 0.5) * step, 199, printed(before[i], 2), "nt", "middle")
    return image


def gradients_by_part(width, rows, words, left, height, first):
    """Rows of gradients as bars, `(name, values, note)`, one below the other."""
    image = Svg(width, len(rows) * height + 24)
    step = (width - left) / len(words)
    for k, (name, values, note) in enumerate(rows):
        base = first + height * k
        image.line(left, base, width, base, "axis")
        image.name(0, base - 2, name, note)
        for i, value in enumerate(values):
            size = 46 * abs(value)
            if size > 0.2:
                image.rect(left + (i + 0.2) * step, base - size * (value > 0), 0.6 * step, size,
                           "up-o" if value > 0 else "dn-o", 2)
            image.text(left + (i + 0.5) * step,
                       base + size + 15 if value < -1e-4 else base - size - 5,
                       signed(value, 2), "num", "middle")
    for i, word in enumerate(words):
        image.text(left + (i + 0.5) * step, len(rows) * height + 18, word, "tok", "middle")
    return image


def power(exponent):
    digits = str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return {0: "1", 1: "10"}.get(exponent, f"10{digits}")


def ticks_of(low, high, log, most):
    """Round places on an axis: [(value, words)]."""
    if log:
        first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
        every = max(1, -(-(last - first) // most))
        return [(10.0**e, power(e)) for e in range(first, last + 1, every)]
    step = 10 ** math.floor(math.log10((high - low) / most))
    step *= next(k for k in (1, 2, 5, 10) if (high - low) / (step * k) <= most)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    start = math.ceil(low / step - 1e-9)
    return [(k * step, printed(k * step, digits))
            for k in range(start, math.floor(high / step + 1e-9) + 1)]


def chart(width, series, x_label, y_label, x_log=False, y_log=False, y_range=None, notes=(),
          height=None, x_ticks=None):
    """A line chart. `series`: {name: (xs, ys)} or {name: (xs, ys, style)}, style one of
    np (blue line), pt (orange rings), att
    (violet: how much), up, dn (gradients by their sign), ink, dim;
    `notes`: [(x, y, words, anchor)].
    `x_ticks`: the numbers to mark below, where powers of ten would not do.
    A name that begins with a blank gets no place in the legend: say it in a note."""
    phone = width < 500
    height = height or (250 if phone else 280)
    left, right, top, bottom = (44 if phone else 56), 10, 44, 44
    image = Svg(width, height, "plot")
    xs = [x for data in series.values() for x in data[0]]
    ys = [y for data in series.values() for y in data[1] if math.isfinite(y)]
    x_low, x_high = min(xs), max(xs)
    y_low, y_high = y_range or (min(ys), max(ys))
    if not y_range and not y_log:
        y_low, y_high = y_low - 0.04 * (y_high - y_low), y_high + 0.06 * (y_high - y_low)
    if not y_range and y_log:
        y_low, y_high = y_low / 1.5, y_high * 1.5

    def place(value, low, high, log, start, end):
        if log:
            value, low, high = (math.log10(max(v, 1e-300)) for v in (value, low, high))
        return start + (value - low) / (high - low or 1) * (end - start)

    def at(x, y):
        return (place(x, x_low, x_high, x_log, left, width - right),
                place(y, y_low, y_high, y_log, height - bottom, top))

    for value, words in ticks_of(y_low, y_high, y_log, 6):
        _, y = at(x_low, value)
        image.line(left, y, width - right, y, "grid")
        image.text(left - 9, y + 4, words, "tick", "end")
    marks = [(x, printed(x, 3)) for x in x_ticks] if x_ticks is not None else ticks_of(
        x_low, x_high, x_log, 4 if phone else 7)
    for value, words in marks:
        x, _ = at(value, y_low)
        image.text(x, height - bottom + 20, words, "tick", "middle")
    image.text((left + width - right) / 2, height - 4, x_label, "cap", "middle")
    image.text(4, 12, y_label, "cap")
    at_x = left + 4
    for name, data in series.items():
        style = data[2] if len(data) > 2 else "np"
        points = [at(x, min(max(y, y_low), y_high)) for x, y in zip(data[0], data[1])
                  if math.isfinite(y)]
        few = len(points) <= 40
        if style == "pt":
            for x, y in points:
                image.dot(x, y, 4 if few else 2.4, "pt-o")
            if name[0] != " ":
                image.dot(at_x + 10, 28, 4, "pt-o")
        else:
            image.polyline(points, f"ln-{style}")
            if few:
                for x, y in points:
                    image.dot(x, y, 1.9, f"{style}-o")
            if name[0] != " ":
                image.line(at_x, 28, at_x + 20, 28, f"ln-{style}")
        if name[0] == " ":
            continue
        image.text(at_x + 27, 32, name, "ann")
        at_x += 27 + 7.2 * len(name) + 22
    for x, y, words, anchor in notes:
        px, py = at(x, y)
        image.text(px, py, words, "ann", anchor)
    return image
