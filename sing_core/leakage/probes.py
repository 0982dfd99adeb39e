"""Is it in there at all? What can be read from the null part of a feature, and what is lost."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from sing_core.errors import ImageSetError, TextListError
from sing_core.files.text_lists import text_of
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.leakage.strata import kind_among
from sing_core.leakage.superclasses import superclasses
from sing_core.maths.draws import AmongDraws, among_draws, one_draw
from sing_core.maths.folds import FOLDS, folds_of
from sing_core.maths.probing import (
    DRAWS,
    READ_DRAWS,
    Drawn,
    Probed,
    random_subspaces,
    read_directions,
)
from sing_core.maths.statistics import Floats, Interval, clustered_mean, paired_difference
from sing_core.sets.chunks import ImageRow

CLASSES, GROUPS = "classes", "groups"
FEWEST = FOLDS  # images a label: one a fold, in the mean


@dataclass(frozen=True, slots=True)
class ProbeRow:
    """What a linear probe reads from one subspace.

    Attributes:
        subspace: ``null``, ``random`` (of equal dimension, mean of ``draws``), ``read`` (of as many
            directions that the head reads, mean of ``draws``), ``principal`` or ``full``.
        dim: dimensions that the probe sees.
        accuracy: share of images read rightly, every class counting once. The interval of several
            draws holds what one more of them would give.
        draws: how many subspaces it is the mean of.
    """

    subspace: str
    dim: int
    accuracy: Interval
    draws: int = 1

    def as_row(self) -> dict[str, Any]:
        """Return what the command line prints and the page shows."""
        return {
            "subspace": self.subspace, "dim": self.dim, "accuracy": self.accuracy.estimate,
            "low": self.accuracy.low, "high": self.accuracy.high, "draws": self.draws,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ProbeTable:
    """Labels read from the parts of a feature.

    Attributes:
        asked: what the labels are; ``labels`` how many; ``n`` images of ``classes`` classes.
        rows: one a subspace.
        chance: accuracy of who guesses.
        over_random: null minus random subspaces of equal dimension, with the spread of the draws in
            its interval, and its place among them; None without a null space.
        lost: full minus principal: what is lost when the null part is taken away.
        stratum: of which kind the images are that take part, see ``strata.kind_among``.
    """

    asked: str
    labels: int
    n: int
    classes: int
    rows: tuple[ProbeRow, ...]
    chance: float
    over_random: AmongDraws | None
    lost: Interval
    stratum: str = ""

    def row(self, subspace: str) -> ProbeRow | None:
        """Return the row of a subspace, None where there is none."""
        return next((row for row in self.rows if row.subspace == subspace), None)

    @property
    def sentence(self) -> str:
        """What the table says, with magnitudes, and what it does not say."""
        null, full = self.row("null"), self.row("full")
        if null is None or full is None or self.over_random is None:
            return "There is no null space to read from."
        gap = self.over_random.difference
        word = (
            "as well as"
            if not gap.decided
            else "better than"
            if gap.estimate > 0
            else "less well than"
        )
        return (
            f"{_share(null.accuracy.estimate)} of the images are read rightly from the null part "
            f"alone (one of {self.labels} {self.asked}; chance {_share(self.chance)}, the whole "
            f"feature {_share(full.accuracy.estimate)}): {word} from as many random directions. "
            f"{self._lost()}"
        )

    def _lost(self) -> str:
        if not self.lost.decided:
            return "Whether it adds anything to the directions that decide is not decided."
        read = (
            f"Without the null part {100 * abs(self.lost.estimate):.1f} percentage points "
            f"{'fewer' if self.lost.estimate > 0 else 'more'} of the images are read rightly"
        )
        adds = "something" if self.lost.estimate > 0 else "nothing"
        return f"{read}: it adds {adds} to the directions that decide."


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """The images that a probe is trained and judged on: labels, folds and classes, in row order."""

    asked: str
    rows: list[int]
    labels: Tensor
    classes: Tensor
    folds: Tensor | None = None


def probe(scored: ScoredSet, asked: str = CLASSES, table: Path | None = None) -> ProbeTable:
    """Read labels from the null part, random and principal parts, and the whole feature.

    ``asked`` is ``classes`` or ``groups``; ``table`` names a CSV of ``name,label`` lines instead.
    Classes and labels of a table are told apart for photographs that the probe never saw; groups
    for classes that it never saw.

    Raises:
        ImageSetError: fewer than two labels have enough images.
        TextListError: the table cannot be read.
        SingError: scores or features cannot be read.
    """
    given = labelled(scored, asked) if table is None else _from_table(scored, table)
    parts = list(scored.features(given.rows))
    features = torch.cat([part for _, part in parts])
    images = [image for found, _ in parts for image in found]
    folds = _folds(images) if given.folds is None else given.folds
    return _table(scored, given, Probed.of(features, given.labels, folds))


def _table(scored: ScoredSet, given: Labelled, probed: Probed) -> ProbeTable:
    head, classes = scored.linear.head, given.classes.numpy()
    full, principal = (probed.hits(basis).numpy() for basis in (None, head.principal_basis))
    rows = []
    over_random = None
    if head.nullity:
        null = probed.hits(head.null_basis).numpy()
        drawn = _each(probed, random_subspaces(len(head.principal_basis), head.nullity, DRAWS))
        over_random = among_draws(null, drawn, classes)
        rows.append(ProbeRow("null", head.nullity, _rate(null, classes)))
        rows.append(_drawn("random", head.nullity, drawn, classes))
        dimension = min(head.nullity, head.rank)
        read = _each(probed, read_directions(head, dimension, min(DRAWS, READ_DRAWS)))
        rows.append(_drawn("read", dimension, read, classes))
    rows.append(ProbeRow("principal", head.rank, _rate(principal, classes)))
    rows.append(ProbeRow("full", head.rank + head.nullity, _rate(full, classes)))
    kinds = int(given.labels.max()) + 1
    lost = paired_difference(full, principal, classes)
    count, seen = len(classes), len(np.unique(classes))
    return ProbeTable(
        given.asked, kinds, count, seen, tuple(rows), 1 / kinds, over_random, lost,
        stratum=_kind_among(scored, given.rows),
    )  # fmt: skip


def _kind_among(scored: ScoredSet, rows: Sequence[int]) -> str:
    found, taken = scored.ask("SELECT row, stratum FROM images").to_pylist(), set(rows)
    return kind_among(one["stratum"] for one in found if one["row"] in taken)


def _each(probed: Probed, frames: Iterable[Drawn]) -> Floats:
    """Return ``(n, draws)`` whether each image is read rightly from each of the subspaces."""
    hits = [found.numpy() for drawn in frames for found in probed.hits_of(drawn)]
    return np.stack(hits, axis=1).astype(np.float64)


def _drawn(name: str, dim: int, hits: Floats, classes: ArrayLike) -> ProbeRow:
    draws = hits.shape[1]
    found = one_draw(hits, classes) if draws > 1 else clustered_mean(hits[:, 0], classes)
    return ProbeRow(name, dim, _share_of(found), draws)


def _rate(hits: ArrayLike, classes: ArrayLike) -> Interval:
    return _share_of(clustered_mean(hits, classes))


def _share_of(found: Interval) -> Interval:
    """Return a share with its interval ending where shares do."""
    low, high = (end if end is None else min(1.0, max(0.0, end)) for end in (found.low, found.high))
    return replace(found, low=low, high=high)


def _folds(images: Sequence[ImageRow]) -> Tensor:
    return folds_of([image.digest for image in images])


def labelled(scored: ScoredSet, asked: str) -> Labelled:
    """Return the classes themselves, or the groups that they are in, of all images that count."""
    found = scored.ask("SELECT row, label FROM images ORDER BY row")
    rows, classes = found["row"].to_pylist(), found["label"].to_pylist()
    if asked == CLASSES:
        return _kept(scored, "classes", rows, classes, classes)
    if asked != GROUPS:
        raise ImageSetError(f"A probe reads “{CLASSES}” or “{GROUPS}”, not “{asked[:80]}”.")
    group_of = {index: name for name, inside in superclasses().items() for index in inside}
    groups = [group_of[label] for label in classes]
    kept = _kept(scored, "groups", rows, groups, classes)
    return Labelled("groups", kept.rows, kept.labels, kept.classes, _folds_of_classes(kept))


def _folds_of_classes(kept: Labelled) -> Tensor:
    """Return ``(n,)``: the classes of each group dealt out to the folds, in their order."""
    place: dict[int, int] = {}
    for label in range(int(kept.labels.max()) + 1):
        inside = sorted(set(kept.classes[kept.labels == label].tolist()))
        for turn, index in enumerate(inside):
            place[index] = turn % FOLDS
    return torch.tensor([place[index] for index in kept.classes.tolist()])


def _from_table(scored: ScoredSet, table: Path) -> Labelled:
    text, _ = text_of(table)
    lines = [line for line in csv.reader(io.StringIO(text)) if line]
    if not lines or any(len(line) < 2 for line in lines):
        raise TextListError(f"{table.name} is no table of labels: a line is “image name,label”.")
    wanted = {line[0].strip(): line[1].strip() for line in lines}
    found = scored.ask("SELECT row, name, label FROM images ORDER BY row").to_pylist()
    there = [(one["row"], wanted[one["name"]], one["label"]) for one in found
             if one["name"] in wanted]  # fmt: skip
    if not there:
        raise TextListError(
            f"{table.name} names no image of the set {scored.folder.facts.name}; its first names "
            f"are {', '.join(one['name'] for one in found[:3])}."
        )
    return _kept(scored, table.stem[:80], *([*part] for part in zip(*there, strict=True)))


def _kept(
    scored: ScoredSet, asked: str, rows: list[int], values: Sequence[Any], classes: list[int]
) -> Labelled:
    """Return what has a label that enough images have.

    For groups these are images of at least as many classes, as whole classes are held out.
    """
    units = set(zip(values, classes, strict=True)) if asked == GROUPS else values
    many = Counter(value for value, _ in units) if asked == GROUPS else Counter(values)
    names = sorted((value for value, count in many.items() if count >= FEWEST), key=str)
    if len(names) < 2:
        what = "classes" if asked == GROUPS else "images"
        raise ImageSetError(
            f"A probe needs two labels with {FEWEST} {what} each, so that it is judged on what it "
            f"never saw; the set {scored.folder.facts.name} has {len(names)}."
        )
    place = {value: i for i, value in enumerate(names)}
    chosen = [i for i, value in enumerate(values) if value in place]
    return Labelled(
        asked,
        [rows[i] for i in chosen],
        torch.tensor([place[values[i]] for i in chosen]),
        torch.tensor([classes[i] for i in chosen]),
    )
