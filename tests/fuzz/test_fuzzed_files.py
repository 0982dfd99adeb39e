"""Files that were good once: only a ``SingError`` comes out, in two seconds and a gigabyte."""

import io
import json
import tarfile
import zipfile
import zlib

import pytest
import timm
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save, save_file

from sing_core.files.image_headers import PNG_SIGNATURE
from sing_core.files.images import decode_image
from sing_core.files.store import Store
from sing_core.files.weight_files import read_head, shapes_in
from sing_core.maths.translator import Translator
from sing_core.models.backbones import load_backbone
from sing_core.sets.archives import members_of_bytes
from sing_core.sets.sources import open_source
from sing_core.settings import Settings
from tests.files.test_images_hostile import repair, seeds_of_the_fuzzer
from tests.fuzz.mutations import CHANGES, answered, damaged, in_bounds, quickly
from tests.prepared_sets import class_folders, parquet

pytestmark = pytest.mark.slow
PICTURES = seeds_of_the_fuzzer()
HEADER = 2_000


@pytest.fixture(autouse=True)
def bounded():
    with in_bounds():
        yield


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(name):
    @quickly(250)
    @given(changes=CHANGES, whole=st.booleans())
    def check(changes, whole):
        payload = damaged(PICTURES[name], changes, 700)
        if whole and payload.startswith(PNG_SIGNATURE):  # so that the damage gets past checksums
            payload = repair(bytearray(payload))
        answered(lambda: decode_image(payload))

    check()


def test_weights_of_a_network(tmp_path):
    torch.manual_seed(0)
    weights = dict(timm.create_model("test_resnet", num_classes=10).state_dict())
    good, path = save(weights), tmp_path / "w.safetensors"

    @quickly(60)
    @given(changes=CHANGES)
    def check(changes):
        path.write_bytes(damaged(good, changes, HEADER))
        answered(lambda: shapes_in(path))
        answered(lambda: load_backbone(f"test_resnet@{path}", Settings()))

    check()


@st.composite
def headers(draw):
    """A safetensors file whose header is good JSON about tensors that are not there, or not so."""
    small = st.sampled_from([-1, 0, 1, 2, 3, 10, 2**31, 2**40, 2**63, 1.5, None, "2"])
    entry = st.fixed_dictionaries(
        {
            "dtype": st.sampled_from(
                ["F32", "F16", "BF16", "F64", "I8", "BOOL", "F8_E4M3", "X", 7]
            ),
            "shape": st.lists(small, max_size=4),
            "data_offsets": st.lists(small, min_size=1, max_size=3),
        }
    )
    name = st.sampled_from(["fc.weight", "fc.bias", "weight", "bias", "conv1.weight", "é", ""])
    text = json.dumps(draw(st.dictionaries(name, entry, max_size=4))).encode()
    length = draw(st.sampled_from([len(text), len(text) + 1, 2**40, 0]))
    return length.to_bytes(8, "little") + text + draw(st.binary(max_size=64))


@quickly(200)
@given(payload=headers())
def test_headers_of_weights_that_announce_what_is_not_there(payload, tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(payload)
    answered(lambda: shapes_in(path))
    answered(lambda: read_head(path))
    answered(lambda: load_backbone(f"test_resnet@{path}", Settings()))


def test_translators_and_artefacts(tmp_path, real_bench):
    shipped = real_bench.translator_path("lite0", "mini")
    store = Store(tmp_path)
    store.save("features", "x", {"features": torch.arange(6.0)}, {"image": "y"})
    small = store.path("features", "x")
    kept = small.read_bytes()
    folder = tmp_path / "translator.safetensors"
    good = shipped.read_bytes()

    @quickly(150)
    @given(changes=CHANGES)
    def artefacts(changes):
        small.write_bytes(damaged(kept, changes, HEADER))
        answered(lambda: store.load("features", "x", expect={"image": "y"}))

    @quickly(30)
    @given(changes=CHANGES)
    def translators(changes):
        folder.write_bytes(damaged(good, changes, HEADER))
        answered(lambda: Translator.load(folder))

    artefacts()
    translators()


def gone_through(path):
    """List a set and read its images, as preparing does."""
    source = open_source(path)
    list(source.listing())
    for item in source.items(0, min(source.total, 1_000)):
        answered(item.read)


def test_parquet_files(tmp_path):
    path = parquet(tmp_path / "good.parquet", 20)
    good, bad = path.read_bytes(), tmp_path / "bad.parquet"
    footer = len(good) - int.from_bytes(good[-8:-4], "little") - 8

    @quickly(600)
    @given(head=CHANGES, tail=CHANGES, which=st.sampled_from(["head", "tail", "both"]))
    def check(head, tail, which):
        start, end = good[:footer], good[footer:]
        start = start if which == "tail" else damaged(start, head, 400)
        bad.write_bytes(start + (end if which == "head" else damaged(end, tail)))
        answered(lambda: gone_through(bad))

    check()


def archives(tmp_path):
    folder = class_folders(tmp_path / "set")
    zipped, taped = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in folder.rglob("*.*"):
            archive.write(path, path.relative_to(folder))
    with tarfile.open(fileobj=taped, mode="w") as archive:
        archive.add(folder, ".")
    return {"zip": zipped.getvalue(), "tar": taped.getvalue()}


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_archives(kind, tmp_path):
    good, bad = archives(tmp_path)[kind], tmp_path / f"bad.{kind}"
    tail = len(good) - 900

    @quickly(250)
    @given(changes=CHANGES, at_end=st.booleans())
    def check(changes, at_end):
        payload = damaged(good, changes, 900)
        if at_end:
            payload = good[:tail] + damaged(good[tail:], changes)
        bad.write_bytes(payload)
        answered(lambda: gone_through(bad))
        if kind == "zip":
            answered(lambda: [member.read() for member in members_of_bytes(payload, "sent.zip")])

    check()


@quickly(60)
@given(level=st.integers(0, 9), length=st.integers(0, 2**24), cut=st.integers(0, 40))
def test_profiles_that_swell(level, length, cut):
    from tests.files.pictures import chunk, raw_png

    packed = zlib.compress(bytes(length), level)
    profile = chunk(b"iCCP", b"p\0\0" + packed[: len(packed) - cut])
    answered(lambda: decode_image(raw_png([bytes(9)] * 3, 3, 8, 2, (profile,))))


def test_what_is_good_is_still_read(tmp_path):
    for payload in PICTURES.values():
        assert decode_image(payload).width > 0
    save_file({"weight": torch.eye(3)}, tmp_path / "w.safetensors")
    assert shapes_in(tmp_path / "w.safetensors") == {"weight": (3, 3)}
    assert open_source(parquet(tmp_path / "good.parquet", 20)).total > 0
