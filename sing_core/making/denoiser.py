"""Train the inversion's denoiser: ended and gone on with at will, the same batches either way."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import save
from torch import Tensor

from sing_core.files.atomic import write_atomically
from sing_core.making.denoiser_patches import Batch, Patches, Share
from sing_core.models.device import prepare_torch
from sing_core.pictures.inversion.denoiser import Denoiser
from sing_core.pictures.inversion.prior import denoiser_path

if TYPE_CHECKING:
    from sing_core.settings import Settings

_SAVE_EVERY = 200
_SAY_EVERY = 50
_SPREAD = 0.25


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that decides the weights besides the photographs.

    Attributes:
        steps: of training; the rate falls over them as a cosine.
        rate: peak learning rate of Adam.
        warm_up: steps of linear rise.
        average: decay of the moving average of weights, which is what ships.
        seed: of weights and batches.
    """

    steps: int = 3400
    rate: float = 1.5e-3
    warm_up: int = 100
    average: float = 0.999
    seed: int = 0

    def rate_at(self, step: int) -> float:
        """Return the learning rate at ``step``."""
        rise = min(1.0, (step + 1) / self.warm_up)
        return self.rate * rise * (0.02 + 0.49 * (1 + math.cos(math.pi * step / self.steps)))


class Training:
    """A denoiser, its moving average and its optimiser, which go to disk and come back."""

    def __init__(self, plan: Plan) -> None:
        """Start at step 0."""
        torch.manual_seed(plan.seed)
        self.plan, self.step, self.seconds = plan, 0, 0.0
        self.network = Denoiser().to(memory_format=torch.channels_last)
        self.average = Denoiser()
        self.average.load_state_dict(self.network.state_dict())
        self._optimiser = torch.optim.Adam(self.network.parameters(), betas=(0.9, 0.99))

    def learn(self, batch: Batch) -> float:
        """Take one step; return its loss."""
        for group in self._optimiser.param_groups:
            group["lr"] = self.plan.rate_at(self.step)
        loss = loss_of(self.network, batch)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimiser.step()
        self.step += 1
        share = min(self.plan.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            ours: list[Tensor] = list(self.average.parameters())
            theirs: list[Tensor] = list(self.network.parameters())
            torch._foreach_lerp_(ours, theirs, 1 - share)
        return float(loss.detach())

    def save(self, path: Path) -> None:
        """Write everything that going on needs, whole or not at all."""
        state = {
            "step": self.step,
            "seconds": self.seconds,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }
        draft = path.with_suffix(".tmp")
        torch.save(state, draft)
        draft.replace(path)

    def load(self, path: Path) -> None:
        """Go on from what ``save`` wrote."""
        state = torch.load(path, map_location="cpu", weights_only=True)
        self.step, self.seconds = state["step"], state["seconds"]
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])


def loss_of(network: Denoiser, batch: Batch) -> Tensor:
    """Return the mean squared error, every noise level weighted to about 1 (Karras et al. 2022)."""
    found = network(batch.noisy, batch.sigma, batch.layout)
    errors = (found - batch.clean).square().mean((1, 2, 3))
    weights = (batch.sigma.square() + _SPREAD**2) / (batch.sigma * _SPREAD).square()
    loss: Tensor = (weights * errors).mean()
    return loss


def train_denoiser(
    settings: "Settings", data: Path, work: Path, say: Callable[[str], None], plan: Plan
) -> None:
    """Train on the photographs under ``data``, from where ``work`` stands; write the asset.

    Raises:
        WeightsUnavailableError: the shared images are missing.
    """
    prepare_torch(settings)
    work.mkdir(parents=True, exist_ok=True)
    checkpoint, training = work / "last.pt", Training(plan)
    patches = Patches(data, Share(), plan.seed)
    if checkpoint.is_file():
        training.load(checkpoint)
    begun, before = time.monotonic(), training.seconds
    losses: list[float] = []
    while training.step < plan.steps:
        losses.append(training.learn(patches.batch(training.step)))
        training.seconds = before + time.monotonic() - begun
        if training.step % _SAY_EVERY == 0:
            mean = sum(losses[-_SAY_EVERY:]) / len(losses[-_SAY_EVERY:])
            say(f"step {training.step} of {plan.steps}, loss {mean:.4f}, {training.seconds:.0f} s")
        if training.step % _SAVE_EVERY == 0 or training.step == plan.steps:
            training.save(checkpoint)
    facts = {"steps": str(training.step), "seed": str(plan.seed)}
    write_atomically(denoiser_path(settings), to_file(training.average, facts))
    say(f"{training.seconds:.0f} s in all.")


def to_file(network: Denoiser, facts: dict[str, str]) -> bytes:
    """Return the bytes of the asset: weights in float16, what made them as metadata."""
    state = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    return save(state, facts)
