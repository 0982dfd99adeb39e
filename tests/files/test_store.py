"""The store: bit-exact, whole or not there, computed once, and never a reason to lose a result."""

import errno
import hashlib
import json
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sing_core.errors import StaleArtefactError
from sing_core.files import manifest as manifest_module
from sing_core.files.digests import content_key
from sing_core.files.store import Store

ROOT = Path(__file__).resolve().parents[2]
META = {"model": "tf_efficientnet_lite0", "weights": "0123"}


def basis() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return {
        "null_basis": torch.randn(20, 4, generator=generator, dtype=torch.float64).mT,
        "rank": torch.tensor(16),
    }


def same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(
        left[name].dtype == right[name].dtype
        and left[name].shape == right[name].shape
        and left[name].contiguous().numpy().tobytes() == right[name].contiguous().numpy().tobytes()
        for name in left
    )


def digest(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()


def run_python(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


arrays = st.one_of(
    [
        hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
        for dtype in (np.float64, np.float32, np.float16, np.int64, np.uint8, np.bool_)
    ]
)


@pytest.mark.slow
@given(content=st.dictionaries(st.text(min_size=1, max_size=8), arrays, max_size=3))
def test_a_round_trip_is_bit_exact(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, np.ndarray]
) -> None:
    store = Store(tmp_path_factory.mktemp("store"))
    tensors = {name: torch.from_numpy(array.copy()) for name, array in content.items()}
    tensors.pop("__metadata__", None)
    store.save("heads", "key", tensors, META)
    loaded = store.load("heads", "key", expect=META)
    assert loaded is not None
    assert same(loaded, tensors)


def test_views_strides_and_shared_memory_are_kept_as_values(tmp_path: Path) -> None:
    base = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    tensors = {"whole": base, "turned": base.mT, "part": base[1:, ::2], "same": base}
    tensors["grad"] = torch.ones(2, requires_grad=True)
    store = Store(tmp_path)
    store.save("a", "b", tensors, {})
    loaded = store.load("a", "b")
    assert loaded is not None
    for name, tensor in tensors.items():
        torch.testing.assert_close(loaded[name], tensor.detach(), rtol=0, atol=0)
        assert not loaded[name].requires_grad


def test_bfloat16_survives(tmp_path: Path) -> None:
    store = Store(tmp_path)
    tensor = torch.tensor([1.0, -2.5], dtype=torch.bfloat16)
    store.save("a", "b", {"x": tensor}, {})
    loaded = store.load("a", "b")
    assert loaded is not None
    assert loaded["x"].dtype is torch.bfloat16
    assert torch.equal(loaded["x"], tensor)


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    assert Store(tmp_path / "nowhere").load("heads", "key") is None
    assert not (tmp_path / "nowhere").exists()


def test_a_differing_fact_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.save("heads", "key", basis(), META)
    with pytest.raises(StaleArtefactError, match=r"weights is '0123' in the file .* '4567'"):
        store.load("heads", "key", expect={**META, "weights": "4567"})
    with pytest.raises(StaleArtefactError, match="rtol is None"):
        store.load("heads", "key", expect={"rtol": "1e-6"})
    assert store.load("heads", "key", expect={}) is not None


def test_another_format_version_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    monkeypatch.setattr(manifest_module, "FORMAT_VERSION", "0")
    store.save("heads", "key", basis(), META)
    monkeypatch.undo()
    with pytest.raises(StaleArtefactError, match="it has format 0, and this version reads 1"):
        store.load("heads", "key")


def test_the_manifest_tells_shapes_types_libraries_and_facts(tmp_path: Path) -> None:
    payload = Store(tmp_path).save("heads", "key", basis(), META).read_bytes()
    (length,) = struct.unpack("<Q", payload[:8])
    manifest = json.loads(json.loads(payload[8 : 8 + length])["__metadata__"]["manifest"])
    assert manifest["tensors"] == {"null_basis": ["float64", [4, 20]], "rank": ["int64", []]}
    assert manifest["libraries"]["torch"] == torch.__version__.partition("+")[0]
    assert manifest["meta"] == META


@pytest.mark.slow
def test_every_tampered_or_cut_file_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = store.save("heads", "key", basis(), META)
    payload = path.read_bytes()
    rng = random.Random(5)
    damaged = [payload[:length] for length in range(0, len(payload), 37)]
    for position in range(len(payload)):
        flipped = bytearray(payload)
        flipped[position] ^= rng.choice((0x01, 0x04, 0x80, 0xFF))
        damaged.append(bytes(flipped))
    for variant in damaged:
        path.write_bytes(variant)
        with pytest.raises(StaleArtefactError, match=r"heads/key\.safetensors"):
            store.load("heads", "key")
    path.write_bytes(payload)
    assert same(store.load("heads", "key") or {}, basis())


def test_a_foreign_safetensors_file_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    (tmp_path / "heads").mkdir()
    save_file({"x": torch.ones(1)}, tmp_path / "heads" / "key.safetensors")
    with pytest.raises(StaleArtefactError, match="manifest is missing"):
        Store(tmp_path).load("heads", "key")


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "a\\b", "a b", "ä", "a\n", "x" * 200])
def test_a_name_can_never_be_a_path(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path)
    for kind, key in ((name, "key"), ("kind", name)):
        with pytest.raises(ValueError, match="not a name"):
            store.load(kind, key)
        with pytest.raises(ValueError, match="not a name"):
            store.save(kind, key, {}, {})
        with pytest.raises(ValueError, match="not a name"):
            store.get_or_compute(kind, key, basis, meta={})


@given(st.lists(st.text() | st.binary()), st.lists(st.text() | st.binary()))
def test_content_keys_differ_whenever_the_parts_do(
    left: list[str | bytes], right: list[str | bytes]
) -> None:
    assert (content_key(*left) == content_key(*right)) == (left == right)


def test_content_keys_keep_the_borders_between_parts() -> None:
    assert content_key("ab", "c") != content_key("a", "bc")
    assert content_key("doc1", "acme") != content_key("doc1str:orgstr:acme")
    assert content_key("a") != content_key(b"a")
    assert content_key() == digest(b"")


def test_a_value_is_computed_once_and_then_read(tmp_path: Path) -> None:
    calls = []

    def compute() -> dict[str, torch.Tensor]:
        calls.append(1)
        return basis()

    first = Store(tmp_path).get_or_compute("heads", "key", compute, meta=META)
    second = Store(tmp_path).get_or_compute("heads", "key", compute, meta=META)
    assert len(calls) == 1
    assert same(first, second)
    assert first["null_basis"].is_contiguous()


@pytest.mark.parametrize("fault", ["damaged", "other facts"])
def test_a_stale_artefact_is_moved_aside_and_computed_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    store = Store(tmp_path)
    path = store.save("heads", "key", {"old": torch.zeros(3)}, META)
    old = path.read_bytes()
    if fault == "damaged":
        old = old[:-1]
        path.write_bytes(old)
    meta = META if fault == "damaged" else {**META, "weights": "4567"}
    assert same(store.get_or_compute("heads", "key", basis, meta=meta), basis())
    assert same(store.load("heads", "key", expect=meta) or {}, basis())
    assert path.with_suffix(".stale").read_bytes() == old
    assert "moved aside and computed again" in caplog.text
    assert store.problem is None


def test_an_error_of_the_computation_passes_through_and_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> dict[str, torch.Tensor]:
        raise OSError(errno.EIO, "a broken camera")

    store = Store(tmp_path)
    with pytest.raises(OSError, match="a broken camera"):
        store.get_or_compute("heads", "key", fail, meta={})
    assert store.problem is None
    assert same(store.get_or_compute("heads", "key", basis, meta={}), basis())


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


def test_a_blob_comes_back_under_its_digest(tmp_path: Path) -> None:
    store, payload = Store(tmp_path), b"\xff\xd8 a photo"
    key = digest(payload)
    assert store.load_blob("photos", key) is None
    assert store.save_blob("photos", key, payload, max_files=9, max_bytes=99)
    assert store.load_blob("photos", key) == payload
    with pytest.raises(ValueError, match="SHA-256"):
        store.save_blob("photos", "0" * 64, payload, max_files=9, max_bytes=99)


def test_a_changed_blob_is_refused(tmp_path: Path) -> None:
    store, payload = Store(tmp_path), b"a photo"
    key = digest(payload)
    store.save_blob("photos", key, payload, max_files=9, max_bytes=99)
    (path,) = (tmp_path / "photos").glob("*.blob")
    path.write_bytes(b"a phot0")
    with pytest.raises(StaleArtefactError, match="damaged"):
        store.load_blob("photos", key)


@pytest.mark.parametrize("key", ["", "../secret", "A" * 64, "0" * 63, "0" * 64 + "\n", "/etc/x"])
def test_a_key_that_is_no_digest_names_nothing(tmp_path: Path, key: str) -> None:
    (tmp_path / "secret.blob").write_bytes(b"hidden")
    (tmp_path / "photos").mkdir()
    assert Store(tmp_path).load_blob("photos", key) is None


def save_photos(store: Store, photos: list[bytes], *, max_files: int, max_bytes: int) -> None:
    for age, photo in enumerate(photos):
        key = digest(photo)
        assert store.save_blob("photos", key, photo, max_files=max_files, max_bytes=max_bytes)
        os.utime(store.root / "photos" / f"{key}.blob", (1000 + age, 1000 + age))


def kept(store: Store, photos: list[bytes]) -> list[bool]:
    return [store.load_blob("photos", digest(photo)) is not None for photo in photos]


def test_the_oldest_blobs_go_beyond_the_number_of_files(tmp_path: Path) -> None:
    store, photos = Store(tmp_path), [bytes([index]) * 10 for index in range(5)]
    save_photos(store, photos, max_files=3, max_bytes=10_000)
    assert kept(store, photos) == [False, False, True, True, True]


def test_the_oldest_blobs_go_beyond_the_number_of_bytes(tmp_path: Path) -> None:
    store, photos = Store(tmp_path), [bytes([index]) * 10 for index in range(5)]
    save_photos(store, photos, max_files=99, max_bytes=25)
    assert kept(store, photos) == [False, False, False, True, True]


def test_a_blob_seen_again_counts_as_new(tmp_path: Path) -> None:
    store, photos = Store(tmp_path), [bytes([index]) * 10 for index in range(3)]
    save_photos(store, photos, max_files=3, max_bytes=10_000)
    store.save_blob("photos", digest(photos[0]), photos[0], max_files=2, max_bytes=10_000)
    assert kept(store, photos) == [True, False, True]


def test_a_blob_beyond_the_bounds_is_not_kept(tmp_path: Path) -> None:
    store, payload = Store(tmp_path), b"x" * 100
    assert not store.save_blob("photos", digest(payload), payload, max_files=9, max_bytes=99)
    assert not store.save_blob("photos", digest(payload), payload, max_files=0, max_bytes=999)
    assert store.problem is None
    assert not any(tmp_path.rglob("*.blob"))
