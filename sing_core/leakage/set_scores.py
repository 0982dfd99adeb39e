"""Scores of a prepared set from its stored features: whoever has these gets the same bytes."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from sing_core.errors import ImageSetError, StaleArtefactError
from sing_core.files.atomic import write_atomically
from sing_core.files.seals import sealed, unsealed
from sing_core.leakage.score_files import (
    DRAWN,
    FORMAT,
    SCORES,
    ScoreBatch,
    facts_of,
    query,
    score_path,
    write_scores,
)
from sing_core.leakage.scoring import Controls, Pairs, image_scores
from sing_core.maths.controls import RandomSubspaces
from sing_core.maths.feasible_removal import FeasibleRemoval
from sing_core.maths.folds import OUTSIDE
from sing_core.maths.scores import angle_deg
from sing_core.maths.translator import Translator
from sing_core.maths.unseen import Unseen
from sing_core.models import registry
from sing_core.models.bench import Classifier
from sing_core.models.imagenet import imagenet_places
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
    bench: Workbench,
    folder: SetFolder,
    entry: registry.ModelEntry,
    reference: str,
    rate: float,
    *,
    place: Path | None = None,
) -> Prepared:
    """Write the scores of one model unless the files there were made from the same things.

    ``rate`` is what the extraction ran at, images per second; ``place`` the folder to write in,
    None for the set's own.

    Raises:
        SingError: there is no translator of the two, or a chunk is missing.
        OSError: the disk refuses.
    """
    path = score_path(place or folder.path, entry.name, reference)
    translator = bench.translator(entry.name, reference)
    facts = score_facts(folder, entry, reference, translator)
    problems = _kept_problems(path, facts, translator.digests)
    if problems is None:
        problems = []
        write_scores(path, _batches(bench, folder, entry, reference, problems), facts)
        listing = {"facts": facts, "problems": [asdict(problem) for problem in problems]}
        write_atomically(problem_path(path), json.dumps(sealed(listing), indent=1).encode())
    counts = query(path, "SELECT count(*) AS n, count(DISTINCT digest) AS own FROM all_images")
    scored, own = counts["n"][0].as_py(), counts["own"][0].as_py()
    return Prepared(
        folder.facts.name, entry.name, reference, folder.path, folder.facts.total, scored,
        scored - own, tuple(problems), rate,
    )  # fmt: skip


def check_scored(found: Prepared) -> Prepared:
    """Return what became of a set if an image of it has a score.

    Raises:
        ImageSetError: none has; the message says why, by the first image.
    """
    if found.scored:
        return found
    why = f" {found.problems[0].name}: {found.problems[0].reason}" if found.problems else ""
    raise ImageSetError(
        f"No image of the set {found.name} could be scored under {found.model}.{why}"
    )


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
        listing = unsealed(json.loads(problem_path(path).read_text("utf-8")))
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
    labels = imagenet_places()
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
        deciding: Classifier | None = None,
        controls: RandomSubspaces | None = None,
    ) -> None:
        """Load head and translator and draw the controls.

        ``classes`` ``(c, d)`` are raw texts; ``stratum`` tells the kind of an image by its name;
        ``deciding`` is the part of the head whose null space is removed; None for all of it.
        ``controls``: the random ones; None draws subspaces of the dimension of that null space.
        """
        self._stratum = stratum
        self._classifier = deciding or bench.classifier(model)
        self._translator = bench.translator(model, reference)
        self._classes = classes
        head = self._classifier.linear.head
        self._removal = FeasibleRemoval(self._classifier.linear)
        if controls is None:
            controls = RandomSubspaces.draw(self._translator, head.nullity)
        read = RandomSubspaces.principal(head, self._translator)
        # The same subspaces for every fold, each seen through the fold's own translator.
        self._controls = {OUTSIDE: Controls(controls, read)}

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
                "top1": self._classes_of(sound.top1.tolist()),
            },
            scores={name: scores[name] for name in SCORES},
            drawn={name: scores[name] for name in DRAWN},
        ), refused

    def _classes_of(self, rows: list[int]) -> list[int]:
        """Return the classes whose logits the ``rows`` of the deciding weight give."""
        deciding = self._classifier.classes
        return [deciding[row] for row in rows] if deciding else rows

    def _scores(
        self, features: torch.Tensor, pairs: Pairs, own: torch.Tensor, unseen: Unseen
    ) -> dict[str, torch.Tensor]:
        """Return the columns of ``n`` images, each by the translator that never saw it."""
        columns: dict[str, torch.Tensor] = {}
        produced = self._removal.nearest(features)
        for place, translator, rows in unseen.groups():
            if place not in self._controls:
                self._controls[place] = self._controls[OUTSIDE].through(translator)
            found = image_scores(
                features[rows], pairs.select(rows), own[rows], self._classes, self._controls[place]
            )
            found["feasible_image_score_deg"] = _turned(pairs.z[rows], produced[rows], translator)
            for name, values in found.items():
                whole = values.new_empty(len(features), *values.shape[1:])
                columns.setdefault(name, whole)[rows] = values
        return columns


def _turned(z: torch.Tensor, produced: torch.Tensor, translator: Translator) -> torch.Tensor:
    """Return IS ``(n,)`` of ``produced`` ``(n, m)`` beside ``z``; of a row of NaN it is one."""
    known = produced.isfinite().all(dim=1)
    turned = torch.full_like(z[:, 0], torch.nan)
    turned[known] = angle_deg(z[known], translator.apply(produced[known]))
    return turned


def _why(wnid: str, label: int) -> str:
    if label >= 0:
        return "Its feature and the equivalent are not finite or differ in their logits."
    if not wnid:
        return "It lies in no class folder, and without a class it has no attribute score."
    return f"Its class “{wnid[:40]}” is no class of ImageNet-1k."
