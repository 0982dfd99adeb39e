"""Kinds of images in a set, its strata: each by itself, or pooled and said to be so.

What holds of full photographs need not hold of small images, and a mean over both is of neither.
Hence every table of a set of several kinds says of which one it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sing_core.errors import ImageSetError
from sing_core.leakage.scored_sets import ScoredSet, open_set, scored_models
from sing_core.maths.folds import OUTSIDE
from sing_core.maths.unseen import Unseen
from sing_core.models.registry import DEFAULT_REFERENCE, base_of, find_reference
from sing_core.models.workbench import Workbench
from sing_core.sets.catalogue import image_sets
from sing_core.sets.kinds import pooled

ALL = "all"
EACH = "each"
POOLED = "all (pooled)"
DIFFERS = "differs by kind of images"  # in place of a verdict about images of several kinds


@dataclass(frozen=True, slots=True)
class TookPart:
    """Which images of a set took part in what.

    Attributes:
        images: distinct ones.
        in_fit: of them, those that the translator was fitted on.
        cross_fitted: whether it is known which these are, and each of them is scored by a fit that
            did not see it.
        trained_reference: whether they trained the reference too; None where nobody said.
    """

    images: int
    in_fit: int
    cross_fitted: bool
    trained_reference: bool | None


def strata_of(scored: ScoredSet) -> tuple[str, ...]:
    """Return the kinds of its images in alphabetical order; none where they are of one kind.

    Raises:
        StaleArtefactError: the score file is damaged.
    """
    kinds = _kinds(replace(scored, stratum=""), "", None)
    return tuple(kinds) if len(kinds) > 1 else ()


def kind_of(scored: ScoredSet, label: int | None = None) -> str:
    """Return of which kind the images are, or those of the class ``label``.

    ``POOLED`` of several, "" where the set has names for none.

    Raises:
        StaleArtefactError: the score file is damaged.
    """
    where, given = ("", None) if label is None else ("WHERE label = ?", [label])
    return kind_among(_kinds(scored, where, given))


def kind_among(kinds: Iterable[str]) -> str:
    """Return the one kind that all are of: ``POOLED`` of several, "" of none or without a name."""
    found = set(kinds)
    return POOLED if len(found) > 1 else next(iter(found), "")


def said_of(stratum: str) -> str:
    """Return a sentence on the ``stratum`` of what is answered; "" where kinds have no names."""
    if stratum == POOLED:
        return "Images of several kinds are pooled: what holds of one need not hold of another."
    return f"All images that take part are of one kind: {stratum}." if stratum else ""


def _kinds(scored: ScoredSet, where: str, given: list[int] | None) -> list[str]:
    found = scored.ask(f"SELECT DISTINCT stratum FROM images {where} ORDER BY stratum", given)
    kinds: list[str] = found["stratum"].to_pylist()
    return kinds


def pooled_in(bench: Workbench, images: str) -> str:
    """Return in words which kinds are pooled where all images of a set take part.

    "" where there is no such set, nothing in it has a score, or all are of one kind.

    Raises:
        SingError: the scores cannot be read.
    """
    folders = {folder.facts.name: folder for folder in reversed(image_sets(bench.settings))}
    folder = folders.get(images)
    models = scored_models(bench, folder, DEFAULT_REFERENCE) if folder else ()
    if not models:
        return ""
    scored = open_set(bench, models[0], images=images)
    found = scored.ask("SELECT stratum, count(*) AS n FROM images GROUP BY stratum").to_pylist()
    return pooled({row["stratum"]: row["n"] for row in found})


def within(scored: ScoredSet, stratum: str) -> ScoredSet:
    """Return the same scores of one kind of images alone; "" or ``ALL`` pools them.

    Raises:
        ImageSetError: none of the images is of this kind.
        StaleArtefactError: the score file is damaged.
    """
    if stratum in ("", ALL):
        return scored
    kinds = strata_of(scored)
    if stratum not in kinds:
        there = f"There are: {', '.join(kinds)}." if kinds else "All are of one kind."
        name = scored.folder.facts.name
        raise ImageSetError(f"No image of the set {name} is a “{stratum[:80]}” here. {there}")
    return replace(scored, stratum=stratum)


def split(scored: ScoredSet, choice: str) -> tuple[ScoredSet, ...]:
    """Return the scores of one kind, of all pooled, or (``EACH``) of every kind and pooled.

    Raises:
        ImageSetError: see ``within``.
    """
    if choice != EACH:
        return (within(scored, choice),)
    return (*(within(scored, kind) for kind in strata_of(scored)), scored)


def took_part(scored: ScoredSet) -> TookPart:
    """Return which of the images took part in what.

    Raises:
        SingError: the scores or the translator cannot be read.
    """
    digests = scored.ask("SELECT digest FROM images")["digest"].to_pylist()
    translator = scored.bench.translator(scored.model, scored.reference)
    reference = find_reference(base_of(scored.reference), scored.bench.settings)
    return TookPart(
        images=len(digests),
        in_fit=int((Unseen.of(translator, digests).place != OUTSIDE).sum()),
        cross_fitted=translator.folds is not None,
        # Those that ship were trained on the images that their translators were fitted on.
        trained_reference=True if reference is not None and reference.ships else None,
    )
