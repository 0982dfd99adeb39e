"""From a set of images to features, embeddings and scores; resumable, in constant memory.

Everything lies in one folder per set: features (float32, or float16 for packs) in chunks, scores as
one Parquet file per model. Scores are made from the stored features, so that whoever has these
can make them again to the last bit.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal

from sing_core.errors import ImageSetError, StaleArtefactError, WeightsUnavailableError
from sing_core.leakage.set_scores import Prepared, check_scored, score_set
from sing_core.models import registry
from sing_core.models.references import space_id
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.models.workbench import Workbench, fitted_path
from sing_core.sets.centring import keep_centre_of_set
from sing_core.sets.chunks import (
    CHUNK_ROWS,
    Precision,
    SetFacts,
    SetFolder,
    Stored,
)
from sing_core.sets.cluster import Job, extract_on_cluster, moments_on_cluster
from sing_core.sets.extract import Progress, extract, set_networks
from sing_core.sets.items import Source
from sing_core.sets.judged import judge
from sing_core.sets.originals import remember
from sing_core.sets.set_fit import FoldMoments, fit_set, run_moments, runs
from sing_core.sets.sources import open_source

Engine = Literal["local", "ray"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def prepare(
    bench: Workbench,
    images: Path,
    *,
    models: tuple[str, ...],
    reference: str = DEFAULT_REFERENCE,
    name: str | None = None,
    precision: Precision = "float32",
    embed: bool = False,
    fit: bool = False,
    engine: Engine = "local",
    workers: int | None = None,
    root: Path | None = None,
    chunk_rows: int = CHUNK_ROWS,
    strata: Mapping[str, str] | None = None,
    report: Callable[[Progress], object] = lambda progress: None,
    say: Callable[[str], object] = lambda note: None,
) -> tuple[Prepared, ...]:
    """Prepare a set for ``models``: extract what is missing, then score what changed.

    ``name`` None is the source's with a part of its key. ``embed`` also keeps the reference's
    embeddings, and their mean as its centre where it has none; ``fit`` does so and fits a
    translator from this set where there is none (each image is scored by a fit that did not see
    it). ``engine`` ``ray``: ``workers`` of a cluster show the images (None: one per GPU or
    machine). ``root`` None is the cache's; ``strata`` see ``SetFacts``; ``say`` hears of classes.

    Raises:
        SingError: images, model, reference or name cannot be used, or no image can be scored.
    """
    source = _judged(images, say)
    entries = [bench.entry(model) for model in models]
    listed = _set_name(source, name), source.key, source.total
    folder = _folder(bench, images, SetFacts(*listed, precision, chunk_rows, strata or {}), root)
    job = _job(bench, images, folder, entries, reference if embed or fit else None, workers)
    with folder.alone():
        rate = _extract(bench, job, entries, source, engine, report)
        for entry in entries if fit else ():
            _fit_where_missing(bench, job, entry, engine)
        made = [score_set(bench, folder, entry, reference, rate) for entry in entries]
    return tuple(check_scored(found) for found in made)


def _judged(images: Path, say: Callable[[str], object]) -> Source:
    """Return the source of the images, judged by its classes.

    Raises:
        ImageSetError: it cannot be read, or no image can be scored.
    """
    source = open_source(images)
    for note in judge(source):
        say(note)
    return source


def _folder(bench: Workbench, images: Path, facts: SetFacts, root: Path | None) -> SetFolder:
    """Return the set's folder, new or as it was left, and note where its images lie."""
    place = root or bench.settings.cache_dir / "prepared"
    folder = SetFolder.create(place / facts.name, facts)
    remember(folder, images, bench.settings)
    return folder


def _job(
    bench: Workbench,
    images: Path,
    folder: SetFolder,
    entries: list[registry.ModelEntry],
    reference: str | None,
    workers: int | None,
) -> Job:
    names = tuple(entry.name for entry in entries)
    paths = images.resolve(), folder.path.resolve()
    base = None if reference is None else registry.base_of(reference)  # embeddings are kept raw
    return Job(bench.settings, *paths, names, base, workers)


def _extract(
    bench: Workbench,
    job: Job,
    entries: list[registry.ModelEntry],
    source: Source,
    engine: Engine,
    report: Callable[[Progress], object],
) -> float:
    """Extract what is missing; return images per second, 0 where all was there.

    The reference that saw the images gets its centre from them where it has none.
    """
    if engine == "ray":
        stored = [Stored(entry.name, entry.weights_digest) for entry in entries]
        stored += [_space(bench, job.reference)] if job.reference else []
        found = extract_on_cluster(job, stored, report)
    else:
        networks = set_networks(bench, job.models, job.reference)
        folder, most = SetFolder.open(job.folder), bench.settings.max_pixels
        found = extract(source, networks, folder, max_pixels=most, report=report)
    if job.reference:
        keep_centre_of_set(bench, SetFolder.open(job.folder), _space(bench, job.reference))
    return found.rate if found.done > found.found else 0.0


def _space(bench: Workbench, reference: str) -> Stored:
    return Stored(reference, space_id(reference, bench.settings))


def _fit_where_missing(
    bench: Workbench, job: Job, entry: registry.ModelEntry, engine: Engine
) -> None:
    """Fit the translator of a classifier from the set, unless there is a sound one."""
    reference = job.reference or ""
    with suppress(StaleArtefactError, WeightsUnavailableError):  # damaged, or none
        bench.translator(entry.name, reference)
        return
    folder = SetFolder.open(job.folder)
    model, space = Stored(entry.name, entry.weights_digest), _space(bench, reference)
    moments: Iterable[FoldMoments] = (
        moments_on_cluster(job, model, space)
        if engine == "ray"
        else (run_moments(folder, model, space, run) for run in runs(folder))
    )
    fitted = fit_set(folder, model, space, moments)
    fitted.save(fitted_path(bench.settings, entry.name, reference))


def _set_name(source: Source, name: str | None) -> str:
    own = re.sub(r"[^A-Za-z0-9_.-]+", "-", source.name).strip("-.") or "images"
    chosen = f"{own[:40]}-{source.key[:8]}" if name is None else name
    if not _NAME.fullmatch(chosen):
        raise ImageSetError(
            f"“{chosen[:80]}” cannot name a set: up to 64 letters, digits, dots, dashes."
        )
    return chosen
