"""How pictures come about: residuals are optimised step by step, rows side by side.

Rows do not touch each other: on a processor each thread takes some for its own, from the first
step to the last.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Event

import torch
from torch import Tensor

from sing_core.models.side_by_side import side_by_side
from sing_core.pictures.inversion.layout import Pyramid
from sing_core.pictures.inversion.recipe import InversionRecipe, Stage
from sing_core.pictures.protocol import Frames
from sing_core.pictures.watch import Watch

# ``(pyramid of k rows, which rows (k,), stage, share of the schedule done, generator)`` -> the
# summed loss of these rows.
Loss = Callable[[Pyramid, Tensor, Stage, float, torch.Generator], Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class Descent:
    """A pyramid and what it is optimised for; the draws are the same whatever the number of rows.

    Attributes:
        pyramid: is changed.
        loss: of its rows.
        stages: the schedule; ``recipe`` the rates, and how many rows go through at once.
        seed: chooses the windows and the noise.
        watch: is asked and told.
        previewed: the rows that previews show; None for all.
    """

    pyramid: Pyramid
    loss: Loss
    stages: Sequence[Stage]
    recipe: InversionRecipe
    seed: int
    watch: Watch
    previewed: Tensor | None = None
    _over: Event = field(default_factory=Event)

    def run(self) -> None:
        """Take all steps.

        Raises:
            RenderCancelledError: ``watch`` was told to stop.
        """
        on_processor = self.pyramid.device.type == "cpu"
        count = min(len(self.pyramid), torch.get_num_threads()) if on_processor else 1
        shares = torch.tensor_split(torch.arange(len(self.pyramid)), count)
        size = -(-self.recipe.chunk // count)  # the memory of all together is bounded
        side_by_side([partial(self._take, share, size) for share in shares], self._over)

    def _take(self, share: Tensor, size: int) -> None:
        """Take ``share`` of the rows from the first step to the last, ``size`` at once."""
        parts = [(rows, self.pyramid.part(rows)) for rows in torch.split(share, size)]
        levels = [level for _, part in parts for level in part.levels]
        optimiser = torch.optim.Adam(levels, lr=self.recipe.rate, betas=(0.9, 0.99))
        draws = torch.Generator().manual_seed(self.seed % 2**63)
        total = sum(stage.steps for stage in self.stages)
        for step, stage in enumerate(_steps_of(self.stages)):
            optimiser.param_groups[0]["lr"] = self.recipe.rate_at(step / total)
            optimiser.zero_grad()
            state = draws.get_state()
            for rows, part in parts:
                if self._over.is_set():
                    return
                self.watch.before()
                draws.set_state(state)  # all rows look through the same window
                with torch.enable_grad():
                    loss = self.loss(part, rows, stage, step / total, draws)
                    loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            if int(share[0]) == 0:  # the first share tells, and shows how all stand
                look = partial(shown, self.pyramid, stage.side, self.previewed)
                self.watch.after(look, last=step + 1 == total)


def _steps_of(stages: Sequence[Stage]) -> Iterator[Stage]:
    for stage in stages:
        for _ in range(stage.steps):
            yield stage


def shown(pyramid: Pyramid, side: int, rows: Tensor | None = None) -> Frames:
    """Return the pictures of ``rows``, all by default, as they look at ``side`` pixels."""
    return to_frames(pyramid.pictures(side, rows))


def to_frames(pictures: Tensor) -> Frames:
    """Return ``pictures (n, 3, h, w)`` in [0, 1] as ``(n, h, w, 3)`` bytes."""
    with torch.no_grad():
        bytes_ = (pictures.clamp(0, 1) * 255).round().byte()
    return bytes_.permute(0, 2, 3, 1).contiguous().cpu().numpy()
