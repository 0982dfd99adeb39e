"""Which prepared sets there are, and their scores and features, checked before they are read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from sing_core.errors import ImageSetError, StaleArtefactError
from sing_core.leakage.score_files import facts_of, query, score_path
from sing_core.leakage.scoring import Pairs
from sing_core.maths.unseen import Unseen
from sing_core.models.references import space_id
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.models.workbench import Workbench
from sing_core.sets.catalogue import image_sets
from sing_core.sets.chunks import ImageRow, SetFolder

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, eq=False)
class ScoredSet:
    """A prepared set under one model and reference.

    Attributes:
        bench: head, translator and texts.
        folder: the set's.
        model: classifier; ``reference`` the image-text space.
        path: the score file.
    """

    bench: Workbench
    folder: SetFolder
    model: str
    reference: str
    path: Path

    def ask(self, sql: str, parameters: list[Any] | None = None) -> "pa.Table":
        """Return the answer of ``sql`` about the view ``images``, one row per distinct photo.

        Raises:
            StaleArtefactError: the score file is damaged.
        """
        return query(self.path, sql, parameters)

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
        classifier = self.bench.classifier(self.model)
        for images, part in self.features(rows):
            unseen = self.unseen(images)
            found = [image.row for image in images]
            yield found, Pairs.of(part, classifier.linear, unseen), unseen


def scored_models(bench: Workbench, folder: SetFolder, reference: str) -> tuple[str, ...]:
    """Return under which models a set has scores: those of the table, then others in memory."""
    from sing_core.models import registry

    names = [entry.name for entry in registry.catalogue(bench.settings)]
    names += [name for name in bench.pool.classifiers if name not in names]
    return tuple(n for n in names if score_path(folder.path, n, reference).is_file())


def open_set(
    bench: Workbench, model: str, *, images: str | None = None, reference: str = DEFAULT_REFERENCE
) -> ScoredSet:
    """Return the scores of ``images`` under ``model``; None takes the first set there is.

    Raises:
        UnknownNameError: there is no such model or reference.
        ImageSetError: there is no such set, or it is not prepared for this model.
        StaleArtefactError: it was prepared for other weights, another embedding space, or by
            another translator.
    """
    entry = bench.entry(model)
    space = space_id(reference, bench.settings)
    sets = {folder.facts.name: folder for folder in reversed(image_sets(bench.settings))}
    if not sets:
        raise ImageSetError("No set of images is prepared yet: run `python -m sing_core prepare`.")
    name = images or image_sets(bench.settings)[0].facts.name
    if name not in sets:
        raise ImageSetError(
            f"No prepared set is called “{name[:80]}”. There are: {', '.join(sorted(sets))}."
        )
    path = score_path(sets[name].path, entry.name, reference)
    facts = facts_of(path)
    if facts is None:
        raise ImageSetError(
            f"The set {name} is not prepared for {entry.name} in {reference}: choose another, or "
            f"run `python -m sing_core prepare --model {entry.name} --reference {reference}` on "
            "its images."
        )
    if (facts["weights_digest"], facts["space_id"]) != (entry.weights_digest, space):
        raise StaleArtefactError(
            f"The scores of {name} under {entry.name} were made with other weights or another "
            "reference; prepare the set again."
        )
    if facts["translator"] not in bench.translator(entry.name, reference).digests:
        raise StaleArtefactError(
            f"The scores of {name} under {entry.name} were made with another translator; prepare "
            "the set again."
        )
    return ScoredSet(bench, sets[name], entry.name, reference, path)
