"""The work of ``prepare`` on many machines: Ray Data hands chunks to workers.

A worker has networks of its own and writes whole chunks into the set's folder, which all machines
must see under one path. One that dies is started again and its chunk is done again: a chunk is
whole or not there, whoever writes it, and holds the same bytes.
"""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from sing_core.errors import ImageSetError, SingError
from sing_core.files.store import Store
from sing_core.models.device import torch_device
from sing_core.models.pool import ModelPool
from sing_core.models.workbench import Workbench
from sing_core.sets.chunks import SetFolder, Stored
from sing_core.sets.extract import Progress, extract, missing_under, set_networks
from sing_core.sets.set_fit import FoldMoments, run_moments, runs
from sing_core.sets.sources import open_source
from sing_core.settings import Settings

Report = Callable[[Progress], object]


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker must know; its paths mean the same on every machine.

    Attributes:
        settings: of the process that asks; ``images`` and ``folder`` are where they lie.
        models: classifiers to show the images to.
        reference: whose embeddings are kept too; None: nobody's.
        workers: how many there are; None: one per GPU, or per machine where there is no GPU.
        threads: CPU threads of each. Another number rounds otherwise: it is that of the process
            that asks, and so the bytes are those that it would write itself.
    """

    settings: Settings
    images: Path
    folder: Path
    models: tuple[str, ...]
    reference: str | None
    workers: int | None = None
    threads: int = field(default_factory=torch.get_num_threads)


class Extractor:
    """A worker: shows the images of one chunk after another to its own networks."""

    def __init__(self, job: Job) -> None:
        """Load the networks and list the images.

        Raises:
            SingError: a network or the images cannot be used on this machine.
        """
        torch.set_num_threads(job.threads)
        settings = job.settings
        bench = Workbench(settings, ModelPool(settings), Store(settings.cache_dir))
        self._max_pixels = settings.max_pixels
        self._folder = SetFolder.open(job.folder)
        self._source = open_source(job.images, key=self._folder.facts.key)
        if self._source.key != self._folder.facts.key:
            raise ImageSetError("A machine of the cluster sees other images at this path.")
        self._networks = set_networks(bench, job.models, job.reference)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Write the chunk ``batch["item"][0]``; return it with its number of unusable images."""
        (index,) = map(int, batch["item"])
        done = extract(
            self._source, self._networks, self._folder, max_pixels=self._max_pixels, only=[index]
        )
        return {"chunk": [index], "bad": [done.bad]}


class Summer:
    """A worker: returns the moments of one run of chunks after another."""

    def __init__(self, job: Job, model: Stored, reference: Stored) -> None:
        """Open the set."""
        torch.set_num_threads(job.threads)
        self._folder, self._model, self._reference = SetFolder.open(job.folder), model, reference
        self._runs = runs(self._folder)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        """Return the moments of the run ``batch["item"][0]``."""
        (index,) = map(int, batch["item"])
        found = run_moments(self._folder, self._model, self._reference, self._runs[index])
        return {"run": [index], "moments": [found]}


def extract_on_cluster(job: Job, networks: Sequence[Stored], report: Report) -> Progress:
    """Write every chunk that is not there yet under ``networks``, those of ``job``.

    Raises:
        SingError: Ray is not installed, or a worker cannot do its work.
    """
    folder = SetFolder.open(job.folder)
    missing = missing_under(networks, folder, range(folder.facts.chunks))
    progress = Progress(folder.facts.total)
    progress.begin(folder, missing)
    report(progress)
    wanted = [index for index, lacking in missing.items() if lacking]
    for row in _spread(Extractor, (job,), wanted, job):
        progress.end_chunk(len(folder.rows(int(row["chunk"]))), int(row["bad"]))
        report(progress)
    return progress


def moments_on_cluster(job: Job, model: Stored, reference: Stored) -> list[FoldMoments]:
    """Return the moments of all runs of the set, in their order.

    Raises:
        SingError: Ray is not installed, or a worker cannot do its work.
    """
    count = len(runs(SetFolder.open(job.folder)))
    rows = _spread(Summer, (job, model, reference), list(range(count)), job, gpu=False)
    found = {int(row["run"]): row["moments"] for row in rows}
    return [found[index] for index in range(count)]


def _spread(
    worker: type, arguments: tuple[Any, ...], items: list[int], job: Job, *, gpu: bool = True
) -> Iterator[dict[str, Any]]:
    """Yield what the workers return for ``items``, a task for each, as it comes."""
    if not items:
        return
    with _cluster() as ray:
        alive = [node for node in ray.nodes() if node["Alive"]]
        have = ray.cluster_resources()
        gpus = int(have.get("GPU", 0)) if gpu and torch_device(job.settings) == "cuda" else 0
        count = min(job.workers or gpus or len(alive), len(items))
        share = max(1, min(job.threads, int(have.get("CPU", 1)) // count))
        tasks = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
            worker,
            fn_constructor_args=arguments,
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=count, max_tasks_in_flight_per_actor=1),
            num_cpus=share,
            num_gpus=1 if gpus else 0,
        )
        try:
            yield from tasks.iter_rows()
        except ray.exceptions.RayError as error:
            raise _own(error) from error


@contextmanager
def _cluster() -> Iterator[Any]:
    """Yield ``ray``, connected: where the caller is, else to RAY_ADDRESS, else to this machine."""
    # Nothing is told to anybody; has to be said before Ray starts.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise SingError(
            "Ray is not installed: `pip install -r requirements-ray.txt`, or leave out "
            "`--engine ray`."
        ) from error
    began = not ray.is_initialized()
    if began:
        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)  # progress is ours to report
    try:
        yield ray
    finally:
        if began:
            ray.shutdown()


def _own(error: BaseException) -> SingError:
    """Return the worker's own sentence where it has one."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, SingError):
            return SingError(str(seen).splitlines()[-1])
        seen = getattr(seen, "cause", None) or seen.__cause__
    return SingError(f"A worker of the cluster failed: {str(error).splitlines()[-1][:150]}")
