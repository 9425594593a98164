"""The pictures of prepare's report: counts on their axes are whole numbers."""

import pytest
from matplotlib.figure import Figure

from npgpt.text.prepare import report


@pytest.mark.parametrize("counts", [[1], [1, 1], [2, 1, 1], [3], [7, 2], [40, 900]])
def test_counts_on_an_axis_are_whole_numbers(tmp_path, monkeypatch, counts):
    drawn = []
    save = Figure.savefig

    def saved(figure, *arguments, **options):
        save(figure, *arguments, **options)
        drawn.append(figure)

    monkeypatch.setattr(Figure, "savefig", saved)
    vocabulary = [(0, 0), *((i + 1, i + 1) for i in range(len(counts)))]
    report._draw(tmp_path, {"lengths": [0] * 12 + counts + [0] * 9, "vocabulary": vocabulary})
    lengths, words = (figure.axes[0] for figure in drawn)
    for axis in (lengths.yaxis, words.xaxis, words.yaxis):
        low, high = sorted(axis.get_view_interval())
        shown = [tick for tick in axis.get_majorticklocs() if low <= tick <= high]
        assert shown and all(tick == int(tick) for tick in shown)
        labels = [label.get_text() for label in axis.get_ticklabels()]
        assert len(set(labels)) == len(labels)
