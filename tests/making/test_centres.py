"""The centres that ship: how they are taken, and what is measured of the two readings."""

import json
import shutil

import pytest
import torch
from rich.progress import Progress

from sing_core.errors import WeightsUnavailableError
from sing_core.making.centres import make_centres, measure_readings
from sing_core.making.data import FILES
from sing_core.models.readings import find_centre, shipped_centre_path
from sing_core.models.references import space_id
from sing_core.settings import Settings
from tests import toy
from tests.prepared_sets import parquet

ROWS = 18


@pytest.fixture
def bench(toy_assets, toy_reference, tmp_path):
    shutil.copytree(toy_assets, tmp_path / "assets")
    shutil.rmtree(tmp_path / "assets" / "centres")
    return toy.make_bench(Settings(assets_dir=tmp_path / "assets", cache_dir=tmp_path / "cache"))


@pytest.fixture
def data(tmp_path):
    parquet(tmp_path / FILES["sample"], ROWS)
    return tmp_path


@pytest.mark.slow
def test_centres_are_means_and_both_readings_are_measured_by_them(bench, data):
    with Progress(disable=True) as bar:
        lines = list(make_centres(bench, data, bar))
        assert [line.partition(":")[0] for line in lines] == ["mini", "mini-vit"]
        centre = find_centre("mini", space_id("mini", bench.settings), bench.settings)
        assert (centre.details["images"], centre.details["file"]) == (str(ROWS), FILES["sample"])
        unit = torch.nn.functional.normalize(bench.vocabulary("mini").embeddings, dim=1)
        torch.testing.assert_close(centre.text, unit.mean(dim=0))
        first = shipped_centre_path(bench.settings, "mini").read_bytes()
        assert len(list(make_centres(bench, data, bar))) == 2
        assert find_centre("mini", centre.raw_space_id, bench.settings).digest == centre.digest
        assert len(first) < 8_000
        raw, read = measure_readings(bench, data, "lite0", "mini", bar)
    assert (raw["reference"], read["reference"]) == ("mini", "centred:mini")
    for row in (raw, read):
        json.dumps(row)
        assert abs(row["chelsea"]["as"]) <= row["chelsea"]["is"] + 1e-9
        assert 0 <= row["top1"] <= 1
        assert 0 <= row["top1_translated"] <= 1
    assert raw["angle_other_classes"] != read["angle_other_classes"]


def test_without_the_shared_photographs_there_is_a_sentence(bench, tmp_path):
    with Progress(disable=True) as bar, pytest.raises(WeightsUnavailableError, match="missing"):
        list(make_centres(bench, tmp_path / "nowhere", bar))
