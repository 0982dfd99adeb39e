"""Parquet files that unpack to far more than they have, and columns as people write them."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sing_core.errors import ImageSetError
from sing_core.files.regular import MB
from sing_core.sets import parquet_source
from sing_core.sets.sources import open_source
from tests.prepared_sets import WNIDS, jpeg


@pytest.mark.slow
def test_a_large_value_that_many_rows_name_is_read_once_at_a_time(tmp_path):
    value = bytes(20 * MB)
    column = pa.DictionaryArray.from_arrays(pa.array([0] * 20), pa.array([value]))
    path = tmp_path / "set.parquet"
    table = pa.table({"jpeg": column.cast(pa.binary()), "wnid": [WNIDS[0]] * 20})
    pq.write_table(table, path, dictionary_pagesize_limit=2**30)
    del table, column
    assert path.stat().st_size < 4 * MB
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    source = open_source(path)
    for item in source.items(0, 20):
        assert len(item.read()) == len(value)
        assert pool.bytes_allocated() - before < 150 * MB


@pytest.mark.slow
def test_so_is_a_large_name_of_a_class(tmp_path):
    path = tmp_path / "set.parquet"
    table = pa.table({"jpeg": [jpeg(0)] * 40, "wnid": ["x" * 10 * MB] * 40})
    pq.write_table(table, path, dictionary_pagesize_limit=2**30)
    del table
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    for _, own in open_source(path).listing():
        assert len(own) == 1_000
        assert pool.bytes_allocated() - before < 150 * MB


def test_a_value_that_is_too_large_is_told_by_its_row(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_source, "MOST_BYTES", 100)
    monkeypatch.setattr("sing_core.sets.items.MOST_BYTES", 100)
    pq.write_table(pa.table({"jpeg": [b"x" * 101, b"y"]}), tmp_path / "set.parquet")
    large, small = open_source(tmp_path / "set.parquet").items(0, 2)
    with pytest.raises(ImageSetError, match="up to 0 are read"):
        large.read()
    assert small.read() == b"y"


def test_as_many_rows_are_read_at_once_as_may_be(tmp_path):
    path = tmp_path / "set.parquet"
    pq.write_table(pa.table({"jpeg": [jpeg(n) for n in range(40)]}), path, use_dictionary=False)
    with pq.ParquetFile(path) as file:
        assert parquet_source._rows_at_once(file, 0, ["jpeg"], 32) == 32
        assert parquet_source._rows_at_once(file, 0, ["other"], 9) == 9


@pytest.mark.parametrize(
    ("image", "label"), [("Image", "Label"), ("JPEG", "WNID"), ("IMG", "Class"), ("image", "Cls")]
)
def test_columns_are_known_however_they_are_written(tmp_path, image, label):
    table = pa.table({"other": [b"x"] * 4, image: [jpeg(n) for n in range(4)], label: list(WNIDS)})
    pq.write_table(table, tmp_path / "set.parquet")
    source = open_source(tmp_path / "set.parquet")
    assert [item.wnid for item in source.items(0, 4)] == list(WNIDS)
    assert [item.read() for item in source.items(0, 4)] == [jpeg(n) for n in range(4)]


def test_a_column_in_small_letters_goes_first(tmp_path):
    table = pa.table({"Image": [b"no"], "image": [jpeg(0)], "Label": ["cat"], "label": [WNIDS[0]]})
    pq.write_table(table, tmp_path / "set.parquet")
    (item,) = open_source(tmp_path / "set.parquet").items(0, 1)
    assert (item.read(), item.wnid) == (jpeg(0), WNIDS[0])
