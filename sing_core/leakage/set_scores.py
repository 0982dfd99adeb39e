"""Scores of a prepared set from its stored features: whoever has these gets the same bytes."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from sing_core.errors import StaleArtefactError
from sing_core.files.atomic import write_atomically
from sing_core.leakage.score_files import (
    FORMAT,
    SCORES,
    ScoreBatch,
    facts_of,
    query,
    score_path,
    write_scores,
)
from sing_core.leakage.scoring import Pairs, image_scores
from sing_core.maths.controls import RandomSubspaces
from sing_core.maths.folds import OUTSIDE
from sing_core.maths.translator import Translator
from sing_core.maths.unseen import Unseen
from sing_core.models import registry
from sing_core.models.imagenet import imagenet_wnids
from sing_core.models.workbench import Workbench
from sing_core.sets.chunks import Chunk, Problem, SetFolder


@dataclass(frozen=True, slots=True)
class Prepared:
    """What became of a set under one model.

    Attributes:
        name: of the set; ``model`` and ``reference`` say which scores.
        folder: where it lies.
        listed: rows of the source; ``scored`` of them have scores.
        duplicates: scored images whose file occurred before; tables count it once.
        problems: the others, by name and reason.
        rate: images per second of the extraction of this run; 0 where all was there.
    """

    name: str
    model: str
    reference: str
    folder: Path
    listed: int
    scored: int
    duplicates: int
    problems: tuple[Problem, ...]
    rate: float


def score_set(
    bench: Workbench, folder: SetFolder, entry: registry.ModelEntry, reference: str, rate: float
) -> Prepared:
    """Write the scores of one model unless the files there were made from the same things.

    ``rate`` is what the extraction ran at, images per second.

    Raises:
        SingError: there is no translator of the two, or a chunk is missing.
        OSError: the disk refuses.
    """
    path = score_path(folder.path, entry.name, reference)
    translator = bench.translator(entry.name, reference)
    facts = score_facts(folder, entry, reference, translator)
    problems = _kept_problems(path, facts, translator.digests)
    if problems is None:
        problems = []
        write_scores(path, _batches(bench, folder, entry, reference, problems), facts)
        listing = {"facts": facts, "problems": [asdict(problem) for problem in problems]}
        write_atomically(problem_path(path), json.dumps(listing, indent=1).encode())
    counts = query(path, "SELECT count(*) AS n, count(DISTINCT digest) AS own FROM all_images")
    scored, own = counts["n"][0].as_py(), counts["own"][0].as_py()
    return Prepared(
        folder.facts.name, entry.name, reference, folder.path, folder.facts.total, scored,
        scored - own, tuple(problems), rate,
    )  # fmt: skip


def problem_path(scores: Path) -> Path:
    """Return where the images without a score are listed, beside the scores."""
    return scores.with_name(scores.name.replace("scores-", "problems-", 1)).with_suffix(".json")


def _kept_problems(
    path: Path, facts: dict[str, str], translators: tuple[str, ...]
) -> list[Problem] | None:
    """Return the problems of scores that are up to date; None where these are to be made.

    ``translators`` are the digests by which files know the translator.
    """
    try:
        listing = json.loads(problem_path(path).read_text("utf-8"))
        known = [facts | {"translator": digest} for digest in translators]
        if facts_of(path) == listing["facts"] and listing["facts"] in known:
            return [Problem(**entry) for entry in listing["problems"]]
    except (StaleArtefactError, OSError, ValueError, KeyError, TypeError):
        return None  # missing or damaged: made again
    return None


def score_facts(
    folder: SetFolder, entry: registry.ModelEntry, reference: str, translator: Translator
) -> dict[str, str]:
    """Return what a score file says it was made from; another fact makes other scores."""
    return {
        "format": FORMAT,
        "images": folder.facts.key,
        "precision": folder.facts.precision,
        "model": entry.name,
        "weights_digest": entry.weights_digest,
        "reference": reference,
        "space_id": translator.space_id,
        "translator": translator.digests[0],
    }


def _batches(
    bench: Workbench,
    folder: SetFolder,
    entry: registry.ModelEntry,
    reference: str,
    problems: list[Problem],
) -> Iterator[ScoreBatch]:
    """Yield the scores chunk by chunk; what cannot be scored is added to ``problems``."""
    vocabulary = bench.vocabulary(reference)
    classes = vocabulary.embeddings[: vocabulary.n_classes]
    labels = {wnid: index for index, wnid in enumerate(imagenet_wnids())}
    scorer = Scorer(bench, entry.name, reference, classes, folder.facts.stratum)
    for index in range(folder.facts.chunks):
        chunk = folder.chunk(entry.name, entry.weights_digest, index)
        problems += chunk.problems
        batch, refused = scorer.score(chunk, labels)
        problems += refused
        if batch is not None:
            yield batch


class Scorer:
    """Scores chunks of one model's features in one reference."""

    def __init__(
        self,
        bench: Workbench,
        model: str,
        reference: str,
        classes: torch.Tensor,
        stratum: Callable[[str], str] = lambda name: "",
    ) -> None:
        """Load head and translator and draw the controls.

        ``classes`` ``(c, d)`` are raw texts; ``stratum`` tells the kind of an image by its name.
        """
        self._stratum = stratum
        self._classifier = bench.classifier(model)
        self._translator = bench.translator(model, reference)
        self._classes = classes
        nullity = self._classifier.linear.head.nullity
        # The same random subspaces for every fold, each seen through the fold's own translator.
        self._controls = {OUTSIDE: RandomSubspaces.draw(self._translator, nullity)}

    def score(
        self, chunk: Chunk, labels: dict[str, int]
    ) -> tuple[ScoreBatch | None, list[Problem]]:
        """Return the scores of a chunk's images, None where none can be scored, and the others."""
        own = [labels.get(image.wnid, -1) for image in chunk.images]
        unseen = Unseen.of(self._translator, [image.digest for image in chunk.images])
        pairs = Pairs.of(chunk.features, self._classifier.linear, unseen)
        usable = pairs.sound & torch.tensor([label >= 0 for label in own], dtype=torch.bool)
        refused = [
            Problem(image.row, image.name, _why(image.wnid, label))
            for image, label, good in zip(chunk.images, own, usable.tolist(), strict=True)
            if not good
        ]
        kept = usable.nonzero().flatten().tolist()
        if not kept:
            return None, refused
        sound = pairs.select(usable)
        label = torch.tensor([own[i] for i in kept])
        images = [chunk.images[i] for i in kept]
        scores = self._scores(chunk.features[usable], sound, label, unseen.select(usable))
        return ScoreBatch(
            texts={
                "name": [image.name for image in images],
                "wnid": [image.wnid for image in images],
                "digest": [image.digest for image in images],
                "stratum": [self._stratum(image.name) for image in images],
            },
            whole={
                "row": [image.row for image in images],
                "label": label.tolist(),
                "top1": sound.top1.tolist(),
            },
            scores={name: scores[name] for name in SCORES},
        ), refused

    def _scores(
        self, features: torch.Tensor, pairs: Pairs, own: torch.Tensor, unseen: Unseen
    ) -> dict[str, torch.Tensor]:
        """Return the columns of ``n`` images, each by the translator that never saw it."""
        columns = {name: torch.empty(len(features), dtype=torch.float64) for name in SCORES}
        for place, translator, rows in unseen.groups():
            if place not in self._controls:
                self._controls[place] = self._controls[OUTSIDE].through(translator)
            found = image_scores(
                features[rows], pairs.select(rows), own[rows], self._classes, self._controls[place]
            )
            for name, column in columns.items():
                column[rows] = found[name]
        return columns


def _why(wnid: str, label: int) -> str:
    if label >= 0:
        return "Its feature and the equivalent are not finite or differ in their logits."
    if not wnid:
        return "It lies in no class folder, and without a class it has no attribute score."
    return f"Its class “{wnid[:40]}” is no wnid of ImageNet-1k."
