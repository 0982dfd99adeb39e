"""Is the null space null? Spectrum, and logits under perturbations of matched norm (suppl. 2).

All arithmetic here is float64: what is left of a null perturbation is the rounding of the split,
not that of the network's own float32 head (which Explore measures on every pair).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor

from sing_core.errors import ShapeError, WeightsUnavailableError, ZeroVectorError
from sing_core.files.images import Photo
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.scores import angle_deg
from sing_core.maths.translator_quality import per_image
from sing_core.maths.unseen import Unseen
from sing_core.models.bench import Classifier
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.models.workbench import Workbench
from sing_core.sets.chunks import ImageRow
from sing_core.studies.moved import MEASURES, Moved

KINDS = ("null", "random", "class_row")


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Singular values of a head and where its rank is cut.

    Attributes:
        singular_values: descending, logits per unit of feature norm; ``min(c, m)`` of them.
        feature_dim: m; ``rank`` r; ``nullity`` m - r.
        threshold: singular values at most this large count as zero.
    """

    singular_values: tuple[float, ...]
    feature_dim: int
    rank: int
    nullity: int
    threshold: float


@dataclass(frozen=True, slots=True)
class Perturbations:
    """What perturbations of one norm per image move (Fig. 9), tuples of one length.

    Attributes:
        names: the images.
        norms: length of the perturbations, that of the image's own null part.
        null: of a null perturbation; ``random`` of an isotropic one; ``class_row`` along the row of
            W of the predicted class, which the head reads most (the paper's principal one).
        sentence: why there are none, else empty.
    """

    names: tuple[str, ...]
    norms: tuple[float, ...]
    null: Moved
    random: Moved
    class_row: Moved
    sentence: str = ""

    def of(self, kind: str) -> Moved:
        """Return what the steps of one of ``KINDS`` move."""
        return {"null": self.null, "random": self.random, "class_row": self.class_row}[kind]


@dataclass(frozen=True, slots=True)
class Validation:
    """What the Validate page shows of one classifier on a set of images.

    Attributes:
        model: the classifier; ``reference`` the image-text space.
        spectrum: of its head.
        perturbations: of the images' features.
        cosine: between translated feature and the reference's own embedding, one per image.
        no_translator: why there are no cosines, else empty.
        no_photos: why there are none although there is a translator, else empty.
        kinds: of which kind each image is; empty in a set of one kind, and of photos.
    """

    model: str
    reference: str
    spectrum: Spectrum
    perturbations: Perturbations
    cosine: tuple[float, ...]
    no_translator: str = ""
    no_photos: str = ""
    kinds: tuple[str, ...] = ()

    @property
    def counted(self) -> dict[str, int]:
        """How many images are of each kind."""
        return dict(sorted(Counter(self.kinds).items()))

    def of_kind(self, kind: str, step: str) -> Moved:
        """Return what the steps ``step``, one of ``KINDS``, move in the images of one kind."""
        places = [place for place, own in enumerate(self.kinds) if own == kind]
        return self.perturbations.of(step).of(places)


def validate(
    bench: Workbench,
    photos: Sequence[tuple[str, Photo]],
    *,
    model: str,
    reference: str = DEFAULT_REFERENCE,
    seed: int = 0,
) -> Validation:
    """Return spectrum, perturbations and translator cosines for named photos.

    Without a translator there are no cosines; the rest needs none.

    Raises:
        SingError: something named does not exist, cannot be loaded or does not fit; or there is
            no photo.
    """
    if not photos:
        raise ShapeError("Validation needs at least one image.")
    classifier = bench.classifier(model)
    features = torch.stack([bench.features(model, photo) for _, photo in photos])
    cosine, no_translator, unseen = (), "", None
    try:
        translator = bench.translator(model, reference)
    except WeightsUnavailableError as error:
        no_translator = str(error)
    else:
        space = bench.pool.reference(reference)
        embedded = torch.cat([space.embed_images([photo.image]) for _, photo in photos])
        unseen = Unseen.of(translator, [photo.digest for _, photo in photos])
        cosine = tuple(per_image(unseen, features, embedded).cosine.tolist())
    return Validation(
        model,
        reference,
        spectrum(classifier.linear.head),
        perturb(classifier, features, [name for name, _ in photos], seed=seed, translator=unseen),
        cosine,
        no_translator,
    )


def validate_set(
    bench: Workbench,
    parts: Iterable[tuple[Sequence[ImageRow], Tensor]],
    *,
    model: str,
    reference: str = DEFAULT_REFERENCE,
    seed: int = 0,
    kind_of: Callable[[str], str] = lambda name: "",
) -> Validation:
    """Return spectrum and perturbations for stored features, of which ``parts`` yields some rows.

    ``kind_of`` tells the kind of an image by its name, "" in a set of one. A set of any size: one
    part is looked at after the other. There are no cosines, for what the reference makes of the
    photos themselves is not stored.

    Raises:
        SingError: something named does not exist, cannot be loaded or does not fit; or there is
            no image.
    """
    classifier, translator, no_translator = bench.classifier(model), None, ""
    try:
        translator = bench.translator(model, reference)
    except WeightsUnavailableError as error:
        no_translator = str(error)
    found = []
    for place, (images, features) in enumerate(parts):
        unseen = None
        if translator is not None:
            unseen = Unseen.of(translator, [image.digest for image in images])
        names = [image.name for image in images]
        found.append(perturb(classifier, features, names, seed=seed + place, translator=unseen))
    if not found:
        raise ShapeError("Validation needs at least one image.")
    whole = spectrum(classifier.linear.head)
    joined = _joined(found)
    kinds = tuple(map(kind_of, joined.names))
    kinds = kinds if any(kinds) else ()
    return Validation(model, reference, whole, joined, (), no_translator, _NO_PHOTOS, kinds)


def _joined(found: Sequence[Perturbations]) -> Perturbations:
    """Return the perturbations of several parts as those of all their images."""
    names = tuple(chain.from_iterable(one.names for one in found))
    norms = _row(one.norms for one in found)
    null, random, class_row = (
        Moved(*(_row(getattr(one.of(kind), name) for one in found) for name in MEASURES))
        for kind in KINDS
    )
    return Perturbations(names, norms, null, random, class_row, found[0].sentence)


def _row(parts: Iterable[tuple[float, ...]]) -> tuple[float, ...]:
    return tuple(chain.from_iterable(parts))


_NO_PHOTOS = (
    "A prepared set holds features alone: how near their translation comes to what the reference "
    "makes of the photos themselves can be asked of photos."
)


def spectrum(head: HeadDecomposition) -> Spectrum:
    """Return the singular values of a head with its rank cut."""
    return Spectrum(
        tuple(head.singular_values.tolist()),
        head.rank + head.nullity,
        head.rank,
        head.nullity,
        head.rtol * float(head.singular_values[0]),
    )


def perturb(
    classifier: Classifier,
    features: Tensor,
    names: Sequence[str],
    *,
    seed: int = 0,
    translator: Unseen | None = None,
) -> Perturbations:
    """Perturb every feature ``(n, m)`` in three ways by the length of its own null part.

    The null perturbation has a random direction of the null space, the random one any direction,
    the last one that of the predicted class's row of W. With a ``translator`` of the images, how
    far each step moves the meaning is measured beside the logits.

    Raises:
        ShapeError: there are not as many names as features, or the widths do not fit.
    """
    if features.ndim != 2 or len(names) != len(features):
        raise ShapeError(f"Names and features must pair up, got {len(names)} and {features.shape}.")
    head = classifier.linear.head
    if head.nullity == 0:
        nothing = (Moved(), Moved(), Moved())
        return Perturbations(tuple(names), (), *nothing, _no_null_space(classifier))
    wide, weight = features.double(), classifier.linear.weight.double()
    norms = torch.linalg.vector_norm(head.null_part(wide), dim=-1)
    logits = wide @ weight.mT + classifier.linear.bias.double()
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(2, *wide.shape, generator=generator, dtype=torch.float64)
    directions = {
        "null": head.null_part(noise[0]),
        "random": noise[1],
        "class_row": weight[logits.argmax(dim=-1)],
    }
    found = {
        kind: _moved(wide, logits, classifier, _of_length(direction, norms), translator)
        for kind, direction in directions.items()
    }
    return Perturbations(
        tuple(names), tuple(norms.tolist()), found["null"], found["random"], found["class_row"]
    )


def _of_length(directions: Tensor, lengths: Tensor) -> Tensor:
    own = torch.linalg.vector_norm(directions, dim=-1, keepdim=True)
    if bool((own == 0).any()):
        raise ZeroVectorError("A perturbation has no direction: a row of the head is zero.")
    scaled: Tensor = directions / own * lengths[:, None]
    return scaled


def _moved(
    features: Tensor, logits: Tensor, classifier: Classifier, steps: Tensor, unseen: Unseen | None
) -> Moved:
    linear = classifier.linear
    after = (features + steps) @ linear.weight.double().mT + linear.bias.double()
    change = torch.linalg.vector_norm(after - logits, dim=-1)
    relative = change / torch.linalg.vector_norm(logits, dim=-1)
    degrees = (
        () if unseen is None
        else angle_deg(unseen.apply(features), unseen.apply(features + steps)).tolist()
    )  # fmt: skip
    return Moved(tuple(relative.tolist()), tuple(change.tolist()), tuple(degrees))


def _no_null_space(classifier: Classifier) -> str:
    rank = classifier.linear.head.rank
    return (
        f"{classifier.entry.title} has no null space: its head reads all {rank} feature "
        "directions, so there is no null perturbation to compare."
    )
