"""One damaged byte in anything that is kept: found, named in a sentence or mended, never believed.

Every kind of kept file is damaged at seeded random places. Reading it then gives what was right, or
a ``StaleArtefactError``; after that, doing again what made the file gives what was right.
"""

import os
import shutil

import numpy as np
import pytest
import torch

from sing_core.errors import StaleArtefactError
from sing_core.files.digests import sha256_of_bytes
from sing_core.files.receipts import build_once, receipt_path
from sing_core.files.store import Store
from sing_core.leakage import scored_sets, variant_scores
from sing_core.leakage.prepare import prepare
from sing_core.leakage.score_files import facts_of, query, score_path
from sing_core.leakage.set_scores import problem_path, score_set
from sing_core.maths.centre import Centre
from sing_core.maths.fitting import PairedRows, fit
from sing_core.maths.head_variants import HeadVariant
from sing_core.maths.translator import Translator
from sing_core.models.readings import own_centre_path
from sing_core.models.trunks import assemble_trunk, trunk_path
from sing_core.models.workbench import fitted_path
from sing_core.pictures.frame_cache import FrameCache
from sing_core.sets.chunks import FILE, SetFolder
from sing_core.settings import Settings
from tests import toy
from tests.bit_rot import PLACES, Kept, check
from tests.prepared_sets import class_folders, made_up_set

pytestmark = pytest.mark.slow  # many damaged files are read

DEAR = 12  # places, where every answer is computed again


@pytest.fixture
def bench(toy_assets, toy_reference, tmp_path, session_cache):
    shutil.copytree(session_cache / "head", tmp_path / "cache" / "head")
    return toy.make_bench(Settings(assets_dir=toy_assets, cache_dir=tmp_path / "cache"))


@pytest.fixture
def folder(bench):
    return made_up_set(bench, bench.settings.cache_dir / "prepared" / "made-up")


def rows(path):
    return query(path, "SELECT * FROM all_images ORDER BY row").to_pylist()


def test_scores_of_a_set(bench, folder):
    path = score_path(folder.path, "lite0", "mini")

    def read():
        return facts_of(path), rows(path)

    def again():
        score_set(bench, folder, bench.entry("lite0"), "mini", 0.0)

    assert check(Kept(path, read, again)) == PLACES


def test_what_a_set_says_of_images_without_a_score(bench, folder):
    path = score_path(folder.path, "lite0", "mini")

    def read():
        return score_set(bench, folder, bench.entry("lite0"), "mini", 0.0)

    check(Kept(problem_path(path), read, read), DEAR)


def test_what_a_set_says_of_itself(folder):
    def read():
        return SetFolder.open(folder.path).facts

    def again():
        SetFolder.create(folder.path, folder.facts)

    assert check(Kept(folder.path / FILE, read, again)) > PLACES // 2  # a blank is a blank


def test_features_of_a_set(bench, folder):
    digest = bench.entry("lite0").weights_digest
    whole = folder.chunk("lite0", digest, 0)

    def read():
        found = folder.chunk("lite0", digest, 0)
        return found.features.tolist(), found.images, found.problems

    def again():
        assert not folder.has("lite0", digest, 0)
        folder.save("lite0", digest, 0, whole)

    check(Kept(folder.path / "lite0" / "chunk-000000.safetensors", read, again))


def test_scores_where_some_classes_decide(bench, folder):
    scored = scored_sets.open_set(bench, "lite0", images="made-up")
    some = HeadVariant(classes=(0, 1, 281))

    def read():
        return rows(variant_scores.under(scored, some).path)

    path = variant_scores.under(scored, some).path
    assert check(Kept(path, read, read), DEAR) == 0  # made again at once


def test_scores_of_the_centred_reading(bench, folder):
    def read():
        return rows(scored_sets.open_set(bench, "lite0", reference="centred:mini").path)

    path = scored_sets.open_set(bench, "lite0", reference="centred:mini").path
    assert check(Kept(path, read, read), DEAR) == 0


@pytest.mark.parametrize("kind", ["head", "features", "vocabulary", scored_sets.CUTS])
def test_what_is_computed_once(tmp_path, kind):
    store = Store(tmp_path)

    def read():
        found = store.get_or_compute(
            kind, "key", lambda: {"a": torch.arange(50.0), "b": torch.ones(3)}, meta={"of": "this"}
        )
        return {name: value.tolist() for name, value in found.items()}

    read()
    assert check(Kept(store.path(kind, "key"), read, read)) == 0


def test_pictures(tmp_path):
    frame = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    cache = FrameCache(Store(tmp_path), 2**20)

    def read():
        found = cache.get("key")
        if found is None:  # dropped: drawn again
            cache.put("key", frame, {})
            found = cache.get("key")
        return found.tolist()

    read()
    assert check(Kept(cache.store.path("frames", "key"), read, read)) == 0


def test_uploads(tmp_path):
    payload = np.random.default_rng(0).bytes(200)
    store, key = Store(tmp_path), sha256_of_bytes(payload)

    def again():
        assert store.save_blob("uploads", key, payload, max_files=9, max_bytes=10**6)

    again()
    path = store.path("uploads", key).with_suffix(".blob")
    assert check(Kept(path, lambda: store.load_blob("uploads", key), again)) == PLACES


@pytest.mark.parametrize("architecture", ["linear", "mlp3"])
def test_translators(tmp_path, architecture):
    generator = torch.Generator().manual_seed(0)
    x, z = (torch.randn(60, width, generator=generator) for width in (6, 4))
    digests = tuple(sha256_of_bytes(bytes([n])) for n in range(60))
    seen = PairedRows(x, z, ("",) * 60, digests, "weights", "space")
    fitted = fit(seen, model="lite0", architecture=architecture, loss="mse").translator
    path = tmp_path / "lite0--mini.safetensors"
    fitted.save(path)

    def read():
        found = type(fitted).load(path)
        return found.apply(x).tolist(), found.model, found.space_id, found.details

    named = check(Kept(path, read, lambda: fitted.save(path)))
    assert named > PLACES // 2


def test_centres(tmp_path):
    centre = Centre(torch.arange(6.0), torch.ones(6), "space", {"images": "40"})
    path = tmp_path / "mini.safetensors"
    centre.save(path)

    def read():
        found = Centre.load(path)
        return found.space_id, found.image.tolist(), found.text.tolist(), found.details

    check(Kept(path, read, lambda: centre.save(path)))


def test_what_is_assembled(tmp_path):
    target, payload = tmp_path / "weights", np.random.default_rng(0).bytes(5_000)

    def build(fresh):
        fresh.mkdir()
        (fresh / "model.bin").write_bytes(payload)
        (fresh / "config.json").write_text("{}")

    def read():
        build_once(target, {"format": "1"}, build)
        return [(path.name, path.read_bytes()) for path in sorted(target.iterdir())]

    read()
    assert check(Kept(target / "model.bin", read, read)) == 0
    assert check(Kept(receipt_path(target), read, read)) == 0


def test_a_byte_that_changes_behind_the_time_of_change_is_found_by_the_next_process(
    tmp_path, session_cache
):
    settings = Settings(cache_dir=tmp_path)
    path, name = trunk_path("tf_efficientnet_lite0", settings), "tf_efficientnet_lite0"
    path.parent.mkdir()
    for file in (session_cache / "mini").glob(f"{name}.safetensors*"):
        shutil.copy2(file, path.parent / file.name)
    whole, state = path.read_bytes(), path.stat()
    with path.open("r+b") as file:  # as a disk does, not as a program
        file.seek(len(whole) // 2)
        file.write(bytes([whole[len(whole) // 2] ^ 4]))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert assemble_trunk(name, settings).read_bytes() == whole


def test_a_damaged_translator_and_centre_of_ones_own_are_fitted_again(bench, tmp_path):
    images = class_folders(tmp_path / "images", per_class=10)
    shipped = shutil.copytree(bench.settings.assets_dir, tmp_path / "assets")
    (shipped / "translators" / "lite0--mini.safetensors").unlink()
    (shipped / "centres" / "mini.safetensors").unlink()
    settings = bench.settings.model_copy(update={"assets_dir": shipped})
    prepare(toy.make_bench(settings), images, models=("lite0",), name="own", fit=True)
    files = [fitted_path(settings, "lite0", "mini"), own_centre_path(settings, "mini")]
    right = [path.read_bytes() for path in files]
    for path in files:
        payload = bytearray(path.read_bytes())
        payload[-9] ^= 1
        path.write_bytes(payload)
    with pytest.raises(StaleArtefactError, match="fit the translator again, or restore the file"):
        toy.make_bench(settings).translator("lite0", "mini")
    prepare(toy.make_bench(settings), images, models=("lite0",), name="own", fit=True)
    loaded = [Translator.load(files[0]).digests, Centre.load(files[1]).digest]
    for path, payload in zip(files, right, strict=True):
        path.write_bytes(payload)
    assert loaded == [Translator.load(files[0]).digests, Centre.load(files[1]).digest]
