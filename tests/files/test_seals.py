"""Files that carry their own digest: what was written is read, and nothing else."""

import json
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sing_core.files.seals import (
    UNSEALED_PARQUET,
    facts_are_whole,
    parquet_is_whole,
    seal_parquet,
    sealed,
    sealed_facts,
    unsealed,
)


def parquet(path, *, texts=("a", "b"), slot=True):
    table = pa.table({"text": list(texts)})
    with pq.ParquetWriter(path, table.schema) as writer:
        writer.write_table(table)
        if slot:
            writer.add_key_value_metadata(UNSEALED_PARQUET)
    return path


def test_a_sealed_parquet_file_is_whole_and_any_other_byte_breaks_it(tmp_path):
    path = parquet(tmp_path / "a.parquet")
    seal_parquet(path)
    assert parquet_is_whole(path)
    assert pq.read_table(path)["text"].to_pylist() == ["a", "b"]
    whole = path.read_bytes()
    for place in range(len(whole)):
        payload = bytearray(whole)
        payload[place] ^= 1 + place % 255
        path.write_bytes(payload)
        os.utime(path, ns=(place, place))  # faster than the clock of some file systems
        assert not parquet_is_whole(path), place


def test_a_text_that_looks_like_a_seal_is_a_text(tmp_path):
    path = parquet(tmp_path / "a.parquet", texts=[UNSEALED_PARQUET["sing_seal"]] * 2)
    seal_parquet(path)
    assert parquet_is_whole(path)
    assert pq.read_table(path)["text"].to_pylist() == [UNSEALED_PARQUET["sing_seal"]] * 2


@pytest.mark.parametrize("payload", [b"", b"PAR1", b"\xff" * 12, b"no parquet at all"])
def test_what_has_no_seal_is_not_whole(tmp_path, payload):
    (tmp_path / "a.parquet").write_bytes(payload)
    assert not parquet_is_whole(tmp_path / "a.parquet")
    assert not parquet_is_whole(parquet(tmp_path / "b.parquet", slot=False))


def test_a_json_object_says_whether_its_entries_are_its_own():
    entries = {"name": "a", "rows": [1, 2.5, None], "more": {"b": "ü"}}
    text = json.dumps(sealed(entries))
    assert unsealed(json.loads(text)) == entries
    for damaged in (text.replace("2.5", "2.6"), text.replace("sha256", "sha257"), "[]", "{}"):
        with pytest.raises(ValueError, match=r"object|entries"):
            unsealed(json.loads(damaged))


def test_facts_say_whether_they_are_those_that_were_written():
    facts = sealed_facts({"model": "lite0", "detail.cosine": "0.71"})
    assert facts_are_whole(facts)
    assert not facts_are_whole(facts | {"detail.cosine": "0.91"})
    assert facts_are_whole({"model": "of an earlier version"})
