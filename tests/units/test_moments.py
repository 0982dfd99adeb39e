"""Moments of heads stand for images: those that ship, and those that a person recorded."""

from dataclasses import replace

import pytest
import torch

from sing_core.cli import unit_words
from sing_core.errors import ImageSetError, StaleArtefactError, UnitsError
from sing_core.files.samples import SAMPLES, sample_bytes
from sing_core.making.unit_moments import check_same
from sing_core.maths.text_span import text_span
from sing_core.units.heads import head_words
from sing_core.units.inside import open_inside
from sing_core.units.layer_norm import Shares
from sing_core.units.moments import HeadMoments, keep_moments, kept_path, shipped_moments
from sing_core.units.residual import sliced
from tests.units.texts import texts


@pytest.mark.slow
def test_moments_stand_for_the_images_themselves(inside, sums):
    moments = HeadMoments.of(sums, inside.tower.identity)
    rows = inside.shares.heads(sums)[:, 9, 2].double()
    stand_ins = moments.stand_ins(inside, 9, 2, list(range(8)))
    torch.testing.assert_close(stand_ins.mean(0), rows.mean(0), rtol=1e-4, atol=1e-6)
    cov = torch.cov(rows.mT, correction=0)
    other = torch.cov(stand_ins.mT, correction=0)
    assert float((cov - other).norm() / cov.norm()) < 2e-3  # correlations are half precision
    _, embeddings = texts(inside)
    ours, theirs = (text_span(some, embeddings, 3, rank=20) for some in (stand_ins, rows))
    # Of 40 images in 66 dimensions half precision leaves the first directions alone as they were.
    assert ours.chosen == theirs.chosen
    torch.testing.assert_close(ours.gains, theirs.gains, rtol=0.03, atol=0)


@pytest.mark.slow
def test_moments_survive_the_disk_and_damage_is_named(inside, sums, tmp_path):
    moments = HeadMoments.of(sums, inside.tower.identity, {"set": "crops"})
    path = tmp_path / "moments.safetensors"
    moments.save(path)
    again = HeadMoments.load(path)
    assert (again.images, again.details) == (40, {"set": "crops"})
    torch.testing.assert_close(again.alike, moments.alike)
    payload = bytearray(path.read_bytes())
    payload[-5] ^= 255
    path.write_bytes(payload)
    with pytest.raises(StaleArtefactError, match="not those that were saved"):
        HeadMoments.load(path)


@pytest.mark.slow
def test_the_shipped_moments_are_of_the_network_that_ships(real_bench, inside):
    moments = shipped_moments(inside, real_bench.settings)
    assert moments.images == 4000
    labels, embeddings = texts(inside, 500)
    found = head_words(inside, moments, labels, embeddings, 11, 0, size=10)
    assert found.images == 4000
    assert len(found.words) == 10
    assert all(0 <= word.stability <= 1 for word in found.words)
    assert found.stable >= 1
    assert found.name in found.sentence


@pytest.mark.slow
def test_a_classifier_on_the_same_tower_has_the_same_moments_under_its_own_head(real_bench):
    classifier = open_inside(real_bench, "mini", "vits")
    moments = shipped_moments(classifier, real_bench.settings)
    labels, embeddings = texts(classifier, 500)
    found = head_words(classifier, moments, labels, embeddings, 11, 0, size=3)
    assert found.images == 4000
    assert not moments.are_of("another")
    with pytest.raises(UnitsError, match="recorded inside vits"):
        shipped_moments(
            replace(classifier, shares=Shares(replace(classifier.tower, identity="another"))),
            real_bench.settings,
        )


@pytest.mark.slow
def test_what_a_person_recorded_of_a_network_is_found_again_until_another_set_is(
    inside, sums, real_bench, tmp_path
):
    settings = real_bench.settings.model_copy(update={"cache_dir": tmp_path / "cache"})
    other = replace(inside, shares=Shares(replace(inside.tower, identity="b" * 64)))
    mine = HeadMoments.of(sums, "b" * 64, {"set": "crops"})
    assert keep_moments(mine, other, settings)
    found = shipped_moments(other, settings)
    assert (found.details, found.images) == ({"set": "crops"}, 40)
    few = HeadMoments.of(sliced(sums, slice(0, 9)), "b" * 64, {"set": "few"})
    assert keep_moments(few, other, settings)
    assert shipped_moments(other, settings).images == 9
    # Another network's are not its own, and what ships goes before what was recorded here.
    with pytest.raises(UnitsError, match="No set of images was recorded"):
        shipped_moments(
            replace(inside, shares=Shares(replace(inside.tower, identity="c" * 64))), settings
        )
    crops = HeadMoments.of(sums, inside.tower.identity, {"set": "crops"})
    assert not keep_moments(crops, inside, settings)
    assert shipped_moments(inside, settings).images == 4000
    path = kept_path(settings, other)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(StaleArtefactError):
        shipped_moments(other, settings)


@pytest.mark.slow
def test_the_command_that_records_images_leaves_words_for_the_page(
    inside, real_bench, capsys, tmp_path
):
    for sample in SAMPLES[:3]:
        (tmp_path / sample.file).write_bytes(sample_bytes(sample.name))
    other = replace(inside, shares=Shares(replace(inside.tower, identity="d" * 64)))
    with pytest.raises(UnitsError, match="No set of images was recorded"):
        shipped_moments(other, real_bench.settings)
    made = unit_words._moments(real_bench, other, tmp_path, quiet=True)
    assert "The Units page describes the heads of mini-vit" in capsys.readouterr().err
    found = shipped_moments(other, real_bench.settings)
    assert found.details == made.details
    assert (found.images, found.details["set"]) == (3, tmp_path.name)
    torch.testing.assert_close(found.alike, made.alike)


@pytest.mark.slow
def test_images_of_which_none_can_be_used_are_refused(inside, real_bench, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no image")
    with pytest.raises(ImageSetError, match="None of the images of"):
        unit_words._moments(real_bench, inside, tmp_path, quiet=True)


@pytest.mark.slow
def test_two_networks_with_one_tower_are_told_from_two_that_differ(inside, real_bench):
    check_same(inside, open_inside(real_bench, "mini", "vits"))
    shares = Shares(replace(inside.tower, begin=lambda batch: moved(inside.tower.begin(batch))))
    with pytest.raises(UnitsError, match="has not the tower"):
        check_same(inside, replace(inside, shares=shares))


def moved(begun):
    tokens, turns = begun
    return tokens * 1.01, turns
