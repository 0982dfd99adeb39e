"""Refusing disks, killed processes, several at once: whole files or none."""

import errno
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
import torch

from sing_core.files.store import Store
from tests.files.artefacts import META, basis, digest, same

ROOT = Path(__file__).resolve().parents[2]


def run_python(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EACCES, "not allowed"),
        (errno.EPERM, "not permitted"),
    ],
)
def test_a_disk_that_refuses_costs_no_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    store, payload = Store(tmp_path), b"a photo"

    def refuse(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        assert same(store.get_or_compute("heads", "key", basis, meta=META), basis())
        assert store.problem is not None
        assert words in store.problem
        store.problem = None
        assert not store.save_blob("photos", digest(payload), payload, max_files=9, max_bytes=99)
        assert words in (store.problem or "")
    assert not [path for path in tmp_path.rglob("*") if path.suffix in (".safetensors", ".tmp")]
    store.get_or_compute("heads", "key", basis, meta=META)
    assert store.problem is None  # the disk is well again
    assert store.load("heads", "key") is not None


def test_a_root_that_cannot_be_a_folder_costs_no_result(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = Store(tmp_path / "file")
    assert same(store.get_or_compute("heads", "key", basis, meta=META), basis())
    assert (store.problem or "").startswith("Results are not kept for the next start: ")


READ_ONLY = """
import os, sys, torch
from pathlib import Path
from sing_core.files.store import Store
if os.geteuid() == 0:
    os.setuid(65534)
store = Store(Path(sys.argv[1]))
assert store.load("heads", "old") is not None
old = store.get_or_compute("heads", "old", dict, meta={})
new = store.get_or_compute("heads", "new", lambda: {"x": torch.ones(2)}, meta={})
print(sorted(old), new["x"].sum().item(), store.problem)
"""


@pytest.mark.slow
def test_a_really_read_only_folder_is_read_and_not_written() -> None:
    # Not under tmp_path: its parents are closed to other users, and the process may become one.
    with tempfile.TemporaryDirectory() as name:
        top, root = Path(name), Path(name) / "cache"
        Store(root).save("heads", "old", {"kept": torch.ones(1)}, {})
        for folder in (root / "heads", root, top):
            folder.chmod(0o555)
        output = run_python(READ_ONLY, root).communicate(timeout=120)[0]
        for folder in (top, root, root / "heads"):
            folder.chmod(0o755)
        files = [path.name for path in (root / "heads").iterdir()]
    assert output.strip() == (
        "['kept'] 2.0 Results are not kept for the next start: writing there is not allowed."
    )
    assert files == ["old.safetensors"]


SAVE_FOREVER = """
import sys, torch
from pathlib import Path
from sing_core.files.store import Store
store = Store(Path(sys.argv[1]))
print("ready", flush=True)
turn = 0
while True:
    turn += 1
    store.save("heads", f"key{turn % 3}", {"x": torch.full((200_000,), float(turn))}, {})
"""


@pytest.mark.slow
def test_a_killed_process_leaves_only_whole_files(tmp_path: Path) -> None:
    rng, store, found = random.Random(11), Store(tmp_path), 0
    for _ in range(4):
        process = run_python(SAVE_FOREVER, tmp_path)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0.05, 0.5))
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
        process.stdout.close()
        for index in range(3):
            loaded = store.load("heads", f"key{index}")
            if loaded is not None:
                found += 1
                assert loaded["x"].unique().numel() == 1
    assert found > 0
    for leftover in (tmp_path / "heads").glob(".*.tmp"):
        os.utime(leftover, (1, 1))
    store.save("heads", "last", {}, {})
    assert not list((tmp_path / "heads").glob(".*.tmp"))


COMPUTE_ONCE = """
import sys, time, torch
from pathlib import Path
from sing_core.files.store import Store
root = Path(sys.argv[1])
def compute():
    with open(root / "calls", "a") as file:
        file.write("x")
    time.sleep(1.0)
    return {"x": torch.arange(5)}
print("ready", flush=True)
sys.stdin.readline()
print(Store(root).get_or_compute("heads", "key", compute, meta={})["x"].sum().item())
"""


@pytest.mark.slow
def test_two_processes_compute_once(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", COMPUTE_ONCE, str(tmp_path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60)[0] for process in processes] == ["10\n", "10\n"]
    assert (tmp_path / "calls").read_text() == "x"


@pytest.mark.slow
def test_eight_threads_compute_once(tmp_path: Path) -> None:
    store, calls, results = Store(tmp_path), [], []

    def compute() -> dict[str, torch.Tensor]:
        calls.append(1)
        time.sleep(0.2)
        return basis()

    def ask() -> None:
        results.append(store.get_or_compute("heads", "key", compute, meta=META))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1
    assert len(results) == 8
    assert all(same(result, basis()) for result in results)
