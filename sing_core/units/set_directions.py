"""One hidden direction of a prepared set: its text card, and the images at its two ends."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sing_core.errors import ImageSetError, UnitsError
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.head_variants import WHOLE_HEAD, HeadVariant, nothing_hidden
from sing_core.maths.text_span import text_span
from sing_core.maths.translator import Translator
from sing_core.models.imagenet import imagenet_labels, imagenet_places
from sing_core.models.workbench import Workbench
from sing_core.sets.chunks import ImageRow
from sing_core.units.directions import (
    Card,
    HiddenDirection,
    RandomBand,
    centred_texts,
    direction_card,
    null_component,
    null_difference,
    random_band,
)
from sing_core.units.set_part import SetPart, part_of_set

ENDS = 6
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
class EndImage:
    """An image at an end of a direction.

    Attributes:
        image: it.
        label: its class; "" where it is none of ImageNet-1k.
        score: ``<v, f>``, in units of the feature's norm.
    """

    image: ImageRow
    label: str
    score: float


@dataclass(frozen=True, slots=True)
class SetDirection:
    """What one hidden direction of a set says.

    Attributes:
        card: its texts, or that words are refused, and the curve.
        top: images along it, the farthest out first; ``bottom`` those at the other end.
        shared: how many of the card's texts are among the ``SPAN`` that TextSpan names for the
            hidden part of the same images; None where words are refused.
        sentence: what it says, with magnitudes.
    """

    card: Card
    top: tuple[EndImage, ...]
    bottom: tuple[EndImage, ...]
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

    Raises:
        SingError: see ``direction_of_set``.
    """
    head, _ = _head_of(bench, asked)
    _direction(bench, asked, head)


def band_of(bench: Workbench, asked: AskedDirection, embeddings: Tensor) -> RandomBand:
    """Return what texts leave of random directions: the same for every direction of a head.

    Raises:
        ImageSetError: the head hides nothing.
        SingError: something named cannot be loaded.
    """
    head, translator = _head_of(bench, asked)
    return random_band(head, translator, centred_texts(embeddings))


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
    part, found, what = _direction(bench, asked, head)
    card = direction_card(
        found.vector, translator, texts, centred_texts(embeddings), band, size=size
    )
    shared = None
    if card.words:
        rows = translator.linear(head.null_part(part.features))
        spanned = {texts[place] for place in text_span(rows, embeddings, SPAN).chosen}
        shared = sum(word.text in spanned for word in card.words)
    top, bottom = _ends(part, found.vector)
    said = f"{_says(card, what)} {_magnitude(found, asked)}"
    return SetDirection(card, top, bottom, shared, said)


def _head_of(bench: Workbench, asked: AskedDirection) -> tuple[HeadDecomposition, Translator]:
    classifier = bench.deciding(asked.model, asked.variant)
    if classifier.linear.head.nullity == 0:
        raise ImageSetError(nothing_hidden(classifier.entry.title, classifier.entry.feature_dim))
    return classifier.linear.head, bench.translator(asked.model, asked.reference)


def _direction(
    bench: Workbench, asked: AskedDirection, head: HeadDecomposition
) -> tuple[SetPart, HiddenDirection, str]:
    """Return the images that a direction is of, itself, and what it is in words."""
    first = part_of_set(bench, asked.images, asked.model, asked.class_name)
    if not asked.against:
        what = f"component {asked.component} of what {asked.model} cannot see of {first.where}"
        return first, null_component(first.features, head, asked.component), what
    if not asked.class_name:
        raise UnitsError("A difference is of two classes: name the first one too.")
    second = part_of_set(bench, asked.images, asked.model, asked.against)
    if {row.wnid for row in first.images} == {row.wnid for row in second.images}:
        raise UnitsError("A class does not differ from itself: name another one.")
    both = SetPart(torch.cat([first.features, second.features]), first.images + second.images, "")
    what = f"what {asked.model} cannot see of how {first.where} differs from {second.where}"
    return both, null_difference(first.features, second.features, head), what


def _ends(part: SetPart, vector: Tensor) -> tuple[tuple[EndImage, ...], tuple[EndImage, ...]]:
    along = (part.features.double() @ vector).tolist()
    order = sorted(range(len(along)), key=lambda place: (-along[place], place))
    count = min(ENDS, len(order) // 2)
    labels, places = imagenet_labels(), imagenet_places()

    def end(place: int) -> EndImage:
        row = part.images[place]
        label = labels[places[row.wnid]] if row.wnid in places else ""
        return EndImage(row, label, along[place])

    top, bottom = order[:count], order[len(order) - count :][::-1]
    return tuple(map(end, top)), tuple(map(end, bottom))


def _says(card: Card, what: str) -> str:
    """Return what a card says of ``what``, or why it gives no words."""
    many, left = len(card.unexplained) - 1, 100 * card.unexplained[-1]
    chance = f"{100 * card.band.low[-1]:.1f} to {100 * card.band.high[-1]:.1f} %"
    if card.is_refused:
        return (
            f"There are no words for {what}: {many} texts leave {left:.1f} % of its length "
            f"unexplained, and of random directions of the same null space {chance}. Texts "
            "describe it no better than a direction drawn at random."
        )
    towards = [f"“{word.text}”" for word in card.words if word.coefficient > 0][:2]
    away = [f"“{word.text}”" for word in card.words if word.coefficient < 0][:2]
    led = [
        f"{how} {' and '.join(named)}"
        for how, named in (("towards", towards), ("away from", away))
        if named
    ]
    few = len(card.words)
    return (
        f"{what[0].upper()}{what[1:]} leads {' and '.join(led)}: {few} "
        f"text{'' if few == 1 else 's'} leave{'s' if few == 1 else ''} "
        f"{100 * card.unexplained[few]:.0f} % of its length unexplained, {many} leave "
        f"{left:.1f} %, where random directions of the same null space are left {chance}."
    )


def _magnitude(found: HiddenDirection, asked: AskedDirection) -> str:
    share = f"{100 * found.share:.1f} %"
    if asked.against:
        return f"{share} of the squared length of that difference is hidden."
    return f"It carries {share} of what varies there."
