"""Which rows of the table of classes are looked at, and in which order: nothing is tested anew."""

from collections.abc import Sequence
from dataclasses import dataclass

from sing_core.errors import UnknownNameError
from sing_core.leakage.classes import ClassRow
from sing_core.leakage.superclasses import superclasses

NOTHING_LEFT = "No class of this group has this in its name and that many images."


@dataclass(frozen=True, slots=True)
class ClassFilter:
    """What narrows a table of classes; the default keeps every row.

    The rows keep their p values: those were corrected over all classes of the set, so that a person
    who looks at fewer does not find more.

    Attributes:
        search: part of a label in any case, or a whole wnid; "" for all.
        group: name of a group of classes, see ``superclasses``; "" for all.
        least: smallest number of images.

    Raises:
        UnknownNameError: there is no such group; the message names those that there are.
    """

    search: str = ""
    group: str = ""
    least: int = 1

    def __post_init__(self) -> None:
        """Refuse a group that there is not, before anything is read."""
        if self.group and self.group not in superclasses():
            raise UnknownNameError(
                f"No group of classes is called “{self.group[:80]}”. "
                f"There are: {', '.join(superclasses())}."
            )

    def kept(self, rows: Sequence[ClassRow]) -> list[ClassRow]:
        """Return the rows that are kept, in their order."""
        part = self.search.strip().casefold()
        return [
            row
            for row in rows
            if row.n >= self.least
            and (part in row.label.casefold() or part == row.wnid)
            and (not self.group or row.index in superclasses()[self.group])
        ]


def decided_first(rows: Sequence[ClassRow]) -> list[ClassRow]:
    """Return the rows that the test decides, then the others; by the size of the contrast."""
    return sorted(rows, key=_order)


def _order(row: ClassRow) -> tuple[bool, bool, float]:
    return row.verdict == "not decided", row.as_low is None, -abs(row.contrast_mean)
