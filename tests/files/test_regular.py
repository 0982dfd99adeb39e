"""Regular files only, and never more of one than was asked for."""

import os
from pathlib import Path

import pytest

from sing_core.files.digests import sha256_of, sha256_once
from sing_core.files.regular import open_regular, read_regular


def test_a_file_and_a_link_to_it_are_read(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert read_regular(tmp_path / "a", 5) == read_regular(tmp_path / "b", 99) == b"12345"
    with pytest.raises(OSError, match="the file has 0 MB; up to 0 are read"):
        read_regular(tmp_path / "a", 4)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("path", ["/dev/zero", "/dev/full", "pipe", "folder", "gone", "zero\0byte"])
def test_anything_else_is_refused_at_once(tmp_path, path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match=r".") as refused:
        open_regular(tmp_path / path)
    assert refused.value.strerror
    assert len(os.listdir("/proc/self/fd")) == before
    with pytest.raises(OSError, match=r"."):
        sha256_of(Path(tmp_path / path))


def test_a_digest_is_read_again_when_the_file_is_another(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"1")
    first = sha256_once(path)
    state = path.stat()
    path.write_bytes(b"2")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert path.stat().st_mtime_ns == state.st_mtime_ns
    assert sha256_once(path) == sha256_of(path) != first
