"""Null spaces cut to as many dimensions, so that classifiers of any width can be compared."""

import pytest
import torch

from sing_core.errors import StaleArtefactError
from sing_core.leakage.comparison import model_row
from sing_core.leakage.score_files import facts_of
from sing_core.leakage.scored_sets import open_set
from sing_core.leakage.variant_scores import under
from sing_core.maths.head_variants import WHOLE_HEAD
from sing_core.maths.null_cut import cut_controls
from sing_core.maths.scores import angle_deg
from tests import toy
from tests.leakage.variants import THREE, table

pytestmark = pytest.mark.slow  # sets are prepared


def test_a_larger_null_space_is_cut_to_as_many_dimensions(bench, settings):
    sets = [open_set(bench, model, images="made-up") for model in ("lite0", "vits")]
    cut, uncut = (under(scored, THREE, dimension=381) for scored in sets)
    assert (cut.nullity, cut.dimension, uncut.nullity, uncut.dimension) == (381, 381, 381, None)
    assert uncut.path == under(sets[1], THREE).path
    assert facts_of(cut.path)["dimension"] == "381"
    whole_null = bench.deciding("lite0", THREE).linear.head
    ((_, part),) = list(sets[0].features([0, 1]))
    removed = cut.linear.head.null_part(part)
    assert torch.allclose(whole_null.null_part(removed), removed, atol=1e-9)
    row = table(cut)[0]
    moved = bench.translator("lite0", "mini").apply(part[:1] - removed[:1])
    z = bench.translator("lite0", "mini").apply(part[:1])
    assert row["image_score_deg"] == pytest.approx(float(angle_deg(z, moved)), abs=1e-4)
    assert 0 < row["null_energy"] <= table(under(sets[0], THREE))[0]["null_energy"]
    assert model_row(cut).nullity == 381
    again = toy.make_bench(settings)
    kept = under(open_set(again, "lite0", images="made-up"), THREE, dimension=381)
    assert torch.equal(kept.linear.head.null_part(part), removed)


def test_the_random_controls_of_a_cut_are_cut_in_the_same_way(whole, bench):
    rows = table(under(whole, THREE, dimension=9))
    features = torch.cat([part for _, part in whole.features([row["row"] for row in rows])])
    moment = features.double().mT @ features.double()
    head, translator = bench.deciding("lite0", THREE).linear.head, bench.translator("lite0", "mini")
    controls = cut_controls(head, moment, 9, translator)
    z = translator.apply(features)
    found = controls.score(features, z, torch.ones(len(z)), z.flip(0)).dim_image_score
    asked = [row["control_dim_image_score_deg"] for row in rows]
    # Products in single precision round by how many images are taken at once: 3e-5 was seen.
    assert asked == pytest.approx(found.tolist(), abs=1e-3)


def test_a_cut_whose_directions_were_lost_is_made_again(whole, bench):
    cut = under(whole, THREE, dimension=7)
    bench.store.path("null-cuts", cut.path.stem).unlink()
    with pytest.raises(StaleArtefactError, match="are gone"):
        _ = cut.linear
    assert under(whole, THREE, dimension=7).linear.head.nullity == 7


def test_a_whole_head_can_be_cut_too(whole):
    cut = under(whole, WHOLE_HEAD, dimension=20)
    assert (cut.nullity, len(table(cut))) == (20, 20)
    assert under(whole, WHOLE_HEAD, dimension=280) is whole
