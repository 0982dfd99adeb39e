"""What visitors send lies on the disk until a page reads it, and no session piles up too much.

Streamlit keeps the bytes of whatever a session ever sent in memory, whether a widget asked or not.
All sessions together have a bound too: the one that keeps most lets go of its oldest files first.
"""

import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from sing_core.sets.received import MAX_TOTAL_MB
from sing_core.settings import Settings

_PREFIX = "sing-sent-"
_UNUSED = 3  # photos that may wait where no set of them can be sent
_ALL_SESSIONS = 2  # times the largest set that can be sent
_MB = 2**20


def settle(settings: Settings) -> None:
    """Let this process keep what visitors send on its disk, as much a session as it has use for."""
    context = get_script_run_ctx(suppress_warning=True)
    manager = None if context is None else context.uploaded_file_mgr
    if isinstance(manager, MemoryUploadedFileManager):
        room_mb = MAX_TOTAL_MB if settings.typed_models else _UNUSED * settings.max_upload_mb
        bound(manager, room_mb * _MB, _ALL_SESSIONS * MAX_TOTAL_MB * _MB)


def bound(manager: MemoryUploadedFileManager, room_bytes: int, all_bytes: int) -> None:
    """Have ``manager`` keep files on disk, and of a session the latest of ``room_bytes`` together.

    All sessions keep ``all_bytes`` together: the one that has most lets go first.

    Once for each manager. Where the disk refuses, files stay in memory, and are bounded all the
    same.
    """
    if not isinstance(manager.add_file, _Adder):
        adder = _Adder(manager, room_bytes, all_bytes)
        manager.add_file = adder  # type: ignore[method-assign]


class _OnDisk:
    """Bytes in a file that goes with the last who knows of it."""

    def __init__(self, path: Path, payload: bytes) -> None:
        """Write ``payload``.

        Raises:
            OSError: the disk refuses.
        """
        self.path, self.size = path, len(payload)
        path.write_bytes(payload)

    def __del__(self) -> None:
        """Take the file away."""
        with suppress(OSError):
            self.path.unlink()


class _Sent(UploadedFileRec):
    """A file of a visitor whose bytes are read when they are wanted."""

    __slots__ = ()

    @property
    def data(self) -> bytes:
        """The bytes; none where the file was taken away from outside."""
        held = self[3]
        if not isinstance(held, _OnDisk):
            return held
        try:
            return held.path.read_bytes()
        except OSError:
            return b""


def _size(file: UploadedFileRec) -> int:
    held = file[3]
    return held.size if isinstance(held, _OnDisk) else len(held)


@dataclass(eq=False)
class _Adder:
    """Takes the place of a manager's ``add_file``."""

    manager: MemoryUploadedFileManager
    room_bytes: int
    all_bytes: int

    def __post_init__(self) -> None:
        self._add, self._place = self.manager.add_file, _own_folder()
        self._came: dict[str, int] = {}  # bytes by session, those that left among them

    def __call__(self, session_id: str, file: UploadedFileRec) -> None:
        self._add(session_id, self._laid_down(file))
        came = self._came[session_id] = self._came.get(session_id, 0) + len(file.data)
        if came > self.room_bytes:
            self._came[session_id] = self._make_room(session_id, self.room_bytes)
        if sum(self._came.values()) > self.all_bytes:
            self._share_out()
        elif len(self._came) > 2 * len(self.manager.file_storage) + 100:
            self._forget()

    def _forget(self) -> None:
        """Forget the sessions that left, and count anew what the others have."""
        there = list(self.manager.file_storage)
        self._came = {name: self._make_room(name, self.room_bytes) for name in there}

    def _share_out(self) -> None:
        """Let the sessions that have most let go until all have no more than there is room for."""
        self._forget()
        while (over := sum(self._came.values()) - self.all_bytes) > 0:
            most = max(self._came, key=lambda name: self._came[name])
            left = self._make_room(most, self._came[most] - over)
            if left == self._came[most]:  # one file alone: what came last is to be read
                break
            self._came[most] = left

    def _make_room(self, session_id: str, room: int) -> int:
        """Let go of the oldest files of a session that has too many; return what is left, bytes."""
        files = list(self.manager.file_storage.get(session_id, {}).values())  # as they came
        total = sum(map(_size, files))
        while len(files) > 1 and total > room:
            oldest = files.pop(0)
            total -= _size(oldest)
            self.manager.remove_file(session_id, oldest.file_id)
        return total

    def _laid_down(self, file: UploadedFileRec) -> UploadedFileRec:
        if self._place is None:
            return file
        try:
            held = _OnDisk(self._place / os.urandom(16).hex(), file.data)
        except OSError:
            return file
        return _Sent(file.file_id, file.name, file.type, held)  # type: ignore[arg-type]


def _own_folder() -> Path | None:
    """Return a folder of this process, and take away those of processes that were killed."""
    try:
        place = Path(tempfile.gettempdir())
        for left in place.glob(f"{_PREFIX}*"):
            owner = left.name.removeprefix(_PREFIX).split("-")[0]
            if owner.isdigit() and not _lives(int(owner)):
                shutil.rmtree(left, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))
    except OSError:
        return None


def _lives(process: int) -> bool:
    if process == os.getpid():
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        return True
    return True
