"""Which class leaks: one row per class, with interval and corrected test; down to single images."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sing_core.errors import ImageSetError
from sing_core.leakage.score_files import drawn
from sing_core.leakage.scored_sets import ScoredSet
from sing_core.leakage.strata import POOLED
from sing_core.maths.draws import among_names
from sing_core.maths.statistics import (
    FALSE_DISCOVERY_RATE,
    Floats,
    adjusted,
    student,
)
from sing_core.models.head_classes import mapping_of, names_of

_BY_CLASS = f"""
SELECT label, any_value(wnid) AS wnid, count(*) AS n,
    avg(attribute_score_deg) AS as_mean, stddev_samp(attribute_score_deg) AS as_sd,
    avg(abs(attribute_score_deg)) AS abs_as_mean, avg(image_score_deg) AS is_mean,
    avg(feasible_image_score_deg) AS feasible_mean,
    avg(directed_score_deg) AS directed_mean, stddev_samp(directed_score_deg) AS directed_sd,
    CASE WHEN count(DISTINCT stratum) > 1 THEN '{POOLED}' ELSE any_value(stratum) END AS stratum
FROM images GROUP BY label ORDER BY label
"""
_NAMES = "SELECT label, contrast_deg, foreign_contrasts_deg FROM images ORDER BY label, row"
_DECISIONS = "SELECT label, top1, count(*) AS n FROM images GROUP BY label, top1"
_OF_CLASS = """
SELECT row, name, digest, top1, attribute_score_deg, image_score_deg, directed_score_deg,
    average_score_deg, contrast_deg, null_energy, max_logit_drift,
    nullif(feasible_image_score_deg, 'NaN') AS feasible_image_score_deg
FROM images WHERE label = ? ORDER BY row
"""


@dataclass(frozen=True, slots=True)
class ClassRow:
    """Null removal over the images of one class; degrees.

    Attributes:
        index: class in ImageNet-1k order; ``label`` and ``wnid`` name it.
        n: distinct images.
        as_mean: mean AS towards "an image of a <class>"; ``as_low`` and ``as_high`` its 95 % t
            interval, None where one image cannot give one.
        abs_as_mean: mean ``|AS|``; ``is_mean`` mean IS.
        directed_mean: the part of AS that depends on where the null part points.
        p: of "the directed part is 0 on average"; ``p_adjusted`` after Benjamini-Hochberg over all
            classes that have one. It says nothing of the class: most names would have one as small.
        contrast_mean: the directed part towards the own name minus its mean over the names of all
            classes; ``contrast_p_adjusted`` of "the own name is one like any other", see
            ``among_names``, after Benjamini-Hochberg.
        foreign_decided: the negative control: share of the names of other classes that would be
            called decided, were they this class's own.
        feasible_image_score_deg: mean IS of the nearest features to the equivalents that the
            network can produce; None where that is not known.
        accuracy: share of images whose first class is this one; None where nobody said which of
            the head's classes it is.
        stratum: kind of images; "" in a set of one kind, ``POOLED`` where it has several.
        detectable: how large ``contrast_mean`` would have to be, were this the one class decided:
            see ``AmongNames``; None of one image.
    """

    index: int
    label: str
    wnid: str
    n: int
    as_mean: float
    as_low: float | None
    as_high: float | None
    abs_as_mean: float
    is_mean: float
    directed_mean: float
    p: float | None
    p_adjusted: float | None
    contrast_mean: float
    contrast_p_adjusted: float | None
    foreign_decided: float | None
    accuracy: float | None
    feasible_image_score_deg: float | None
    stratum: str = ""
    detectable: float | None = None

    @property
    def verdict(self) -> str:
        """``towards`` the own name more than towards others, ``away``, or ``not decided``.

        At a false discovery rate of 5 %.
        """
        p = self.contrast_p_adjusted
        if p is None or p > FALSE_DISCOVERY_RATE:
            return "not decided"
        return "towards" if self.contrast_mean > 0 else "away"

    def as_row(self) -> dict[str, Any]:
        """Return what the command line prints and the page shows."""
        return {
            "class": self.label, "wnid": self.wnid, "n": self.n,
            "as_mean": self.as_mean, "as_low": self.as_low, "as_high": self.as_high,
            "abs_as_mean": self.abs_as_mean, "is_mean": self.is_mean,
            "p_adjusted": self.p_adjusted, "directed_mean": self.directed_mean,
            "contrast_mean": self.contrast_mean, "contrast_p_adjusted": self.contrast_p_adjusted,
            "foreign_decided": self.foreign_decided, "detectable": self.detectable,
            "verdict": self.verdict, "accuracy": self.accuracy, "stratum": self.stratum,
            "feasible_image_score_deg": self.feasible_image_score_deg,
        }  # fmt: skip


def class_table(scored: ScoredSet) -> tuple[ClassRow, ...]:
    """Return one row per class of the set, in ImageNet-1k order.

    Raises:
        SingError: the scores or the class names cannot be read.
    """
    labels = scored.bench.vocabulary(scored.reference).labels
    found = scored.ask(_BY_CLASS)
    columns = {name: found[name].to_numpy(zero_copy_only=False) for name in found.column_names}
    spread = {name: columns[name].astype(np.float64) for name in ("as_sd", "directed_sd")}
    low, high, _ = student(columns["as_mean"], spread["as_sd"], columns["n"])
    _, _, p = student(columns["directed_mean"], spread["directed_sd"], columns["n"])
    q = adjusted(p)
    names = _names(scored)
    accuracy = _accuracy(scored)
    return tuple(
        ClassRow(
            index=int(columns["label"][i]),
            label=labels[int(columns["label"][i])],
            wnid=str(columns["wnid"][i]),
            n=int(columns["n"][i]),
            as_mean=float(columns["as_mean"][i]),
            as_low=known(low[i]),
            as_high=known(high[i]),
            abs_as_mean=float(columns["abs_as_mean"][i]),
            is_mean=float(columns["is_mean"][i]),
            directed_mean=float(columns["directed_mean"][i]),
            p=known(p[i]),
            p_adjusted=known(q[i]),
            contrast_mean=float(names.mean[i]),
            contrast_p_adjusted=known(names.p[i]),
            foreign_decided=known(names.foreign_decided[i]),
            accuracy=accuracy.get(int(columns["label"][i])),
            stratum=str(columns["stratum"][i]),
            detectable=known(names.detectable[i]),
            feasible_image_score_deg=known(columns["feasible_mean"][i]),
        )
        for i in range(len(found))
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Names:
    """The names of ``c`` classes beside those of others: four columns ``(c,)`` of ``ClassRow``."""

    mean: Floats
    p: Floats
    foreign_decided: Floats
    detectable: Floats


def _names(scored: ScoredSet) -> _Names:
    """Return how each class's own name stands among others, in the order of the classes.

    Raises:
        StaleArtefactError: the score file is damaged.
    """
    asked = scored.ask(_NAMES)
    label, own = (asked[name].to_numpy() for name in ("label", "contrast_deg"))
    found = among_names(own, drawn(asked["foreign_contrasts_deg"]), label)
    foreign = np.column_stack([adjusted(p) for p in found.foreign_p.T])
    tested = np.isfinite(foreign)
    with np.errstate(invalid="ignore"):
        share = (foreign <= FALSE_DISCOVERY_RATE).sum(axis=1) / tested.sum(axis=1)
    return _Names(found.mean, adjusted(found.p), share, found.detectable)


def class_images(scored: ScoredSet, index: int) -> "list[dict[str, Any]]":
    """Return the scores of every image of class ``index``, degrees.

    Raises:
        SingError: the scores cannot be read.
    """
    labels = names_of(scored.bench.classifier(scored.model))
    rows: list[dict[str, Any]] = scored.ask(_OF_CLASS, [index]).to_pylist()
    return [{**row, "top1": labels[row["top1"]]} for row in rows]


def _accuracy(scored: ScoredSet) -> dict[int, float]:
    """Return class -> share of its images whose first class is the head's own of that meaning.

    Raises:
        SingError: the scores, or the mapping of the head's classes, cannot be read.
    """
    meant = mapping_of(scored.bench.settings, scored.bench.classifier(scored.model))
    found: dict[int, list[int]] = {}
    for row in scored.ask(_DECISIONS).to_pylist() if meant else ():
        label = row["label"]
        if meant and label in meant:
            right, total = found.setdefault(label, [0, 0])
            found[label] = [right + row["n"] * (row["top1"] == meant[label]), total + row["n"]]
    return {label: right / total for label, (right, total) in found.items()}


def find_class(scored: ScoredSet, name: str) -> int:
    """Return the index of a class by its label or wnid.

    Raises:
        ImageSetError: the set has no such class.
    """
    for row in class_table(scored):
        if name in (row.label, row.wnid):
            return row.index
    raise ImageSetError(
        f"The set {scored.folder.facts.name} has no class “{name[:80]}”; see `classes`."
    )


def known(value: float) -> float | None:
    """Return a number, or None for what is not one (JSON has no NaN)."""
    return float(value) if np.isfinite(value) else None
