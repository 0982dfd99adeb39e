"""The sampling arithmetic of unCLIP as Karlo was trained for it: no state, no hidden randomness.

The numbers are those of diffusers' ``UnCLIPScheduler``, to the last bit in float32. Its class is
not used because it keeps the timesteps of the last caller (so two threads spoil each other), draws
fresh noise of the whole batch's shape at every step (so a picture depends on its neighbours), and
makes a CUDA device wait for the host at every step.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from sing_core.errors import RenderError


class SharedNoise:
    """Gaussian noise from one seed, drawn once and shared by every picture of a strip.

    This is what one equally seeded generator per picture gives. Drawn in float32 on the CPU, so
    that all devices and precisions see the same noise.
    """

    def __init__(self, seed: int, *, state: Tensor | None = None) -> None:
        """Start at ``seed``, or go on from the ``state`` of another one with this seed."""
        self._generator = torch.Generator().manual_seed(seed)
        if state is not None:
            self._generator.set_state(state)

    @property
    def state(self) -> Tensor:
        """Where the sequence stands, to go on from."""
        return self._generator.get_state()

    def draw(self, side: int, device: str) -> Tensor:
        """Return the next ``(1, 3, side, side)`` of the sequence, float32 on ``device``."""
        return torch.randn((1, 3, side, side), generator=self._generator).to(device)


@dataclass(frozen=True, slots=True)
class UnclipStep:
    """Coefficients of one step from x_t to the next earlier x.

    Attributes:
        timestep: t, counted in training steps.
        signal: sqrt(alpha_bar_t), the share of the picture in x_t.
        noise: sqrt(1 - alpha_bar_t), the share of the noise in x_t.
        from_picture: weight of the predicted picture in the mean of the next x.
        from_sample: weight of x_t in it.
        low: log of the smaller variance (the posterior's), high: log of the larger one (beta).
        high: see ``low``; a network that learned its variance interpolates between the two.
        deviation: standard deviation put back where the variance was not learned.
    """

    timestep: int
    signal: float
    noise: float
    from_picture: float
    from_sample: float
    low: float
    high: float
    deviation: float


@dataclass(frozen=True, slots=True, eq=False)
class UnclipSchedule:
    """The cosine schedule of one stage.

    Attributes:
        learned_variance: whether the network gives three further channels for the variance.
        clip: the predicted picture is kept within ``[-clip, clip]``; infinity keeps it as it is.
        betas: ``(T,)`` float32, the noise that every training step added.
    """

    learned_variance: bool
    clip: float
    betas: Tensor

    @classmethod
    def cosine(cls, *, learned_variance: bool, train_steps: int = 1000, clip: float = 1.0) -> Self:
        """Build ``beta_t = 1 - a_(t+1) / a_t``, ``a_t = cos^2((t/T + 0.008) / 1.008 * pi/2)``."""

        def alpha_bar(share: float) -> float:
            return math.cos((share + 0.008) / 1.008 * math.pi / 2) ** 2

        betas = [
            min(1 - alpha_bar((t + 1) / train_steps) / alpha_bar(t / train_steps), 0.999)
            for t in range(train_steps)
        ]
        return cls(learned_variance, clip, torch.tensor(betas, dtype=torch.float32))

    def steps(self, count: int) -> tuple[UnclipStep, ...]:
        """Return ``count`` steps from pure noise to the picture.

        Raises:
            RenderError: fewer than two (both ends are always taken) or more than were trained.
        """
        train = len(self.betas)
        if not 2 <= count <= train:
            raise RenderError(f"A stage takes between 2 and {train} steps, got {count}.")
        ratio = (train - 1) / (count - 1)
        times = [int(t) for t in (np.arange(0, count) * ratio).round()[::-1].astype(np.int64)]
        return tuple(self._step(t, prev) for t, prev in zip(times, [*times[1:], -1], strict=True))

    def _step(self, t: int, previous: int) -> UnclipStep:
        # In float32 and in the scheduler's order: at t = 999 the picture is the difference divided
        # by 5e-5, so another rounding here would be visible there.
        alphas = 1.0 - self.betas
        products = torch.cumprod(alphas, dim=0)
        now = products[t]
        before = products[previous] if previous >= 0 else torch.tensor(1.0)
        adjacent = previous == t - 1
        beta = self.betas[t] if adjacent else 1 - now / before
        alpha = alphas[t] if adjacent else 1 - beta
        variance = (1 - before) / (1 - now) * beta
        return UnclipStep(
            timestep=t,
            signal=float(now**0.5),
            noise=float((1 - now) ** 0.5),
            from_picture=float(before**0.5 * beta / (1 - now)),
            from_sample=float(alpha**0.5 * (1 - before) / (1 - now)),
            low=float(variance.log()),
            high=float(beta.log()),
            deviation=float(torch.exp(0.5 * torch.log(variance.clamp(min=1e-20)))),
        )

    def advance(
        self, step: UnclipStep, output: Tensor, sample: Tensor, noise: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return the next earlier x and the picture predicted on the way, both ``(n, 3, h, w)``.

        ``output`` is ``(n, 3 or 6, h, w)`` of the network for x_t = ``sample``; ``noise`` is
        ``None`` at the last step alone.
        """
        predicted, interpolation = output[:, :3], output[:, 3:]
        picture = ((sample - step.noise * predicted) / step.signal).clamp(-self.clip, self.clip)
        mean = step.from_picture * picture + step.from_sample * sample
        if noise is None:
            return mean, picture
        if not self.learned_variance:
            return mean + step.deviation * noise, picture
        share = (interpolation + 1) / 2
        log_variance = share * step.high + (1 - share) * step.low
        return mean + (0.5 * log_variance).exp() * noise, picture
