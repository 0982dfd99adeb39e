"""What a question about units needs: the tower, its head, and the way from its output to meaning.

Two kinds answer alike. A classifier's units add up to its feature; a translator leads on. A
reference's own units add up to its embedding: the identity leads on, and the texts of its classes
are its head (the null space of CLIP itself).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import normalize

from sing_core.errors import UnitsError
from sing_core.files.digests import content_key
from sing_core.maths.head_variants import WHOLE_HEAD, HeadVariant, deciding_part
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.translator import Translator
from sing_core.models.bench import Classifier
from sing_core.models.imagenet import imagenet_labels
from sing_core.models.prompts import Vocabulary
from sing_core.models.readings import find_centre
from sing_core.models.registry import ModelEntry, base_of, is_centred
from sing_core.models.workbench import Workbench
from sing_core.models.zero_shot import SCALE
from sing_core.units.layer_norm import Shares, Variant
from sing_core.units.towers import Tower, tower_of

# Where the whole head hides nothing, so many of the classes that it ranks first decide.
FEW_CLASSES = 16
TEXT_HEAD = "text head"


@dataclass(frozen=True, slots=True, eq=False)
class Inside:
    """A network whose units are asked about; ``o`` entries of output, ``d`` of the reference.

    Attributes:
        shares: from what units write to what they add to the output.
        prepare: a photo to ``(3, h, w)``.
        classifier: the whole head that reads the output.
        translator: of the output into the reference; the identity for its own tower.
        vocabulary: the reference's concepts.
        reference: its name, with its reading.
    """

    shares: Shares
    prepare: Callable[[Image.Image], Tensor]
    classifier: Classifier
    translator: Translator
    vocabulary: Vocabulary
    reference: str

    @property
    def tower(self) -> Tower:
        """Whose units these are."""
        return self.shares.tower

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes of the whole head."""
        return self.classifier.labels or self.vocabulary.labels[: self.vocabulary.n_classes]

    @property
    def side(self) -> int:
        """Side of the square that the network sees, in pixels."""
        return int(self.prepare(Image.new("RGB", (64, 64))).shape[-1])

    def variant_for(self, output: Tensor, asked: HeadVariant) -> HeadVariant:
        """Return ``asked``, or the likeliest classes of ``output`` ``(o,)`` where nothing hides.

        A head that reads every direction has no null space: then the sixteen classes that it ranks
        first decide. So they do where the head is the reference's own words: what all of them
        leave out no text at all can name, since texts fill fewer dimensions than images.
        """
        hides = self.classifier.linear.head.nullity > 0 and not self.is_own
        if asked != WHOLE_HEAD or hides:
            return asked
        logits = self.logits(output)
        count = min(FEW_CLASSES, max(2, output.shape[0] // 2))
        return HeadVariant(tuple(sorted(logits.topk(count).indices.tolist())))

    def logits(self, output: Tensor) -> Tensor:
        """Return the logits ``(c,)`` of an output ``(o,)``; zero-shot ones are of its direction."""
        seen = normalize(output.float(), dim=-1) if self.is_own else output
        return self.classifier.linear.logits(seen)

    @property
    def is_own(self) -> bool:
        """Whether these are the reference's own units, and its words the head."""
        return self.classifier.entry.architecture == TEXT_HEAD

    def deciding(self, variant: HeadVariant) -> LinearHead:
        """Return the part of the head that decides under ``variant``.

        Raises:
            HeadError: the head has no such variant.
        """
        whole = self.classifier.linear
        return whole if variant == WHOLE_HEAD else deciding_part(whole, variant)


def open_inside(
    bench: Workbench,
    reference: str,
    model: str = "",
    *,
    variant: Variant = "shared",
    side: int | None = None,
) -> Inside:
    """Open a classifier by its name, or, without one, the reference's own image side.

    ``side`` shows it whole photos as squares of so many pixels instead of what it was trained on.

    Raises:
        UnitsError: it is no transformer whose output is a sum of units.
        SingError: something named does not exist or cannot be loaded.
    """
    vocabulary = bench.vocabulary(reference)
    if model:
        backbone = bench.pool.backbone(model)
        tower = tower_of(backbone, side)
        translator = bench.translator(model, reference)
        classifier = bench.classifier(model)
        sight = backbone.sight
        prepare = backbone.preprocess
        if side is not None:
            prepare = whole_squares(side, sight.mean, sight.std)
        shares = Shares(tower, variant)
        return Inside(shares, prepare, classifier, translator, vocabulary, reference)
    raw = bench.pool.raw_reference(reference)
    tower = tower_of(raw, side)
    classifier = _text_head(bench, reference)
    translator = _identity(bench, reference, classifier.linear.weight.shape[1], raw.space_id)
    visual = raw.model.visual
    prepare = raw.preprocess
    if side is not None:
        prepare = whole_squares(side, visual.image_mean, visual.image_std)
    return Inside(Shares(tower, variant), prepare, classifier, translator, vocabulary, reference)


def whole_squares(
    side: int, mean: Sequence[float], spread: Sequence[float]
) -> Callable[[Image.Image], Tensor]:
    """Return what makes ``(3, side, side)`` of a whole RGB photo, squeezed: nothing is cut off."""
    centre, scale = (torch.tensor(values)[:, None, None] for values in (mean, spread))

    def prepare(photo: Image.Image) -> Tensor:
        small = photo.convert("RGB").resize((side, side), Image.Resampling.BICUBIC)
        pixels = torch.from_numpy(np.array(small)).permute(2, 0, 1).float() / 255
        return (pixels - centre) / scale

    return prepare


def _text_head(bench: Workbench, reference: str) -> Classifier:
    """Return the texts of ImageNet's classes as a head: CLIP's zero-shot logits, up to length."""
    raw = bench.vocabulary(base_of(reference))
    texts = raw.embeddings[: raw.n_classes]
    labels = tuple(imagenet_labels())
    linear = LinearHead.from_weight(SCALE * normalize(texts.float(), dim=-1))
    entry = ModelEntry(
        name=base_of(reference),
        title=f"{base_of(reference)} with its own words as head",
        architecture=TEXT_HEAD,
        source=base_of(reference),
        licence="that of the reference",
        weights_digest=content_key(raw.space_id, "text head"),
        feature_dim=linear.weight.shape[1],
        nullity=linear.head.nullity,
        classes=len(labels),
    )
    return Classifier(entry, linear, labels)


def _identity(bench: Workbench, reference: str, dim: int, raw_space: str) -> Translator:
    plain = Translator(torch.eye(dim), torch.zeros(dim), base_of(reference), "", raw_space)
    if not is_centred(reference):
        return plain
    return find_centre(base_of(reference), raw_space, bench.settings).translator(plain)


def check_head(inside: Inside, layer: int, head: int) -> None:
    """Check that there is a head of this number in this layer.

    Raises:
        UnitsError: there is none.
    """
    tower = inside.tower
    if not (0 <= layer < len(tower.layers) and 0 <= head < tower.heads):
        raise UnitsError(
            f"There is no head {head} in layer {layer}: {tower.name} has layers 0 to "
            f"{len(tower.layers) - 1} with heads 0 to {tower.heads - 1}."
        )


def unit_index(inside: Inside, name: str) -> int:
    """Return the place of a unit among ``Tower.unit_names``; upper and lower case are the same.

    Raises:
        UnitsError: there is none of this name.
    """
    names = [known.casefold() for known in inside.tower.unit_names]
    if name.casefold() not in names:
        raise UnitsError(
            f"“{name[:40]}” is no unit: heads are called L0.H0 to "
            f"L{len(inside.tower.layers) - 1}.H{inside.tower.heads - 1}, MLPs L0.MLP and so on."
        )
    return names.index(name.casefold())
