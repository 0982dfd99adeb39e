"""What a head is about: planted subjects are found, random heads are called special seldom."""

import json

import pytest
import torch
from scipy.stats import binomtest

from sing_core.errors import UnitsError
from sing_core.maths.text_span import TextSpan, text_span
from sing_core.models.text_pools import general_properties, text_pool
from sing_core.settings import Settings
from sing_core.units.moments import HeadMoments, shipped_moments
from sing_core.units.properties import (
    Specialisation,
    by_property,
    heads_by_subject,
    specialisation,
)
from tests.benches import exit_code

ABOUT = ("colour", "places", "animals", "food")


class OneHead:
    """Moments of one head whose rows are given: what ``specialisation`` asks of them."""

    def __init__(self, rows):
        self.rows, self.counts = rows, torch.ones(8, dtype=torch.float64)

    def are_of(self, identity):
        return True

    def stand_ins(self, inside, layer, head, folds):
        return torch.cat([self.rows[fold::8] for fold in folds])


def drawn(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def texts_of_four_properties(seed=0):
    """Eighty texts in 24 dimensions: those of a property lie in six dimensions of its own."""
    own = torch.linalg.qr(drawn(24, 24, seed=seed))[0].reshape(4, 6, 24)
    rows = torch.cat([drawn(20, 6, seed=seed + k + 1) @ own[k] for k in range(4)])
    names = tuple(about for about in ABOUT for _ in range(20))
    return torch.nn.functional.normalize(rows, dim=1), names, own


@pytest.mark.slow
def test_a_head_that_writes_of_one_property_is_special(inside):
    texts, about, own = texts_of_four_properties()
    moments = OneHead(drawn(160, 6, seed=9) @ own[2] + 0.05 * drawn(160, 24, seed=10))
    found = specialisation(inside, moments, texts, about, 3, 1)
    assert (found.head, found.subject, found.place) == ("L3.H1", "animals", 1)
    assert found.low <= found.share <= found.high
    assert found.share > 0.9
    assert sum(share for _, share in found.shares) == pytest.approx(1)
    assert "a subject of its own: animals" in found.sentence
    assert found.as_row()["draws"] == 39


@pytest.mark.slow
def test_heads_without_a_subject_are_called_special_one_time_in_twenty(inside):
    texts, about, _ = texts_of_four_properties()
    special = 0
    for seed in range(40):
        turn = torch.linalg.qr(drawn(24, 24, seed=1000 + seed))[0]
        moments = OneHead(drawn(64, 6, seed=seed) @ turn[:6])
        found = specialisation(inside, moments, texts, about, 0, 0, draws=19, seed=seed)
        special += found.is_special
    assert binomtest(special, 40, 0.05, alternative="greater").pvalue > 0.01
    assert "no subject of its own" in found.sentence or special


def test_a_head_that_writes_the_same_for_every_image_has_no_subject(inside):
    texts, about, _ = texts_of_four_properties()
    found = specialisation(inside, OneHead(torch.ones(16, 24).double()), texts, about, 0, 0)
    assert found.sentence == "L0.H0 writes the same for every image: it has no subject."
    assert found.as_row()["random_median"] is None


def test_shares_are_of_what_is_explained_and_sum_to_one():
    span = TextSpan((4, 0, 5), torch.tensor([0.3, 0.2, 0.1]), torch.eye(3), torch.zeros(3), 3)
    found = by_property(span, ("a", "a", "b", "b", "b", "c"))
    assert [name for name, _ in found] == ["b", "a", "c"]
    assert [share for _, share in found] == pytest.approx([1 / 2, 1 / 3, 1 / 6])


@pytest.mark.slow
def test_every_general_text_has_a_property_and_the_shipped_heads_are_all_put_in_order(
    real_bench, inside
):
    about = general_properties(real_bench.settings)
    assert len(about) == len(text_pool("general", real_bench.settings))
    assert 10 <= len(set(about)) <= 20
    moments = shipped_moments(inside, real_bench.settings)
    few = torch.nn.functional.normalize(drawn(200, 512, seed=3), dim=1)
    asked = []
    found = heads_by_subject(inside, moments, few, about[:200], lambda *done: asked.append(done))
    assert len(found) == 12 * 6
    assert asked[-1] == (72, 72)
    rows = moments.stand_ins(inside, 11, 5, list(range(8)))
    assert found[11, 5] == by_property(text_span(rows, few, 10), about[:200])


def test_moments_of_other_weights_are_refused(inside):
    other = HeadMoments(*(torch.zeros(1) for _ in range(4)), "of other weights")
    with pytest.raises(UnitsError, match="other weights"):
        specialisation(inside, other, torch.eye(3), ("a",) * 3, 0, 0)


@pytest.mark.slow
def test_the_command_prints_each_head_of_a_layer_beside_random_ones(capsys, monkeypatch):
    pool, about = text_pool("general", Settings())[::40], general_properties(Settings())[::40]
    monkeypatch.setattr("sing_core.models.text_pools.text_pool", lambda name, settings: pool)
    monkeypatch.setattr("sing_core.models.text_pools.general_properties", lambda settings: about)
    assert exit_code(monkeypatch, "head-properties", "--layer", 10, "--head", 3, "--json") == 0
    row = json.loads(capsys.readouterr().out)
    assert row["head"] == "L10.H3"
    assert row["draws"] == 39
    assert 1 <= row["place"] <= 40
    assert row["low"] <= row["share"] <= 1


def test_a_specialisation_says_how_many_random_heads_are_as_special():
    found = Specialisation("L1.H2", "food", 0.4, 0.3, 0.5, (("food", 0.4),), (0.2, 0.3, 0.45))
    assert (found.place, found.is_special) == (2, False)
    assert "1 of 3 random heads are as much about one thing" in found.sentence
