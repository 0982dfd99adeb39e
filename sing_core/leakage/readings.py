"""Scores of a prepared set in the centred reading: made from its stored features when asked for."""

from pathlib import Path

from filelock import FileLock

from sing_core.errors import StaleArtefactError
from sing_core.leakage.score_files import facts_of, score_path
from sing_core.leakage.set_scores import score_facts, score_set
from sing_core.models.registry import ModelEntry, base_of
from sing_core.models.workbench import Workbench
from sing_core.sets.chunks import SetFolder


def reading_scores(bench: Workbench, folder: SetFolder, entry: ModelEntry, reference: str) -> Path:
    """Return where a set's scores in a centred ``reference`` lie; there are none if not prepared.

    A set that is scored in the raw reading needs no images for the other one. What ships is not
    written to: its scores in this reading lie under the cache folder.

    Raises:
        SingError: the reference has no centre, or a chunk of the set is missing or damaged.
        OSError: the disk refuses.
    """
    cache = bench.settings.cache_dir
    place = folder.path
    if not place.resolve().is_relative_to((cache / "prepared").resolve()):
        place = cache / "readings" / folder.facts.name
    path = score_path(place, entry.name, reference)
    prepared = (
        score_path(folder.path, entry.name, name) for name in (reference, base_of(reference))
    )
    if not any(scores.is_file() for scores in prepared):
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):  # whoever comes second finds them made
        if not _are_current(path, bench, folder, entry, reference):
            score_set(bench, folder, entry, reference, 0.0, place=place)
    return path


def _are_current(
    path: Path, bench: Workbench, folder: SetFolder, entry: ModelEntry, reference: str
) -> bool:
    translator = bench.translator(entry.name, reference)
    try:
        found = facts_of(path)
    except StaleArtefactError:
        return False
    facts = score_facts(folder, entry, reference, translator)
    return found in [facts | {"translator": digest} for digest in translator.digests]
