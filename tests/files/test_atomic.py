"""Files that are whole or not there, whatever stops the writing."""

import os
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sing_core.files.atomic import write_atomically
from tests.shared_data import ROOT


@pytest.mark.slow
@given(payloads=st.lists(st.binary(max_size=5_000), min_size=1, max_size=3))
def test_the_last_of_several_writings_is_what_lies_there(tmp_path_factory, payloads):
    path = tmp_path_factory.mktemp("atomic") / "new" / "folder" / "file"
    for payload in payloads:
        write_atomically(path, payload)
        assert path.read_bytes() == payload
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("old", [b"the old file", None], ids=["replaced", "new"])
def test_a_disk_that_fills_up_half_way_leaves_what_was_there(tmp_path, old):
    path = tmp_path / "file"
    if old is not None:
        path.write_bytes(old)
    # The kernel itself refuses beyond 10 kB, after the first bytes were written.
    code = (
        "import resource, signal, sys; from pathlib import Path;"
        "from sing_core.files.atomic import write_atomically;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000));"
        "write_atomically(Path(sys.argv[1]), b'x' * 100_000)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "OSError: [Errno 27]" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ([] if old is None else ["file"])
    assert old is None or path.read_bytes() == old


def test_a_folder_in_the_way_is_not_touched(tmp_path):
    (tmp_path / "name").mkdir()
    (tmp_path / "name" / "inside").write_bytes(b"kept")
    with pytest.raises(IsADirectoryError) as refused:
        write_atomically(tmp_path / "name", b"new")
    assert refused.value.filename == str(tmp_path / "name")
    assert [p.name for p in tmp_path.iterdir()] == ["name"]
    assert (tmp_path / "name" / "inside").read_bytes() == b"kept"


def test_a_file_where_the_folder_should_be_is_an_error(tmp_path):
    (tmp_path / "folder").write_bytes(b"kept")
    with pytest.raises(OSError, match="folder"):
        write_atomically(tmp_path / "folder" / "file", b"new")
    assert (tmp_path / "folder").read_bytes() == b"kept"


@pytest.mark.slow
def test_readers_see_only_whole_files_while_several_write(tmp_path):
    path, size = tmp_path / "file", 200_000
    write_atomically(path, b"0" * size)
    letters = [letter.encode() for letter in "abcd"]

    def write_often(letter):
        for _ in range(20):
            write_atomically(path, letter * size)

    writers = [threading.Thread(target=write_often, args=(letter,)) for letter in letters]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        seen = path.read_bytes()
        assert len(seen) == size
        assert len(set(seen)) == 1, "two writings are mixed"
    for writer in writers:
        writer.join()
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_process_left_goes_after_an_hour_and_not_before(tmp_path):
    old, fresh = tmp_path / ".file.0123.tmp", tmp_path / ".file.4567.tmp"
    for leftover in (old, fresh):
        leftover.write_bytes(b"half")
    then = time.time() - 3_700
    os.utime(old, (then, then))
    write_atomically(tmp_path / "file", b"whole")
    assert sorted(p.name for p in tmp_path.iterdir()) == [".file.4567.tmp", "file"]
