"""One hidden direction of a prepared set: its text card, and the images at its two ends.

Half of the images make the direction. What it carries in the others, and which of them lie at its
ends, is then no property of having been chosen to fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from sing_core.errors import ImageSetError, UnitsError
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.head_variants import WHOLE_HEAD, HeadVariant, nothing_hidden
from sing_core.maths.sparse_texts import Report
from sing_core.maths.text_span import text_span
from sing_core.maths.translator import Translator
from sing_core.models.workbench import Workbench
from sing_core.units.component_table import (
    LOOKED_AT,
    ComponentTable,
    component_table,
    hidden_shares,
)
from sing_core.units.direction_words import card_sentence
from sing_core.units.directions import (
    FEWEST_IMAGES,
    Card,
    HiddenDirection,
    RandomBand,
    centred_texts,
    direction_card,
    null_component,
    null_components,
    null_difference,
    random_band,
)
from sing_core.units.ends import EndImage, ends_of
from sing_core.units.set_part import SetPart, halves, joined, part_of_set

SPAN = 60  # TextSpan's texts, as many as the thesis gives a head


@dataclass(frozen=True, slots=True)
class AskedDirection:
    """Which direction is asked for.

    Attributes:
        images: name of the prepared set; ``model`` the classifier, ``reference`` whose words.
        variant: whose null space.
        class_name: the class that is looked at; "" for all images of the set.
        against: a second class: the direction is then the difference of the two classes' means.
        component: without one, which principal component, from 1.
    """

    images: str
    model: str
    reference: str
    variant: HeadVariant = WHOLE_HEAD
    class_name: str = ""
    against: str = ""
    component: int = 1


@dataclass(frozen=True, slots=True)
class SetDirection:
    """What one hidden direction of a set says.

    Attributes:
        card: its texts, or that words are refused, and the curve.
        top: images most along it, the outermost first; ``bottom`` those least along it. None of
            them made it.
        elsewhere: of those images, the share of the hidden variance along a component, or of a
            difference's squared length.
        shared: how many of the card's texts are among the ``SPAN`` that TextSpan names for the
            hidden part of the same images; None where words are refused.
        sentence: what it says, with magnitudes.
    """

    card: Card
    top: tuple[EndImage, ...]
    bottom: tuple[EndImage, ...]
    elsewhere: float
    shared: int | None
    sentence: str

    def agreement(self, pool: int) -> str:
        """Return how far TextSpan names the same out of ``pool`` texts; "" without words."""
        if self.shared is None:
            return ""
        few = len(self.card.words)
        return (
            f"Of its {few} texts {self.shared} are among the {SPAN} that TextSpan names for the "
            f"hidden part of the same images; by chance it would be {few * SPAN / pool:.1f}."
        )


def check_asked(bench: Workbench, asked: AskedDirection) -> None:
    """Refuse a direction that there is none of; that needs no text and no random direction.

    Component 0 is any of them.

    Raises:
        SingError: see ``direction_of_set``.
    """
    head, _ = _head_of(bench, asked)
    _made(bench, replace(asked, component=max(asked.component, 1)), head)


def band_of(
    bench: Workbench,
    asked: AskedDirection,
    embeddings: Tensor,
    *,
    report: Report = lambda done, total: None,
) -> RandomBand:
    """Return what texts leave of random directions: the same for every direction of a head.

    ``report`` hears how many of how many texts were taken.

    Raises:
        ImageSetError: the head hides nothing.
        SingError: something named cannot be loaded.
    """
    head, translator = _head_of(bench, asked)
    return random_band(head, translator, centred_texts(embeddings), report=report)


def components_of_set(
    bench: Workbench,
    asked: AskedDirection,
    embeddings: Tensor,
    band: RandomBand,
    *,
    count: int = LOOKED_AT,
    report: Report = lambda done, total: None,
) -> ComponentTable:
    """Return which of the first ``count`` components have words; ``asked`` names none of them.

    ``embeddings`` ``(M, d)`` and ``band`` as in ``direction_of_set``; ``report`` hears how many of
    how many texts were taken.

    Raises:
        ImageSetError: there is no such set or class, or the head hides nothing.
        UnitsError: there are too few images.
        SingError: something named cannot be loaded.
    """
    head, translator = _head_of(bench, asked)
    part = part_of_set(bench, asked.images, asked.model, asked.class_name)
    made, others = _halves(part)
    found = null_components(made.features, head, count)
    return component_table(
        found, others.features, head, translator, centred_texts(embeddings), band,
        f"{bench.entry(asked.model).title} cannot see of {part.where}", report=report,
    )  # fmt: skip


def direction_of_set(
    bench: Workbench,
    asked: AskedDirection,
    texts: Sequence[str],
    embeddings: Tensor,
    band: RandomBand,
    *,
    size: int = 8,
) -> SetDirection:
    """Return the card of a direction; ``embeddings`` ``(M, d)`` are those of ``texts``.

    ``band`` is that of the same embeddings, see ``band_of``.

    Raises:
        ImageSetError: there is no such set or class, or the head hides nothing.
        UnitsError: there is no such direction, or too few images to have one.
        SingError: something named cannot be loaded.
    """
    head, translator = _head_of(bench, asked)
    made = _made(bench, asked, head)
    card = direction_card(
        made.found.vector, translator, texts, centred_texts(embeddings), band, size=size
    )
    shared = None
    if card.words:
        rows = translator.linear(head.null_part(made.of.features))
        spanned = {texts[place] for place in text_span(rows, embeddings, SPAN).chosen}
        shared = sum(word.text in spanned for word in card.words)
    top, bottom = ends_of(made.others, made.found.vector)
    said = f"{card_sentence(card, made.what)} {_magnitude(made, asked)}"
    return SetDirection(card, top, bottom, made.elsewhere, shared, said)


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """A direction, the images ``of`` which it is and the ``others``, and what it is in words."""

    found: HiddenDirection
    of: SetPart
    others: SetPart
    elsewhere: float
    what: str


def _head_of(bench: Workbench, asked: AskedDirection) -> tuple[HeadDecomposition, Translator]:
    classifier = bench.deciding(asked.model, asked.variant)
    if classifier.linear.head.nullity == 0:
        raise ImageSetError(nothing_hidden(classifier.entry.title, classifier.entry.feature_dim))
    return classifier.linear.head, bench.translator(asked.model, asked.reference)


def _made(bench: Workbench, asked: AskedDirection, head: HeadDecomposition) -> _Made:
    """Return the direction that is asked for, made from half of the images."""
    first = part_of_set(bench, asked.images, asked.model, asked.class_name)
    if asked.against:
        return _difference(bench, asked, head, first)
    title = bench.entry(asked.model).title
    what = f"component {asked.component} of what {title} cannot see of {first.where}"
    of, others = _halves(first)
    found = null_component(of.features, head, asked.component)
    elsewhere = float(hidden_shares(found.vector[None], others.features, head))
    return _Made(found, of, others, elsewhere, what)


def _difference(
    bench: Workbench, asked: AskedDirection, head: HeadDecomposition, first: SetPart
) -> _Made:
    if not asked.class_name:
        raise UnitsError("A difference is of two classes: name the first one too.")
    second = part_of_set(bench, asked.images, asked.model, asked.against)
    if {row.wnid for row in first.images} == {row.wnid for row in second.images}:
        raise UnitsError("A class does not differ from itself: name another one.")
    (of, others), (of_second, others_second) = _halves(first), _halves(second)
    found = null_difference(of.features, of_second.features, head)
    means = (part.features.double().mean(dim=0) for part in (others, others_second))
    apart = next(means) - next(means)
    elsewhere = float((apart @ found.vector).square() / apart.square().sum().clamp_min(1e-300))
    title = bench.entry(asked.model).title
    what = f"what {title} cannot see of how {first.where} differs from {second.where}"
    both, rest = joined((of, of_second)), joined((others, others_second))
    return _Made(found, both, rest, elsewhere, what)


def _halves(part: SetPart) -> tuple[SetPart, SetPart]:
    """Return the images that make a direction, and those that show it.

    Raises:
        UnitsError: there are too few of them.
    """
    of, others = halves(part)
    if min(len(of.images), len(others.images)) < FEWEST_IMAGES:
        raise UnitsError(
            f"Half of the images make a direction and the others show its two ends: of "
            f"{part.where} there are too few, at least {2 * FEWEST_IMAGES} are needed."
        )
    return of, others


def _magnitude(made: _Made, asked: AskedDirection) -> str:
    """Return how much of the images it carries: of those that made it, and of the others."""
    share, again = (f"{100 * value:.1f} %" for value in (made.found.share, made.elsewhere))
    of, others = len(made.of.images), len(made.others.images)
    if asked.against:
        return (
            f"{share} of the squared length of that difference is hidden, in the {of:,} images "
            f"that made it; in the {others:,} others {again} lies along it."
        )
    return (
        f"It carries {share} of what varies there in the {of:,} images that made it, and {again} "
        f"in the {others:,} others."
    )
