"""The store: bit-exact, whole or not there, computed once, and never a reason to lose a result."""

import errno
import json
import random
import struct
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
from tests.files.artefacts import META, basis, digest, same

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


@pytest.mark.slow
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
