"""How the lessons' pictures look."""

INK, GRID, MUTED = "#22303c", "#e3e7ea", "#8695a3"
BLUE, ORANGE, GREEN = "#2f6db3", "#d9730d", "#2a9d6f"


def plain(axis, title: str = "", x: str = "", y: str = "") -> None:
    """A light grid, no frame, the title at the left."""
    axis.grid(color=GRID, linewidth=0.8)
    axis.set_axisbelow(True)
    axis.tick_params(colors=INK, labelsize=8.5, length=0)
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    axis.spines["bottom"].set_color(GRID)
    axis.set_title(title, loc="left", fontsize=10, color=INK)
    axis.set_xlabel(x, fontsize=9, color=INK)
    axis.set_ylabel(y, fontsize=9, color=INK)
