"""Which prepared sets there are, and their scores and features, checked before they are read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from sing_core.errors import ImageSetError, StaleArtefactError
from sing_core.leakage.readings import reading_scores
from sing_core.leakage.score_files import count_of, facts_of, query, score_path
from sing_core.leakage.scoring import Pairs
from sing_core.maths.head_variants import WHOLE_HEAD, HeadVariant
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.null_cut import cut_to
from sing_core.maths.unseen import Unseen
from sing_core.models.bench import Classifier
from sing_core.models.references import space_id
from sing_core.models.registry import DEFAULT_REFERENCE, ModelEntry, base_of, is_centred
from sing_core.models.workbench import Workbench
from sing_core.sets.catalogue import image_sets
from sing_core.sets.chunks import ImageRow, SetFolder

if TYPE_CHECKING:
    import pyarrow as pa

CUTS = "null-cuts"  # artefacts by the stem of the score file they belong to


@dataclass(frozen=True, slots=True, eq=False)
class ScoredSet:
    """A prepared set under one model, reference and null space of the model's head.

    Attributes:
        bench: head, translator and texts.
        folder: the set's.
        model: classifier; ``reference`` the image-text space.
        path: the score file.
        variant: whose null space the scores are of; that of the whole head by default.
        dimension: to how many dimensions it is cut; None where it is not.
        stratum: of which kind of images alone; "" for all that there are.
    """

    bench: Workbench
    folder: SetFolder
    model: str
    reference: str
    path: Path
    variant: HeadVariant = WHOLE_HEAD
    dimension: int | None = None
    stratum: str = ""

    @property
    def deciding(self) -> Classifier:
        """The part of the head that decides, with the split that the scores are of.

        Raises:
            SingError: the head, or the directions that it was cut to, cannot be loaded.
        """
        part = self.bench.deciding(self.model, self.variant)
        if self.dimension is None:
            return part
        found = self.bench.store.load(CUTS, self.path.stem)
        if found is None:
            raise StaleArtefactError(f"The null directions of {self.path.stem[:12]}… are gone.")
        head = cut_to(part.linear.head, found["directions"])
        return replace(part, linear=replace(part.linear, head=head))

    @property
    def linear(self) -> LinearHead:
        """What decides, and its split.

        Raises:
            SingError: see ``deciding``.
        """
        return self.deciding.linear

    @property
    def nullity(self) -> int:
        """Dimension of the null space; known of a whole head before it is loaded."""
        if self.dimension is not None:
            return self.dimension
        whole = self.variant == WHOLE_HEAD
        return self.bench.entry(self.model).nullity if whole else self.linear.head.nullity

    def ask(self, sql: str, parameters: list[Any] | None = None) -> "pa.Table":
        """Return the answer of ``sql`` about the view ``images``: distinct photos of the stratum.

        Raises:
            StaleArtefactError: the score file is damaged.
        """
        return query(self.path, sql, parameters, stratum=self.stratum)

    def features(self, rows: Sequence[int]) -> Iterator[tuple[list[ImageRow], torch.Tensor]]:
        """Yield chunk by chunk which images of ``rows`` it holds, and their features ``(n, m)``.

        Raises:
            StaleArtefactError: a chunk is missing or damaged.
        """
        wanted = set(rows)
        digest = self.bench.entry(self.model).weights_digest
        for index in range(self.folder.facts.chunks):
            if wanted.isdisjoint(self.folder.rows(index)):
                continue
            chunk = self.folder.chunk(self.model, digest, index)
            places = [i for i, image in enumerate(chunk.images) if image.row in wanted]
            yield [chunk.images[i] for i in places], chunk.features[torch.tensor(places)]

    def unseen(self, images: Sequence[ImageRow]) -> Unseen:
        """Return the translators of ``images``: for each the fit that did not see it.

        Raises:
            SingError: the translator cannot be loaded.
        """
        translator = self.bench.translator(self.model, self.reference)
        return Unseen.of(translator, [image.digest for image in images])

    def pairs(self, rows: Sequence[int]) -> Iterator[tuple[list[int], Pairs, Unseen]]:
        """Yield chunk by chunk which of ``rows`` it holds, their pairs, and whose these are.

        Raises:
            StaleArtefactError: a chunk is missing or damaged.
        """
        linear = self.linear
        for images, part in self.features(rows):
            unseen = self.unseen(images)
            found = [image.row for image in images]
            yield found, Pairs.of(part, linear, unseen), unseen


def offered_sets(bench: Workbench) -> tuple[SetFolder, ...]:
    """Return the prepared sets but those of which not one image could be scored.

    Raises:
        StaleArtefactError: a set's folder is damaged.
    """
    return tuple(folder for folder in image_sets(bench.settings) if not _is_empty(folder))


def _is_empty(folder: SetFolder) -> bool:
    """Return whether a set was scored, and not one image of it has a score."""
    files = sorted(folder.path.glob("*/scores-*.parquet"))
    return bool(files) and not any(_has_rows(path) for path in files)


def _has_rows(path: Path) -> bool:
    """Return whether a score file is there and not empty; a damaged one is named when opened."""
    try:
        return count_of(path) > 0
    except StaleArtefactError:
        return True


def scored_models(bench: Workbench, folder: SetFolder, reference: str) -> tuple[str, ...]:
    """Return under which models images of a set have scores: the table's, then others in memory.

    What is scored raw can be scored centred (see ``open_set``).
    """
    from sing_core.models import registry

    either = {reference, base_of(reference)}
    names = [entry.name for entry in registry.catalogue(bench.settings)]
    names += [name for name in bench.pool.classifiers if name not in names]
    return tuple(
        n for n in names if any(_has_rows(score_path(folder.path, n, read)) for read in either)
    )


def open_set(
    bench: Workbench, model: str, *, images: str | None = None, reference: str = DEFAULT_REFERENCE
) -> ScoredSet:
    """Return the scores of ``images`` under ``model``; None takes the first set there is.

    In a centred reading they are made from the stored features where they are missing or old.

    Raises:
        UnknownNameError: there is no such model or reference.
        ImageSetError: there is no such set, or it is not prepared for this model.
        StaleArtefactError: it was prepared for other weights, another embedding space, or by
            another translator.
    """
    entry = bench.entry(model)
    space_id(reference, bench.settings)  # says at once that there is no such reference
    sets = {folder.facts.name: folder for folder in reversed(image_sets(bench.settings))}
    if not sets:
        raise ImageSetError("No set of images is prepared yet: run `python -m sing_core prepare`.")
    name = images or image_sets(bench.settings)[0].facts.name
    if name not in sets:
        raise ImageSetError(
            f"No prepared set is called “{name[:80]}”. There are: {', '.join(sorted(sets))}."
        )
    path = _scores(bench, sets[name], entry, reference)
    _check(path, name, bench, entry, reference)
    return ScoredSet(bench, sets[name], entry.name, reference, path)


def _check(path: Path, name: str, bench: Workbench, entry: ModelEntry, reference: str) -> None:
    """Check that the scores of the set ``name`` are there, and what they were made with."""
    space = space_id(reference, bench.settings)
    facts = facts_of(path)
    if facts is None:
        raise ImageSetError(
            f"The set {name} is not prepared for {entry.name} in {reference}: choose another, or "
            f"run `python -m sing_core prepare --model {entry.name} --reference "
            f"{base_of(reference)}` on its images."
        )
    if (facts["weights_digest"], facts["space_id"]) != (entry.weights_digest, space):
        raise StaleArtefactError(
            f"The scores of {name} under {entry.name} were made with other weights or another "
            "reference; prepare the set again."
        )
    if not count_of(path):
        raise ImageSetError(
            f"No image of the set {name} could be scored under {entry.name}: prepare images that "
            "lie in classes of ImageNet-1k."
        )
    if facts["translator"] not in bench.translator(entry.name, reference).digests:
        raise StaleArtefactError(
            f"The scores of {name} under {entry.name} were made with another translator; prepare "
            "the set again."
        )


def _scores(bench: Workbench, folder: SetFolder, entry: ModelEntry, reference: str) -> Path:
    if is_centred(reference):
        return reading_scores(bench, folder, entry, reference)
    return score_path(folder.path, entry.name, reference)
