"""Several processes that share each batch of a training and average what they learn from it.

A step takes seconds, so processes wait for each other once a step where threads would at every
product; on busy processors that is the difference between twice as fast and no faster.
"""

import multiprocessing
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

# The first process measures between passes while the others wait.
_PATIENCE = timedelta(hours=6)


class Workers:
    """This process' place among the ``count`` that share a batch; place 0 speaks for all."""

    def __init__(self, place: int = 0, count: int = 1) -> None:
        """With one process nothing is exchanged."""
        self.place = place
        self.count = count

    def rows(self, size: int) -> slice:
        """Return which of ``size`` rows of a batch are this process'."""
        return slice(self.place, size // self.count * self.count, self.count)

    def average(self, gradients: list[Tensor]) -> None:
        """Put the mean over all processes in place of each of ``gradients``."""
        if self.count == 1:
            return
        import torch.distributed as dist

        joined = torch.cat([gradient.reshape(-1) for gradient in gradients]) / self.count
        dist.all_reduce(joined)
        sizes = [gradient.numel() for gradient in gradients]
        for gradient, mean in zip(gradients, torch.split(joined, sizes), strict=True):
            gradient.copy_(mean.view_as(gradient))

    def begin_alike(self, weights: list[Tensor]) -> None:
        """Put the first process' ``weights`` in place of everybody's.

        A seed alone does not make them alike: any other thread of a process may draw from the same
        generator meanwhile.
        """
        if self.count == 1:
            return
        import torch.distributed as dist

        for weight in weights:
            dist.broadcast(weight, src=0)

    def any(self, asked: bool) -> bool:
        """Whether any process was ``asked``; the same answer in all of them."""
        if self.count == 1:
            return asked
        import torch.distributed as dist

        flag = torch.tensor([float(asked)])
        dist.all_reduce(flag)
        return bool(flag[0] > 0)


def together(count: int, meeting: Path, work: Callable[..., None], *rest: Any) -> None:  # noqa: ANN401
    """Run ``work(workers, *rest)`` in this process and ``count - 1`` others; ends with all.

    ``meeting`` is a file that does not exist yet, in a folder all can write.
    """
    if count == 1:
        work(Workers(), *rest)
        return
    meeting.unlink(missing_ok=True)
    context, threads = multiprocessing.get_context("spawn"), torch.get_num_threads()
    others = [
        context.Process(
            target=_other, args=(threads, place, count, meeting, work, *rest), daemon=True
        )
        for place in range(1, count)
    ]
    for other in others:
        other.start()
    _join(0, count, meeting, work, *rest)
    for other in others:
        other.join()


def _other(threads: int, *rest: Any) -> None:  # noqa: ANN401
    """Join with as many threads as the first process: sums over as many parts round alike."""
    torch.set_num_threads(threads)
    _join(*rest)


def _join(place: int, count: int, meeting: Path, work: Callable[..., None], *rest: Any) -> None:  # noqa: ANN401
    import torch.distributed as dist

    dist.init_process_group(
        "gloo",
        init_method=meeting.absolute().as_uri(),
        rank=place,
        world_size=count,
        timeout=_PATIENCE,
    )
    try:
        work(Workers(place, count), *rest)
    finally:
        dist.destroy_process_group()
