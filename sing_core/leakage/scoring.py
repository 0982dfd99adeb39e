"""Features to scores, many images at once: null removal, towards each image's own class (eqs. 7-9).

Removing a null part also shortens the feature, and that alone turns it, a little, towards whatever
it is near to: AS is then not 0 on average although nothing is hidden. So AS is split. Were the null
part to point the other way, ``z- = 2 T(f~) - T(f)``, the shortening would be the same and what the
direction adds would change its sign: ``directed = (angle(z, t) - angle(z-, t)) / 2`` is 0 on
average for a null part that points nowhere, however long it is.

A null part may point somewhere without any regard to the image's class, and is then directed
towards or away from every name. What concerns the class is the *contrast*: the directed part
towards the class's own name minus its mean over the names of all classes. The same of the names of
other classes says what a name has that has nothing to do with the class.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from sing_core.maths.controls import ControlScores, RandomSubspaces
from sing_core.maths.feature_map import RowMap
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.scores import angle_deg, angle_table
from sing_core.maths.translator import Translator

FOREIGN_NAMES = 25  # of other classes, for every class
_FOREIGN_SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Features without their null part, translated, and the proof that they are equivalent.

    ``n`` images, ``d`` embedding dimensions.

    Attributes:
        z: ``(n, d)`` T(f), float64.
        z_equivalent: ``(n, d)`` T(f - Pi_n f), float64.
        removed_length: ``(n,)`` ``|Pi_n f|``.
        null_energy: ``(n,)`` ``|Pi_n f| / |f|``, 0 to 1.
        top1: ``(n,)`` class of the largest logit.
        max_abs_logit: ``(n,)``; ``max_logit_drift`` ``(n,)`` largest difference of a pair's logits;
            ``drift_budget`` ``(n,)`` what that may be.
    """

    z: Tensor
    z_equivalent: Tensor
    removed_length: Tensor
    null_energy: Tensor
    top1: Tensor
    max_abs_logit: Tensor
    max_logit_drift: Tensor
    drift_budget: Tensor

    @classmethod
    def of(cls, features: Tensor, linear: LinearHead, translator: RowMap) -> "Pairs":
        """Remove the null parts of ``features`` ``(n, m)`` and translate both.

        Raises:
            ShapeError: head or translator are of another width.
        """
        single = features.float()
        removed = linear.head.remove_null(single)
        before, after = linear.logits(single), linear.logits(removed)
        inside = torch.linalg.vector_norm(single.double() - removed.double(), dim=-1)
        length = torch.linalg.vector_norm(single.double(), dim=-1)
        largest = before.abs().amax(dim=-1)
        return cls(
            z=translator.apply(single),
            z_equivalent=translator.apply(removed),
            removed_length=inside,
            null_energy=inside / length.clamp_min(1e-300),
            top1=before.argmax(dim=-1),
            max_abs_logit=largest,
            max_logit_drift=(after - before).abs().amax(dim=-1),
            drift_budget=linear.drift_budget * largest,
        )

    @property
    def sound(self) -> Tensor:
        """``(n,)`` whether the pair may be scored: finite, not zero, and within the drift budget.

        A drift above the head's budget means that the two are not equivalent.
        """
        lengths = [torch.linalg.vector_norm(v, dim=-1) for v in (self.z, self.z_equivalent)]
        usable = torch.stack([length.isfinite() & (length > 0) for length in lengths]).all(dim=0)
        return usable & (self.max_logit_drift <= self.drift_budget)

    def select(self, rows: Tensor) -> "Pairs":
        """Return the pairs at ``rows``: indices, or a mask ``(n,)``."""
        return Pairs(*(getattr(self, name)[rows] for name in self.__slots__))


@dataclass(frozen=True, slots=True, eq=False)
class Controls:
    """What a null space is held against: random subspaces, and directions that the head reads."""

    random: RandomSubspaces
    principal: RandomSubspaces

    def through(self, translator: Translator) -> "Controls":
        """Return the same subspaces and what another translator makes of them."""
        return Controls(self.random.through(translator), self.principal.through(translator))


def image_scores(
    features: Tensor, pairs: Pairs, own: Tensor, classes: Tensor, controls: Controls
) -> dict[str, Tensor]:
    """Return the columns of scores of ``n`` images, each ``(n,)``, degrees unless named otherwise.

    Those whose names end in ``_draws_deg`` are ``(n, k)``, one of ``k`` draws a column, and so is
    ``foreign_contrasts_deg``, one of ``k`` names of other classes a column.

    ``features`` ``(n, m)``; ``own`` ``(n,)`` each image's class; ``classes`` ``(c, d)`` the raw
    text embeddings of all classes.

    Raises:
        ZeroVectorError: a text is zero.
    """
    texts = classes.double()[own]
    attribute, directed = attribute_scores(pairs, texts)
    _, everywhere, towards = concept_scores(pairs, classes)
    average = towards.mean(dim=-1)
    return {
        "image_score_deg": angle_deg(pairs.z, pairs.z_equivalent),
        "attribute_score_deg": attribute,
        "directed_score_deg": directed,
        "average_score_deg": everywhere.mean(dim=-1),
        "contrast_deg": directed - average,
        "foreign_contrasts_deg": beside_all_names(towards, foreign_names(own, len(classes))),
        **_control_columns(controls, (features, pairs.z, pairs.removed_length, texts)),
        "null_energy": pairs.null_energy,
        "max_logit_drift": pairs.max_logit_drift.double(),
        "max_abs_logit": pairs.max_abs_logit.double(),
    }


def _control_columns(
    controls: Controls, asked: tuple[Tensor, Tensor, Tensor, Tensor]
) -> dict[str, Tensor]:
    """Return the columns of what the controls remove; ``asked`` see ``RandomSubspaces.score``."""
    random: ControlScores = controls.random.score(*asked)
    principal: ControlScores = controls.principal.score(*asked)
    return {
        "control_dim_image_score_deg": random.dim_image_score,
        "control_dim_abs_attribute_score_deg": random.dim_abs_attribute_score,
        "control_energy_image_score_deg": random.energy_image_score,
        "control_energy_abs_attribute_score_deg": random.energy_abs_attribute_score,
        "control_principal_image_score_deg": principal.energy_image_score,
        "control_principal_abs_attribute_score_deg": principal.energy_abs_attribute_score,
        "control_dim_abs_attribute_draws_deg": random.dim_draws,
        "control_energy_abs_attribute_draws_deg": random.energy_draws,
        "control_principal_abs_attribute_draws_deg": principal.energy_draws,
    }


def foreign_names(own: Tensor, count: int) -> Tensor:
    """Return other classes for each class of ``own`` ``(n,)``, ``(n, k)``, of ``count`` in all.

    The same for all images of a class, and every class is as often another one's: they lie at a
    distance, in the order of classes, that is drawn at random once.
    """
    generator = torch.Generator().manual_seed(_FOREIGN_SEED)
    apart = 1 + torch.randperm(max(count - 1, 0), generator=generator)[:FOREIGN_NAMES]
    return (own[:, None] + apart) % max(count, 1)


def beside_all_names(towards: Tensor, places: Tensor) -> Tensor:
    """Return the contrasts ``(n, k)`` of the names at ``places`` ``(n, k)``, degrees.

    ``towards`` ``(n, c)`` are the directed parts towards the names of all classes.
    """
    return towards.gather(1, places) - towards.mean(dim=-1, keepdim=True)


def directed_table(z: Tensor, z_equivalent: Tensor, texts: Tensor) -> Tensor:
    """Return the directed part of AS of each of ``n`` pairs to each of ``k`` texts, ``(n, k)``.

    Raises:
        ZeroVectorError: a text, or a translated feature, is zero.
    """
    return (angle_table(z, texts) - angle_table(2 * z_equivalent - z, texts)) / 2


def attribute_scores(pairs: Pairs, texts: Tensor) -> tuple[Tensor, Tensor]:
    """Return AS (eq. 7) and its directed part towards each image's text, ``(n,)`` degrees.

    ``texts`` ``(n, d)``, one per image.

    Raises:
        ZeroVectorError: a text is zero.
    """
    score = angle_deg(pairs.z, texts) - angle_deg(pairs.z_equivalent, texts)
    return score, directed(pairs.z, pairs.z_equivalent, texts)


def directed(z: Tensor, z_equivalent: Tensor, texts: Tensor) -> Tensor:
    """Return the directed part of AS towards each of ``n`` pairs' own text ``(n, d)``, ``(n,)``.

    Raises:
        ZeroVectorError: a text, or a translated feature, is zero.
    """
    return (angle_deg(z, texts) - angle_deg(2 * z_equivalent - z, texts)) / 2


def concept_scores(pairs: Pairs, texts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return angle of the original, AS, and directed AS to every text, each ``(n, k)`` degrees.

    ``texts`` ``(k, d)``, the same for all images.

    Raises:
        ZeroVectorError: a text is zero.
    """
    before, after = angle_table(pairs.z, texts), angle_table(pairs.z_equivalent, texts)
    turned = angle_table(2 * pairs.z_equivalent - pairs.z, texts)
    return before, before - after, (before - turned) / 2
