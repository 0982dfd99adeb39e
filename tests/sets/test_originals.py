"""The images behind a prepared set: found while they are there, never mistaken for others."""

import pytest

from sing_core.errors import ImageSetError
from sing_core.files.digests import sha256_of_bytes
from sing_core.leakage.prepare import prepare
from sing_core.leakage.score_files import query, score_path
from sing_core.sets.chunks import SetFacts, SetFolder
from sing_core.sets.originals import are_here, original, remember
from tests.prepared_sets import WNIDS, class_folders, jpeg, parquet


@pytest.fixture
def opened(toy_bench, tmp_path):
    """Prepare a set; return the call that opens the image of a row, and its scores' rows."""

    def call(images):
        (made,) = prepare(toy_bench, images, models=("lite0",), root=tmp_path / "sets")
        scores = score_path(made.folder, "lite0", "mini")
        digests = query(scores, "SELECT digest FROM images ORDER BY row")["digest"].to_pylist()
        folder = SetFolder.open(made.folder)
        return lambda row: original(folder, row, digests[row], toy_bench.settings)

    return call


@pytest.mark.slow
def test_the_file_behind_a_score_is_opened(opened, tmp_path):
    find = opened(class_folders(tmp_path / "images", per_class=2))
    assert find(0) == (tmp_path / "images" / WNIDS[0] / "000.jpg").read_bytes()
    assert find(7) == (tmp_path / "images" / WNIDS[3] / "001.jpg").read_bytes()


@pytest.mark.slow
def test_so_is_the_row_of_a_parquet_file(opened, tmp_path):
    assert opened(parquet(tmp_path / "images.parquet", 9))(8) == jpeg(8)


@pytest.mark.slow
def test_another_file_in_its_place_is_not_shown(opened, tmp_path):
    find = opened(class_folders(tmp_path / "images", per_class=2))
    (tmp_path / "images" / WNIDS[0] / "000.jpg").write_bytes(jpeg(99))
    with pytest.raises(ImageSetError, match="no longer where they were prepared from"):
        find(0)
    assert find(1)


@pytest.mark.slow
def test_images_that_are_gone_or_were_never_here_are_said_to_be(opened, tmp_path, toy_bench):
    find = opened(class_folders(tmp_path / "images", per_class=2))
    (tmp_path / "images").rename(tmp_path / "elsewhere")
    with pytest.raises(ImageSetError, match="no longer where they were prepared from"):
        find(0)
    for note in (toy_bench.settings.cache_dir / "originals").iterdir():
        note.unlink()
    with pytest.raises(ImageSetError, match="only their features and scores"):
        find(0)


def test_a_damaged_note_of_where_they_lie_is_a_sentence(toy_bench, tmp_path):
    images = class_folders(tmp_path / "images", per_class=1, wnids=WNIDS[:1])
    settings = toy_bench.settings.model_copy(update={"cache_dir": tmp_path / "cache"})
    facts = SetFacts("noted", "d" * 64, 1, "float32")
    folder = SetFolder.create(tmp_path / "set", facts)
    remember(folder, images, settings)
    (note,) = (tmp_path / "cache" / "originals").iterdir()
    whole, payload = note.read_bytes(), (images / WNIDS[0] / "000.jpg").read_bytes()
    for place in range(len(whole)):
        note.write_bytes(whole[:place] + bytes([whole[place] ^ 0x80]) + whole[place + 1 :])
        assert not are_here(folder, settings)
        with pytest.raises(ImageSetError, match=r"\.$"):
            original(folder, 0, sha256_of_bytes(payload), settings)
    remember(folder, images, settings)
    assert original(folder, 0, sha256_of_bytes(payload), settings) == payload
