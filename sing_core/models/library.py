"""What there is: every classifier of the table and every loaded one, on disk and in memory."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sing_core.errors import SingError
from sing_core.files import hub
from sing_core.files.packages import TEXT_TOWER, is_installed
from sing_core.models import registry
from sing_core.models.readings import centre_files, has_centre
from sing_core.models.reference_files import WEIGHTS
from sing_core.models.references import space_id
from sing_core.models.registry import ModelEntry, ReferenceEntry
from sing_core.models.workbench import fitted_path

if TYPE_CHECKING:
    from sing_core.models.workbench import Workbench
    from sing_core.settings import Settings

State = Literal["ships", "fetched", "missing", "typed"]


@dataclass(frozen=True, slots=True)
class LibraryRow:
    """One classifier as the Library shows it.

    Attributes:
        entry: what the table says of it; little for a typed name.
        state: its weights ship, were fetched, are missing, or came by a typed name.
        disk_bytes: what its weight files take; None while they are not here.
        memory_bytes: what it takes in memory; None while it is not loaded.
        has_translator: whether a translator into the reference of the survey is at hand.
    """

    entry: ModelEntry
    state: State
    disk_bytes: int | None
    memory_bytes: int | None
    has_translator: bool


def survey(bench: "Workbench", reference: str) -> tuple[LibraryRow, ...]:
    """Return the table's classifiers in its order, then those loaded by a typed name.

    Nothing is loaded or fetched for it.
    """
    settings, rows = bench.settings, registry.catalogue(bench.settings)
    loaded = {
        item.name: item.memory_bytes for item in bench.pool.contents() if item.kind == "classifier"
    }
    listed = [
        LibraryRow(
            entry, state_of(entry, settings), _disk(entry, settings), loaded.get(entry.name),
            _has_translator(entry.name, reference, settings),
        )
        for entry in rows
    ]  # fmt: skip
    known = {entry.name for entry in rows}
    typed = [name for name in bench.pool.classifiers if name not in known]
    listed += [
        LibraryRow(
            bench.entry(name),
            "typed",
            None,
            loaded.get(name),
            bench.translator_path(name, reference).is_file(),
        )
        for name in typed
    ]
    return tuple(listed)


def state_of(entry: ModelEntry, settings: "Settings") -> State:
    """Return whether the weights of a row ship, were fetched, or are missing here."""
    if entry.ships:
        from sing_core.models.trunks import source_of

        return "ships" if is_installed(source_of(entry.architecture)) else "missing"
    return "fetched" if all(path.is_file() for path in _files(entry, settings)) else "missing"


def is_here(entry: ModelEntry, settings: "Settings") -> bool:
    """Return whether the weights of a row are on this machine."""
    return state_of(entry, settings) != "missing"


def was_fetched(entry: ModelEntry, settings: "Settings") -> bool:
    """Return whether a row's weights were fetched by this product; without importing the client."""
    return bool(entry.repository) and hub.was_pinned(entry.repository, settings)


def reference_was_fetched(entry: ReferenceEntry, settings: "Settings") -> bool:
    """Return whether a reference was fetched by this product; without importing the client."""
    return bool(entry.repository) and hub.was_pinned(entry.repository, settings)


def reference_is_here(entry: ReferenceEntry, settings: "Settings") -> bool:
    """Return whether everything that a reference of the table is built from is on this machine."""
    if not entry.ships:
        places = (hub.cached(entry.repository, name, settings) for name in WEIGHTS)
        return any(place is not None for place in places)
    from sing_core.models.embedded_reference import embedded_reference
    from sing_core.models.trunks import source_of

    found = embedded_reference(entry.name)
    needed = [source_of(found.trunk), *TEXT_TOWER.values()]
    return found.head_path(settings).is_file() and all(is_installed(s) for s in needed)


def readings_here(name: str, settings: "Settings") -> tuple[str, ...]:
    """Return the names by which a reference can be read on this machine: raw, perhaps centred."""
    try:  # to know a space, open_clip may have to be imported: not for those without a file
        files = centre_files(settings, name)
        centred = bool(files) and has_centre(name, space_id(name, settings), settings)
    except SingError:  # its weights are not here, or what is here is damaged
        centred = False
    return (name, registry.in_reading(name, centred=True)) if centred else (name,)


def _files(entry: ModelEntry, settings: "Settings") -> list[Path]:
    """Return where a row's fetched files lie; a path that does not exist for one that does not."""
    wanted = [(entry.repository, entry.revision)]
    if entry.head_repository:
        wanted.append((entry.head_repository, ""))
    found = [hub.cached(repository, hub.WEIGHTS, settings, revision=r) for repository, r in wanted]
    return [path or Path("missing") / hub.WEIGHTS for path in found]


def _disk(entry: ModelEntry, settings: "Settings") -> int | None:
    if entry.ships:
        from sing_core.models.trunks import trunk_path

        paths = [trunk_path(entry.architecture, settings)]
    else:
        paths = _files(entry, settings)
    return sum(p.stat().st_size for p in paths) if all(p.is_file() for p in paths) else None


def _has_translator(name: str, reference: str, settings: "Settings") -> bool:
    own = fitted_path(settings, name, reference)
    return own.is_file() or (settings.assets_dir / "translators" / own.name).is_file()
