"""Figures as PNG files, whatever script their words are in."""

import io
import warnings
from pathlib import Path

from npgpt.files import write_atomically

# matplotlib's own first; the others, where they are installed, have what it lacks
FONTS = (
    "DejaVu Sans", "Noto Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans JP",
    "Source Han Sans", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "IPAGothic", "VL Gothic",
    "Droid Sans Fallback", "Noto Sans Arabic", "Noto Sans Devanagari", "Hiragino Sans",
    "Arial Unicode MS", "Yu Gothic", "Microsoft YaHei", "Malgun Gothic", "Segoe UI Emoji",
)


def save_picture(figure, file: Path) -> None:
    """Write a PNG. A character that no installed font has is drawn as a box; nobody is
    warned of it, for nothing is wrong with a run of that name."""
    from matplotlib.font_manager import fontManager
    from matplotlib.text import Text

    installed = {font.name for font in fontManager.ttflist}
    families = [name for name in FONTS if name in installed]
    for text in figure.findobj(Text):
        text.set_fontfamily(families)
    picture = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(picture, format="png")
    write_atomically(file, picture.getvalue())
