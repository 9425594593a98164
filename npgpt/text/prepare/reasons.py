"""Why documents were dropped: how many for each reason, and a few examples."""

from typing import Any

from npgpt.text.prepare.document import Dropped
from npgpt.text.prepare.personal import mask_personal

EXAMPLES = 3  # of dropped documents, for each reason


class Reasons:
    """How many documents were dropped for which reason, with the first few as examples."""

    def __init__(self, mask: tuple[str, ...] = ()) -> None:
        self.mask = mask  # kinds of personal data, masked in the examples
        self.counts: dict[str, int] = {}
        self.examples: dict[str, list[dict[str, Any]]] = {}

    def add(self, dropped: Dropped, like: str = "") -> None:
        """Count a document; `like` is the id of the one that it repeats."""
        reason = dropped.reason
        self.counts[reason] = self.counts.get(reason, 0) + 1
        examples = self.examples.setdefault(reason, [])
        if len(examples) < EXAMPLES:
            begins = mask_personal(" ".join(dropped.text[:200].split()), self.mask)[0][:80]
            begins = begins.encode("utf-8", "replace").decode()
            examples.append(
                {"source": dropped.source, "start": dropped.start, "begins": begins}
                | ({"like": like} if like else {})
            )

    def join(self, counts: dict[str, int], examples: dict[str, list[dict[str, Any]]]) -> None:
        add(self.counts, counts)
        for reason, theirs in examples.items():
            ours = self.examples.setdefault(reason, [])
            ours.extend(theirs[: EXAMPLES - len(ours)])


def add(total: dict[str, int], more: dict[str, int]) -> None:
    for key, count in more.items():
        total[key] = total.get(key, 0) + count
