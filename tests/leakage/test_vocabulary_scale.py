"""What is as good as 0, close and spurious is told by the reference's vocabulary, not by a list."""

import numpy as np
import pytest
import torch

from sing_core.leakage.concept_lists import ConceptList
from sing_core.leakage.concepts import concept_rows
from sing_core.leakage.scoring import Pairs, concept_scores
from sing_core.leakage.vocabulary_scale import FRACTION, scale_of

IMAGES, DIM, SIZE = 400, 48, 300
FORMER_BOUND_DEG = 0.1
UNRELATED = ("moon landing", "tax return", *(f"unrelated {i}" for i in range(18)))
LIST = (*UNRELATED, "camel", "desert")
OWN, DESERT = 0, 20  # places in the vocabulary: the class itself, and what its images show


class Planted:
    """Images of one class in front of a desert; the null part leans away from both, a little."""

    def __init__(self, seed=0):
        generator = torch.Generator().manual_seed(seed)

        def normal(*shape):
            return torch.randn(*shape, generator=generator, dtype=torch.float64)

        texts = torch.nn.functional.normalize(normal(SIZE, DIM), dim=-1)
        overlap = texts[DESERT] @ texts[OWN]
        texts[DESERT] -= (overlap + 0.1) * texts[OWN]  # nobody would take one for the other
        images = 3 * texts[OWN] + 3 * texts[DESERT] + 0.5 * normal(IMAGES, DIM) / DIM**0.5
        centre = images.mean(dim=0)
        frame = torch.linalg.qr(torch.stack([centre, texts[OWN], texts[DESERT]], dim=1)).Q
        away = normal(DIM)
        away = away - frame @ (frame.mT @ away)
        away = 0.01 * away / away.norm() + 2e-4 * normal(IMAGES, DIM) / DIM**0.5
        self.texts = texts
        self.vocabulary = self.scores(images, images - away, texts)
        unrelated = normal(len(UNRELATED), DIM)
        self.asked = torch.cat([unrelated, texts[[OWN, DESERT]]])
        self.scores_of_asked = self.scores(images, images - away, self.asked)

    @staticmethod
    def scores(z, equivalent, texts):
        nothing = torch.zeros(len(z))
        pairs = Pairs(z, equivalent, *[nothing] * 6)
        return torch.stack(concept_scores(pairs, texts)).numpy()

    def rows(self, bound=None):
        angle, score, _ = self.vocabulary.mean(axis=1)
        scale = scale_of(angle, score, self.texts, self.texts[OWN])
        listed = ConceptList(LIST, LIST, ())
        chosen = scale.bound_deg if bound is None else bound
        means_else = scale.means_else(self.asked)
        return scale, concept_rows(listed, self.scores_of_asked, scale, chosen, means_else)


def small(rows):
    return sum(row.p_equivalent <= 0.05 for row in rows)


def test_unrelated_concepts_are_not_all_as_good_as_0_but_by_the_former_rule_they_are():
    for seed in range(10):
        planted = Planted(seed)
        assert small(planted.rows()[1][:-2]) <= len(UNRELATED) / 2
        assert small(planted.rows(FORMER_BOUND_DEG)[1][:-2]) == len(UNRELATED)


def test_a_concept_that_the_head_reads_whole_is_as_good_as_0_and_spurious_if_it_is_another():
    for seed in range(10):
        _, (*_, own, desert) = Planted(seed).rows()
        assert (own.untouched, own.close) == (True, True)
        assert (own.loosely_related, own.spurious) == (False, False)
        assert (desert.untouched, desert.loosely_related, desert.spurious) == (True,) * 3


def test_what_is_close_does_not_depend_on_who_else_is_in_the_list():
    planted = Planted()
    _, rows = planted.rows()
    assert [row.close for row in rows[-2:]] == [True, True]
    assert sum(row.close for row in rows[:-2]) <= 3
    angle = planted.vocabulary[0].mean(axis=0)
    for row in rows:
        assert row.close is bool((angle < row.angle_before - 1e-9).sum() < 10)


def test_the_bound_is_a_fifth_of_the_spread_and_a_small_share_of_the_vocabulary_lies_within():
    scale, rows = Planted().rows()
    spread = np.std(Planted().vocabulary[1].mean(axis=0))
    assert scale.spread_deg == pytest.approx(spread)
    assert scale.bound_deg == rows[0].bound_deg == pytest.approx(FRACTION * spread)
    assert 0.02 < scale.within / scale.size < 0.4


def test_without_a_null_space_nothing_moves_and_without_a_class_nothing_is_spurious():
    planted = Planted()
    angle = planted.vocabulary[0].mean(axis=0)
    still = scale_of(angle, np.zeros(SIZE), planted.texts, None)
    assert still.bound_deg > 0
    assert still.means_else(planted.asked) == [False] * len(LIST)
    scores = planted.scores_of_asked * np.array([1, 0, 0])[:, None, None]
    listed, nothing = ConceptList(LIST, LIST, ()), [False] * len(LIST)
    rows = concept_rows(listed, scores, still, still.bound_deg, nothing)
    assert not any(row.spurious for row in rows)
