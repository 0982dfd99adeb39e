"""Frozen results that pages and command line show: plain numbers, the unit in the name."""

from dataclasses import dataclass

from sing_core.maths.head_variants import HeadVariant
from sing_core.studies.question import Mode, Question


@dataclass(frozen=True, slots=True)
class ClassScore:
    """One class of a prediction: label, logit and softmax probability (0 to 1)."""

    index: int
    label: str
    logit: float
    probability: float


@dataclass(frozen=True, slots=True)
class ConceptTrack:
    """The angle to one concept along a sweep.

    Attributes:
        label: what is shown; ``prompt`` is what was embedded.
        kind: ``class``, ``attribute`` or ``prompt`` (the person's own).
        angle_deg: one angle per epsilon, degrees; smaller is nearer.
    """

    label: str
    prompt: str
    kind: str
    angle_deg: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a wanted image score lies on the sweep.

    Attributes:
        image_score_deg: the wanted IS.
        reachable: whether a finite step reaches it: in null removal one that lies within it, in
            steering one at which float32 rounding keeps within the drift budget.
        index: its position in the sweep, None where not reachable.
        sentence: the same in words.
    """

    image_score_deg: float
    reachable: bool
    index: int | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """Scores along ``f + eps d`` for ascending eps, the first being 0; tuples of one length.

    Attributes:
        epsilon: steps in feature-norm units.
        image_score_deg: IS (eq. 8).
        attribute_score_deg: AS towards the prompt (eq. 7); positive is nearer.
        average_score_deg: AS averaged over all concepts of the vocabulary: what AS towards an
            arbitrary concept would be, to compare with.
        max_logit_drift: largest absolute logit difference to eps = 0.
        concepts: the prompt itself (first), then the concepts that are among the nearest, or
            among those that rise or fall most beside the average concept, at any of the steps.
        target: the wanted image score; None when none was asked for.
        prompt_rank: the prompt's place among all concepts by nearness, 1 being the nearest.
        concept_count: how many concepts the place is among, the prompt included.
    """

    epsilon: tuple[float, ...]
    image_score_deg: tuple[float, ...]
    attribute_score_deg: tuple[float, ...]
    average_score_deg: tuple[float, ...]
    max_logit_drift: tuple[float, ...]
    concepts: tuple[ConceptTrack, ...]
    target: Target | None
    prompt_rank: tuple[int, ...]
    concept_count: int

    def index_of(self, epsilon: float) -> int:
        """Return the position whose step is nearest to ``epsilon``."""
        return min(range(len(self.epsilon)), key=lambda i: abs(self.epsilon[i] - epsilon))


@dataclass(frozen=True, slots=True)
class SteerReport:
    """One steered pair (eq. 13).

    Attributes:
        epsilon: the step in feature-norm units; None (like the scores) where not reachable.
        reachable: whether the wanted image score can be reached at all.
        supremum_deg: what IS stays below on this line, however far the step goes.
        prompt_note: as in ``ImageReport``.
        feasible_image_score_deg: IS of the nearest feature to the steered one that the network can
            produce (``FeasibleRemoval``); None where that is not known.
    """

    epsilon: float | None
    reachable: bool
    image_score_deg: float | None
    attribute_score_deg: float | None
    max_logit_drift: float | None
    top1_before: ClassScore
    top1_after: ClassScore | None
    supremum_deg: float
    prompt_note: str = ""
    feasible_image_score_deg: float | None = None


@dataclass(frozen=True, slots=True)
class ImageReport:
    """What one image's feature hides in the null space of one classifier.

    Attributes:
        digest: SHA-256 of the image file.
        question: what was asked, the prompt as it was understood.
        space_id: which image-text space the reference is.
        shares_tower: the reference is built on this classifier's own image tower.
        feature_dim: m; ``rank`` r; ``nullity`` m - r.
        null_energy: ``|Pi_n f| / |f|``, 0 to 1.
        feature_norm: ``|f|``, the unit in which epsilon can be judged.
        max_abs_logit: largest absolute logit of the image.
        sweep: the scores along the step; None when there is no direction to step along.
        no_sweep_reason: a sentence when ``sweep`` is None, else "".
        index: position of the chosen epsilon in the sweep.
        prompt_note: which words of the prompt the reference does not read, in a sentence; else "".
        top5_before: prediction for f; ``top5_after`` for the equivalent at the chosen epsilon.
    """

    digest: str
    question: Question
    space_id: str
    shares_tower: bool
    feature_dim: int
    rank: int
    nullity: int
    null_energy: float
    feature_norm: float
    max_abs_logit: float
    sweep: Sweep | None
    no_sweep_reason: str
    index: int
    prompt_note: str
    top5_before: tuple[ClassScore, ...]
    top5_after: tuple[ClassScore, ...]

    @property
    def model(self) -> str:
        """The classifier."""
        return self.question.model

    @property
    def reference(self) -> str:
        """The image-text space by name."""
        return self.question.reference

    @property
    def prompt(self) -> str:
        """The text target."""
        return self.question.prompt

    @property
    def mode(self) -> Mode:
        """``steer`` or ``remove``."""
        return self.question.mode

    @property
    def variant(self) -> HeadVariant:
        """Which null space of the head was asked for."""
        return self.question.variant
