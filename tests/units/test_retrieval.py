"""Images by a head: constants change no order, a planted image is found, Gram matrices add up."""

from dataclasses import replace

import pytest
import torch

from sing_core.errors import UnitsError
from sing_core.units import retrieval
from sing_core.units.layer_norm import Shares
from sing_core.units.moments import HeadMoments
from sing_core.units.recorded import Recorded
from sing_core.units.residual import Sums, sliced
from sing_core.units.retrieval import (
    found_again,
    head_gram,
    head_outputs,
    images_like,
    images_like_photo,
    images_of_text,
    usual_output,
)


@pytest.fixture(scope="module")
def recorded(record):
    return record([f"n{k % 4}" for k in range(16)])


def changed(recorded, layer, head, place, values):
    heads = recorded.sums.heads.clone()
    heads[place, layer, head] += values
    rest = (getattr(recorded.sums, name) for name in Sums.__slots__[1:])
    return Recorded(Sums(heads, *rest), recorded.images, ())


@pytest.mark.slow
def test_the_image_that_a_text_was_planted_in_comes_first_for_this_head_alone(inside, recorded):
    direction = torch.randn(512, generator=torch.Generator().manual_seed(0))
    along = inside.shares.head_maps[10, 1].mT @ direction
    planted = changed(recorded, 10, 1, 7, 100 * along / along.norm())
    hits = images_of_text(inside, planted, 10, 1, direction, 3)
    assert (hits[0].image.name, hits[0].rank, len(hits)) == ("7", 1, 3)
    same = images_of_text(inside, planted, 10, 2, direction, 16)
    assert same == images_of_text(inside, recorded, 10, 2, direction, 16)


@pytest.mark.slow
def test_a_constant_changes_no_order(inside, recorded):
    direction = torch.randn(512, generator=torch.Generator().manual_seed(1))
    shifted = changed(recorded, 9, 0, slice(None), torch.ones(64))
    before, after = (
        [hit.image.name for hit in images_of_text(inside, found, 9, 0, direction, 16)]
        for found in (recorded, shifted)
    )
    assert before == after
    alike = [
        [hit.image.name for hit in images_like(inside, found, 9, 0, 2)]
        for found in (recorded, shifted)
    ]
    assert alike[0] == alike[1]
    assert "2" not in alike[0]


@pytest.mark.slow
def test_gram_matrices_are_symmetric_and_positive_and_outputs_are_those_of_the_shares(
    inside, recorded
):
    gram = head_gram(inside, recorded, 11, 3)
    torch.testing.assert_close(gram, gram.mT)
    assert float(torch.linalg.eigvalsh(gram).min()) >= -1e-6 * float(gram.diagonal().max())
    own = inside.shares.heads(recorded.sums)[:, 11, 3]
    found = head_outputs(inside, recorded.sums, 11, 3)
    torch.testing.assert_close(found, own, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["shared", "own"])
def test_scores_of_a_text_over_all_units_add_up_to_that_of_the_whole_output(
    inside, recorded, crops, variant
):
    inside = replace(inside, shares=Shares(inside.tower, variant))
    direction = torch.randn(512, generator=torch.Generator().manual_seed(4))
    layers, heads = len(inside.tower.layers), inside.tower.heads
    scores = sum(
        head_outputs(inside, recorded.sums, layer, head) @ direction
        for layer in range(layers)
        for head in range(heads)
    )
    shares = inside.shares
    others = shares.embedding(recorded.sums)[:, None], shares.mlps(recorded.sums)
    scores = scores + (torch.cat(others, dim=1) @ direction).sum(dim=1)
    whole = inside.tower.output(crops[:16]) @ direction
    assert float((scores - whole).abs().max()) <= 1e-5 * float(whole.abs().max())


@pytest.mark.slow
def test_a_photo_of_the_set_finds_what_its_own_place_finds(inside, recorded):
    own = sliced(recorded.sums, slice(5, 6))
    by_photo = images_like_photo(inside, recorded, 11, 3, own, 16)
    by_place = images_like(inside, recorded, 11, 3, 5, 15)
    others = [hit.image.name for hit in by_photo if hit.image.name != "5"]
    assert others == [hit.image.name for hit in by_place]


def test_a_few_images_that_hold_the_photo_are_not_its_opposite_by_arithmetic(inside, recorded):
    moments = HeadMoments.of(recorded.sums, inside.tower.identity)
    usual = usual_output(inside, moments, 11, 3)
    outputs = head_outputs(inside, recorded.sums, 11, 3).double()
    torch.testing.assert_close(usual, outputs.mean(dim=0), rtol=1e-4, atol=1e-5)
    own, few = (
        sliced(recorded.sums, slice(5, 6)),
        replace(recorded, sums=sliced(recorded.sums, slice(3, 6)), images=recorded.images[3:6]),
    )
    about_themselves = images_like_photo(inside, few, 11, 3, own, 3)
    rest = [hit.score for hit in about_themselves if hit.image.name != "5"]
    (itself,) = [hit.score for hit in about_themselves if hit.image.name == "5"]
    assert sum(rest) == pytest.approx(-itself, rel=1e-3), "whatever the head writes"
    beside_usual = images_like_photo(inside, few, 11, 3, own, 3, usual)
    whole = {
        hit.image.name: hit.score for hit in images_like_photo(inside, recorded, 11, 3, own, 16)
    }
    for hit in beside_usual:
        assert hit.score == pytest.approx(whole[hit.image.name], rel=1e-3, abs=1e-4)


def test_a_head_in_which_classes_were_planted_finds_them_again_and_chance_is_counted(
    inside, recorded
):
    found = found_again(inside, recorded, 11, 0, 3)
    assert found.chance == pytest.approx(3 / 15)
    assert found.share.low <= found.share.estimate <= found.share.high
    swing = torch.randn(4, 64, generator=torch.Generator().manual_seed(0))
    planted = changed(recorded, 11, 0, slice(None), 50 * swing.repeat(4, 1))
    assert found_again(inside, planted, 11, 0, 3).share.estimate == 1
    blocks = found_again(inside, planted, 11, 1, 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retrieval, "_BLOCK", 5)
        assert found_again(inside, planted, 11, 1, 3) == blocks


def test_images_of_one_class_say_nothing_of_finding_it_again(inside, recorded):
    rows = tuple(replace(row, wnid="") for row in recorded.images)
    with pytest.raises(UnitsError, match="of one class"):
        found_again(inside, Recorded(recorded.sums, rows, ()), 11, 0)
    rows = tuple(replace(row, wnid=row.name) for row in recorded.images)
    with pytest.raises(UnitsError, match="No class has two"):
        found_again(inside, Recorded(recorded.sums, rows, ()), 11, 0)


def test_small_classes_can_be_found_whole_and_single_images_are_not_asked(inside, recorded):
    names = ["a"] * 6 + ["b"] * 2 + [f"alone {k}" for k in range(8)]
    rows = tuple(replace(row, wnid=n) for row, n in zip(recorded.images, names, strict=True))
    groups = torch.tensor([0] * 6 + [1] * 2 + list(range(2, 10)))
    swing = torch.linalg.qr(torch.randn(64, 10, generator=torch.Generator().manual_seed(3)))[0].mT
    planted = changed(recorded, 11, 0, slice(None), 500 * swing[groups])
    found = found_again(inside, Recorded(planted.sums, rows, ()), 11, 0, 12)
    assert (found.share.estimate, found.top, found.images) == (1, 5, 8)
    assert found.chance == pytest.approx((5 + 1) / 2 / 15)
