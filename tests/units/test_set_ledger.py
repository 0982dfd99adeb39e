"""The ledger of a set: means of photos' own ledgers, a planted unit, random subspaces beside it."""

import json
from dataclasses import replace

import pytest
import torch

from sing_core.cli import unit_ledger, units
from sing_core.errors import ImageSetError
from sing_core.maths.head_variants import HeadVariant
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.statistics import clustered_mean
from sing_core.units import set_ledger as core
from sing_core.units.ledger import ledger
from sing_core.units.residual import sliced
from sing_core.units.set_ledger import mean_output, part_of_recorded, set_ledger
from sing_core.units.tokens import look_at
from tests.benches import exit_code
from tests.prepared_sets import class_folders


@pytest.fixture(scope="module")
def batch(crops):
    return crops[:12]


@pytest.fixture(scope="module")
def recorded(record):
    return record(["n01443537", "n02123045", "n02124075"] * 4)


@pytest.fixture(scope="module")
def linear(inside):
    return inside.deciding(HeadVariant(tuple(range(16))))


@pytest.mark.slow
def test_shares_of_a_set_are_the_means_of_its_photos_and_sum_to_one(
    inside, batch, recorded, linear
):
    found = set_ledger(inside, recorded.sums, recorded.images, linear)
    assert (found.images, found.nullity, found.over) == (12, 512 - 16, "classes")
    assert sum(unit.share.estimate for unit in found.units) == pytest.approx(1, abs=1e-6)
    assert sum(unit.random for unit in found.units) == pytest.approx(1, abs=1e-6)
    text = inside.vocabulary.embeddings[281]
    alone = torch.stack(
        [ledger(look_at(inside, one[None]), linear, text, "").shares.share for one in batch]
    )
    wnids = [row.wnid for row in recorded.images]
    for place in (0, 17, 84):
        unit = found.units[place]
        wanted = clustered_mean(alone[:, place].numpy(), wnids)
        assert unit.share.estimate == pytest.approx(wanted.estimate, abs=1e-5)
        assert unit.share.low == pytest.approx(wanted.low, abs=1e-5)
        assert unit.beyond.estimate == pytest.approx(unit.share.estimate - unit.random, abs=1e-9)
    first = found.as_rows()[0]
    assert first["unit"] in found.sentence
    assert first["low"] <= first["null_share"] <= first["high"]


@pytest.mark.slow
def test_blocks_of_images_change_nothing(inside, recorded, linear, monkeypatch):
    whole = set_ledger(inside, recorded.sums, recorded.images, linear).as_rows()
    mean = mean_output(inside, recorded.sums)
    monkeypatch.setattr(core, "_BLOCK", 5)
    parts = set_ledger(inside, recorded.sums, recorded.images, linear).as_rows()
    for one, other in zip(whole, parts, strict=True):
        assert one["null_share"] == pytest.approx(other["null_share"], abs=1e-6)
    torch.testing.assert_close(mean_output(inside, recorded.sums), mean)


@pytest.mark.slow
def test_the_mean_output_is_that_of_the_network(inside, batch, recorded):
    torch.testing.assert_close(
        mean_output(inside, recorded.sums), inside.tower.output(batch).mean(dim=0),
        rtol=1e-4, atol=1e-5,
    )  # fmt: skip


@pytest.mark.slow
def test_a_unit_that_writes_into_the_null_space_has_more_of_it_than_of_random_ones(
    inside, recorded
):
    step = torch.randn(384, generator=torch.Generator().manual_seed(0))
    written = inside.shares.into_output @ step
    length = float(mean_output(inside, recorded.sums).norm()) / float(written.norm())
    mlps = recorded.sums.mlps.clone()
    mlps[:, 11] += length * step  # as long as the whole output
    loud = replace(recorded.sums, mlps=mlps)
    turned = torch.cat([written.double()[:, None], torch.eye(512).double()], dim=1)
    others = torch.linalg.qr(turned).Q[:, 8:512]
    linear = LinearHead.from_weight(others.mT)  # sees all but eight directions, this one of them
    found = set_ledger(inside, loud, recorded.images, linear)
    assert found.nullity == 8
    assert found.as_rows()[0]["unit"] == "L11.MLP"
    planted = found.units[inside.tower.unit_names.index("L11.MLP")]
    assert planted.share.estimate > 0.8
    assert planted.random < 0.8
    assert planted.beyond.decided
    assert planted.beyond.estimate > 0


@pytest.mark.slow
def test_one_class_is_an_interval_over_its_images_and_a_wrong_one_is_refused(
    inside, recorded, linear
):
    sums, images, where = part_of_recorded(recorded, "goldfish")
    assert (len(sums), len(images), where) == (4, 4, "“goldfish”")
    found = set_ledger(inside, sums, images, linear, where)
    assert found.over == "images"
    assert found.units[0].share.clusters == 4
    assert "“goldfish”" in found.sentence
    with pytest.raises(ImageSetError, match="no class of ImageNet"):
        part_of_recorded(recorded, "unicorns of old")
    with pytest.raises(ImageSetError, match="no image of “jellyfish”"):
        part_of_recorded(recorded, "jellyfish")
    with pytest.raises(ImageSetError, match="needs an image"):
        set_ledger(inside, sliced(recorded.sums, []), (), linear)


@pytest.mark.slow
def test_a_head_that_reads_everything_has_no_ledger(inside, recorded):
    whole = LinearHead.from_weight(torch.eye(512))
    found = set_ledger(inside, recorded.sums, recorded.images, whole)
    assert found.as_rows() == []
    assert "Nothing of this set is hidden" in found.sentence


@pytest.fixture
def asked(real_bench, monkeypatch, capsys):
    monkeypatch.setattr(units, "open_bench", lambda settings: real_bench)

    def ask(*words):
        code = exit_code(monkeypatch, "ledger", *map(str, words))
        out, err = capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err

    return ask


@pytest.mark.slow
def test_the_command_prints_the_ledger_of_a_folder_and_of_a_class(asked, tmp_path):
    images = class_folders(tmp_path / "images", per_class=2)
    code, rows, err = asked("--images", images, "--classes", "0-15", "--top", "85", "--json")
    assert code == 0, err
    assert set(rows[0]) == {
        "unit", "null_share", "low", "high", "random_share", "beyond", "beyond_low", "beyond_high",
    }  # fmt: skip
    assert sum(row["null_share"] for row in rows) == pytest.approx(1, abs=1e-5)
    assert "wrote most" in err
    name = next(path.name for path in sorted(images.iterdir()))
    code, rows, err = asked("--images", images, "--class", name, "--json")
    assert (code, len(rows)) == (0, 85), err
    assert "intervals are over images" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Give a photo, or --images"),
        (("--class", "goldfish"), "Give a photo, or --images"),
        (("--images", "{folder}", "--class", "unicorns of old"), "no class of ImageNet"),
    ],
)
def test_what_is_no_question_is_refused_before_an_image_is_looked_at(
    words, said, asked, tmp_path, monkeypatch
):
    monkeypatch.setattr(unit_ledger, "_recorded", None)
    code, rows, err = asked(*(word.format(folder=tmp_path) for word in words))
    assert (code, rows) == (2, [])
    assert said in err
