"""Are the pictures like photographs? ``python -m benchmarks.likeness [photos] [prompts] [fold]``.

Today's inversion beside the one with the prior, in one run, on photographs that the prior never
saw (``KEPT_BACK``: ``choosing`` is for choices, ``reporting`` for what is said). The distance is
the unbiased squared maximum mean discrepancy between pictures and photographs of the same size,
with a Gaussian kernel at the median distance of lite1's features: lite1 took no part. Pictures are
cached, so that a run that was ended goes on where it stood.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from torch import Tensor

from benchmarks.inversion import DATA, photo_of
from sing_core.files.store import Store
from sing_core.making.data import ImageFolder
from sing_core.making.denoiser_patches import KEPT_BACK
from sing_core.maths.folds import fold_of
from sing_core.models.backbones import Backbone
from sing_core.models.pool import ModelPool
from sing_core.models.workbench import Workbench
from sing_core.pictures.inversion.recipe import InversionRecipe
from sing_core.pictures.inversion.renderer import InversionRenderer
from sing_core.pictures.protocol import Frames, Renderer
from sing_core.pictures.studio import Studio
from sing_core.settings import Settings
from sing_core.studies import strips
from sing_core.studies.question import Question
from sing_core.studies.subject import Subject

SIDE, AT_DEG = 128, 40.0
# The recipe before there was a prior; without one the pull has no part.
BEFORE = InversionRecipe(toward=5.0)
# What is drawn by what, the defaults of before and of now first.
ORDER = (
    ("f", "before"),
    ("f", "with_prior"),
    ("asked", "before"),
    ("feasible", "with_prior"),
    ("feasible", "before"),
    ("asked", "with_prior"),
)


@dataclass(frozen=True, eq=False)
class Case:
    """One photograph and what is to be drawn of it.

    Attributes:
        row: of the sample; ``label`` its class.
        subjects: one a prompt.
        features: kind -> ``(k, m)``: the own one, or one a prompt.
    """

    row: int
    label: int
    subjects: tuple[Subject, ...]
    features: dict[str, Tensor]


def kept_back(folder: ImageFolder, fold: str) -> list[int]:
    """Return the rows of the sample in a fold that the prior never saw."""
    table = folder.table("sample")
    return [row for row in range(len(table)) if fold_of(table.digest(row)) == KEPT_BACK[fold]]


def cases(studio: Studio, folder: ImageFolder, rows: Sequence[int], prompts: int) -> list[Case]:
    """Choose prompts at random and step to an image score of 40 degrees, or as far as can be."""
    vocabulary = studio.bench.vocabulary("mini")
    found = []
    for row in rows:
        generator = torch.Generator().manual_seed(row)
        photo, steps, subjects = photo_of(folder, row), {"asked": [], "feasible": []}, []
        goals = torch.randint(vocabulary.n_classes, (prompts,), generator=generator).tolist()
        for goal in goals:
            subject = Subject.of(studio.bench, photo, Question("lite0", vocabulary.prompts[goal]))
            line = subject.line
            reach = line.reach(AT_DEG)
            step = reach.epsilon or line.reach(0.8 * reach.supremum_deg).epsilon or 0.0
            for kind in steps:
                strip = strips.at_steps(subject, [step], feasible=kind == "feasible")
                steps[kind].append(strip.features)
            subjects.append(subject)
        features = {"f": subjects[0].features[None]}
        features |= {kind: torch.cat(parts) for kind, parts in steps.items()}
        label = int(folder.table("sample").labels[row])
        found.append(Case(row, label, tuple(subjects), features))
    return found


def draw(
    studio: Studio, drawer: Renderer, some: Sequence[Case], kind: str
) -> tuple[list[Frames], float]:
    """Return the pictures of each case, and processor seconds a picture that was not cached."""
    begun, new, drawn = time.process_time(), 0, []
    for first in range(0, len(some), 3):
        part = some[first : first + 3]
        requests = [
            studio.request(drawer, case.subjects[0], case.features[kind], seed=0, size=SIDE)
            for case in part
        ]
        new += sum(
            studio.cache.find(drawer, request, row) is None
            for request in requests
            for row in range(len(request.vectors))
        )
        drawn += studio.draw_all(drawer, requests)
    return drawn, (time.process_time() - begun) / new if new else float("nan")


def seen(backbone: Backbone, pictures: Sequence[Image.Image]) -> Tensor:
    """Return the features ``(n, m)`` of pictures."""
    parts = [
        backbone.features(torch.stack([backbone.preprocess(one) for one in pictures[k : k + 16]]))
        for k in range(0, len(pictures), 16)
    ]
    return torch.cat(parts)


def mmd(pictures: Tensor, photographs: Tensor) -> float:
    """Return the unbiased squared MMD of ``(n, m)`` and ``(k, m)`` features (Gretton et al. 2012).

    The kernel's width is the median distance among all of them.
    """
    both = torch.cat([pictures, photographs]).double()
    distances, n, k = torch.cdist(both, both), len(pictures), len(photographs)
    median = distances[torch.ones_like(distances).triu(1) > 0].median()
    kernel = torch.exp(-distances.square() / (2 * median.square()))
    own, other = kernel[:n, :n], kernel[n:, n:]
    within = (own.sum() - n) / (n * (n - 1)) + (other.sum() - k) / (k * (k - 1))
    return float(within - 2 * kernel[:n, n:].mean())


def square(photo: Image.Image) -> Image.Image:
    """Return the centre square at the pictures' size."""
    side = min(photo.size)
    left, top = (photo.width - side) / 2, (photo.height - side) / 2
    box = (left, top, left + side, top + side)
    return photo.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box)


def measures(
    studio: Studio, some: Sequence[Case], kind: str, drawn: Sequence[Frames], photographs: Tensor
) -> dict[str, float]:
    """Return what pictures of one kind are read as, by lite0, by lite1 and by mini."""
    own, other = (studio.bench.pool.backbone(name) for name in ("lite0", "lite1"))
    reference = studio.bench.pool.reference("mini")
    pictures = [Image.fromarray(frame) for frames in drawn for frame in frames]
    asked = torch.cat([case.features[kind] for case in some])
    labels = [case.label for case in some for _ in case.features[kind]]
    through, beside = seen(own, pictures), seen(other, pictures)
    top5 = other.logits(beside).topk(5).indices.tolist()
    same = own.logits(through).argmax(1) == own.logits(asked).argmax(1)
    found = {
        "mmd2": mmd(beside, photographs),
        "cosine": float(torch.cosine_similarity(through, asked).mean()),
        "own_top1": float(same.float().mean()),
        "lite1_top5": float(np.mean([y in best for y, best in zip(labels, top5, strict=True)])),
    }
    if kind != "f":
        texts = torch.stack([subject.text for case in some for subject in case.subjects]).float()
        toward = torch.cosine_similarity(reference.embed_images(pictures), texts)
        found["prompt_cosine"] = float(toward.mean())
    return {name: round(value, 4) for name, value in found.items()}


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    photos, prompts = (*numbers, 40, 3)[:2] if len(numbers) != 1 else (numbers[0], 3)
    fold = next((word for word in sys.argv[1:] if not word.isdigit()), "reporting")
    say = Console(soft_wrap=True).print_json
    settings = Settings()
    studio = Studio(Workbench(settings, ModelPool(settings), Store(settings.cache_dir)))
    folder = ImageFolder(DATA)
    rows = kept_back(folder, fold)
    other = studio.bench.pool.backbone("lite1")
    photographs = seen(other, [square(folder.table("sample").image(row)) for row in rows])
    half = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0)) % 2 == 0
    say(data={"photographs_beside_photographs": mmd(photographs[half], photographs[~half])})
    some = cases(studio, folder, rows[:: max(1, len(rows) // photos)][:photos], prompts)
    prior = studio.renderer("inversion", "lite0")
    plain = replace(cast("InversionRenderer", prior), prior=None, recipe=BEFORE)
    drawers = {"before": cast("Renderer", plain), "with_prior": prior}
    for kind, name in ORDER:
        drawn, seconds = draw(studio, drawers[name], some, kind)
        found = measures(studio, some, kind, drawn, photographs)
        about = {"kind": kind, "drawer": name, "pictures": sum(map(len, drawn))}
        say(data=about | found | {"processor_s_per_picture": round(seconds, 2)})


if __name__ == "__main__":
    main()
