"""``make bench-cuda``: what a CUDA device changes, on this machine, in one table.

Runs the tests that need a device, then measures: extraction and the inversion's strip on the card
and on the processor; head split, translator fit and sweep as they are (float64 on the processor)
beside the obvious way on the card; Karlo at its true size, random weights, beside the stock
pipeline on the card. Prints a table and one JSON object; without a device it says so and ends well.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from benchmarks import pictures_on_cuda
from sing_core.maths.equivalents import NullLine
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.ridge import Moments, fit_path
from sing_core.maths.scores import angle_deg
from sing_core.maths.steering import angles_along
from sing_core.maths.translator import Translator
from sing_core.models.backbones import load_backbone
from sing_core.settings import Settings

CARD = "cuda"
NOTHING = "there is no CUDA device on this machine"


@dataclass(frozen=True)
class Sizes:
    """How much work each job is."""

    classes: int = 1000
    features: int = 2048
    rows: int = 12_000
    dim: int = 512
    concepts: int = 1150
    steps: int = 41
    lambdas: int = 20
    images: int = 256
    batch: int = 64


@dataclass(frozen=True)
class Row:
    """One job: seconds on the processor and on the card, and what the card was doing."""

    what: str
    cpu_s: float
    card_s: float
    on_card: str
    apart: float
    peak_gb: float

    @property
    def ratio(self) -> float:
        """How many times the card's time the processor takes."""
        return self.cpu_s / self.card_s


def main() -> None:
    console = Console(stderr=True)
    say = Console(soft_wrap=True).print_json
    if not torch.cuda.is_available():
        say(data={"nothing_measured": NOTHING})
        return
    words = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-m", "gpu"]
    tests = subprocess.run(words, stdout=sys.stderr, check=False).returncode
    rows = [*rows_of(Sizes(), CARD), strip_row()]
    with tempfile.TemporaryDirectory() as name:
        karlo = pictures_on_cuda.karlo(Path(name))
    console.print(table_of(rows))
    device = torch.cuda.get_device_name()
    found: dict[str, Any] = {"device": device, "cpu_threads": torch.get_num_threads()}
    found |= {"gpu_tests": "passed" if tests == 0 else f"pytest ended with {tests}"}
    found["rows"] = [asdict(row) | {"ratio": row.ratio} for row in rows]
    found["karlo"] = {"weights": "random"} | {key: round(value, 4) for key, value in karlo.items()}
    say(data=found)
    sys.exit(0 if tests == 0 else 1)


def rows_of(sizes: Sizes, card: str) -> Iterator[Row]:
    """Measure everything but pictures; ``card`` is the device of the other side."""
    generator = torch.Generator().manual_seed(0)
    for what, on_card, job in (
        ("head split, float64", "the full SVD", head_split),
        ("translator fit, all lambdas, float64", "one solution a lambda", translator_fit),
        ("sweep, all concepts, float64", "step by step", sweep),
        ("extraction, lite0", "the same", extraction),
    ):
        ours, other = job(sizes, card, generator)
        reset(card)
        cpu_s, own = timed(ours, "cpu")
        card_s, its = timed(other, card)
        apart = float((own - its).abs().max() / own.abs().max())
        yield Row(what, cpu_s, card_s, on_card, apart, peak_gb(card))


Job = tuple[Callable[[], Tensor], Callable[[], Tensor]]


def head_split(sizes: Sizes, card: str, generator: torch.Generator) -> Job:
    """Return the split and the full SVD; both end with the null part of one vector."""
    weight = torch.randn(sizes.classes, sizes.features, generator=generator)
    probe = torch.randn(sizes.features, dtype=torch.float64, generator=generator)
    there, probe_there = weight.double().to(card), probe.to(card)

    def ours() -> Tensor:
        basis = HeadDecomposition.from_weight(weight).null_basis
        return basis @ (basis.mT @ probe)

    def other() -> Tensor:
        basis = torch.linalg.svd(there, full_matrices=True)[2].mT[:, sizes.classes :]
        return (basis @ (basis.mT @ probe_there)).cpu()

    return ours, other


def translator_fit(sizes: Sizes, card: str, generator: torch.Generator) -> Job:
    """Return the path over all lambdas, and one solution after the other: held-out errors."""
    made = [
        torch.randn(rows, sizes.features, dtype=torch.float64, generator=generator).relu()
        for rows in (sizes.rows, sizes.rows // 8)
    ]
    map_ = torch.randn(sizes.features, sizes.dim, dtype=torch.float64, generator=generator) / 36
    pairs = [
        (x, x @ map_ + torch.randn(len(x), sizes.dim, dtype=x.dtype, generator=generator))
        for x in made
    ]
    alphas = tuple(10.0 ** (-1 + 5 * k / (sizes.lambdas - 1)) for k in range(sizes.lambdas))
    there = [(x.to(card), y.to(card)) for x, y in pairs]

    def ours() -> Tensor:
        path = fit_path(Moments.of(*pairs[0]), Moments.of(*pairs[1]), alphas=alphas)
        return torch.tensor(path.mse, dtype=torch.float64)

    def other() -> Tensor:
        (x, y), (held_x, held_y) = there
        mean_x, mean_y = x.mean(0), y.mean(0)
        gram, cross = (x - mean_x).mT @ (x - mean_x), (x - mean_x).mT @ (y - mean_y)
        eye = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
        errors = []
        for alpha in alphas:
            weight = torch.linalg.solve(gram + alpha * eye, cross)
            found = (held_x - mean_x) @ weight + mean_y
            errors.append((found - held_y).square().mean())
        return torch.stack(errors).cpu()

    return ours, other


def sweep(sizes: Sizes, card: str, generator: torch.Generator) -> Job:
    """Return the closed-form sweep, and each step by itself: the angles to all concepts."""
    weight = torch.randn(sizes.classes, sizes.features, generator=generator) / 36
    linear = LinearHead.from_weight(weight, torch.zeros(sizes.classes))
    matrix = torch.randn(sizes.dim, sizes.features, dtype=torch.float64, generator=generator) / 36
    translator = Translator(matrix, torch.zeros(sizes.dim, dtype=torch.float64))
    feature = torch.rand(sizes.features, generator=generator)
    text = torch.randn(sizes.dim, generator=generator)
    concepts = torch.randn(sizes.concepts, sizes.dim, generator=generator)
    line = NullLine.towards(text, feature, linear, translator)
    grid = line.grid(sizes.steps, None)
    z0, direction, listed = (t.double().to(card) for t in (line.z0, line.w, concepts))

    def ours() -> Tensor:
        line = NullLine.towards(text, feature, linear, translator)
        return angles_along(line.z0, line.w, grid, concepts)

    def other() -> Tensor:
        rows = [angle_deg((z0 + step * direction)[None], listed) for step in grid.tolist()]
        return torch.stack(rows).cpu()

    return ours, other


def extraction(sizes: Sizes, card: str, generator: torch.Generator) -> Job:
    """Return the features of the same pictures on both devices."""
    networks = [
        load_backbone("lite0", Settings(device="cuda" if device == CARD else "cpu"))
        for device in ("cpu", card)
    ]
    side = networks[0].sight.side
    batches = torch.randn(sizes.images, 3, side, side, generator=generator).split(sizes.batch)

    def by(network: Any) -> Callable[[], Tensor]:
        return lambda: torch.cat([network.features(batch) for batch in batches])

    return by(networks[0]), by(networks[1])


def strip_row() -> Row:
    """Measure the inversion's strip, the preview that a page shows first, on both devices."""
    with tempfile.TemporaryDirectory() as name:
        ours = pictures_on_cuda.strip(Path(name), "cpu")
        cpu_s, own = timed(lambda: torch.tensor(ours()), "cpu", rounds=1)
        other = pictures_on_cuda.strip(Path(name), "cuda")
        reset(CARD)
        card_s, its = timed(lambda: torch.tensor(other()), CARD)
    apart = float((own.double() - its.double()).abs().mean() / 255)
    return Row(
        "inversion, a strip of nine pictures", cpu_s, card_s, "the same", apart, peak_gb(CARD)
    )


def timed(work: Callable[[], Tensor], device: str, rounds: int = 3) -> tuple[float, Tensor]:
    """Return the seconds of the best round, after one to warm up, and what came out."""
    taken, found = [], work() if rounds > 1 else None
    for _ in range(rounds):
        wait(device)
        began = time.perf_counter()
        found = work()
        wait(device)
        taken.append(time.perf_counter() - began)
    assert found is not None
    return min(taken), found


def wait(device: str) -> None:
    if device == CARD:
        torch.cuda.synchronize()


def reset(device: str) -> None:
    if device == CARD:
        torch.cuda.reset_peak_memory_stats()


def peak_gb(device: str) -> float:
    return torch.cuda.max_memory_allocated() / 1e9 if device == CARD else 0.0


def table_of(rows: list[Row]) -> Table:
    table = Table("what", "processor", "card", "does there", "ratio", "apart", "card's memory")
    for row in rows:
        table.add_row(
            row.what,
            f"{row.cpu_s:.4g} s",
            f"{row.card_s:.4g} s",
            row.on_card,
            f"{row.ratio:.1f}",
            f"{row.apart:.0e}",
            f"{row.peak_gb:.2f} GB",
        )
    return table


if __name__ == "__main__":
    main()
