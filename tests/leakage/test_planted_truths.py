"""Synthetic heads whose truth is known: what is planted is found, and nothing else."""

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from sing_core.leakage.scoring import Pairs, attribute_scores, image_scores
from sing_core.maths.controls import RandomSubspaces, random_basis
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.scores import angle_deg
from sing_core.maths.statistics import adjusted, paired_difference, student
from sing_core.maths.translator import Translator

CLASSES, FEATURES, RANK, DIM, PHOTOS = 100, 96, 48, 48, 24


class World:
    """A head with a null space of 48 of 96 dimensions, and a translator that sees all of it."""

    def __init__(self, seed, rank=RANK):
        self.generator = torch.Generator().manual_seed(seed)
        weight = self.normal(CLASSES, rank) @ self.normal(rank, FEATURES)
        head = HeadDecomposition.from_weight(weight)
        assert head.rank == rank
        self.linear = LinearHead(weight, torch.zeros(CLASSES), head)
        self.translator = Translator(self.normal(DIM, FEATURES) / FEATURES**0.5, torch.zeros(DIM))
        self.concept = self.normal(DIM)

    def normal(self, *shape):
        return torch.randn(*shape, generator=self.generator)

    def photos(self, planted=(), strength=0.15):
        """Return features ``(n, m)`` and labels; planted classes lean to the concept, unseen."""
        labels = torch.arange(CLASSES).repeat_interleave(PHOTOS)
        lead = self.linear.head.null_part(self.concept @ self.translator.weight)
        lead = lead / torch.linalg.vector_norm(lead)
        inside = self.linear.head.null_part(self.normal(len(labels), FEATURES))
        centres = self.normal(CLASSES, FEATURES)[labels] * 2
        seen = self.linear.head.principal_part(centres + self.normal(len(labels), FEATURES))
        hidden = torch.isin(labels, torch.tensor(list(planted), dtype=torch.long))
        lean = strength * FEATURES**0.5 * lead * hidden[:, None]
        return (seen + inside + lean).float(), labels.numpy()

    def tables(self, planted=()):
        """Return p values (adjusted) of the directed part, and of plain AS, class by class."""
        features, labels = self.photos(planted)
        pairs = Pairs.of(features, self.linear, self.translator)
        texts = self.concept.expand(len(features), DIM)
        plain, directed = (
            s.numpy().reshape(CLASSES, PHOTOS) for s in attribute_scores(pairs, texts)
        )
        assert (labels.reshape(CLASSES, PHOTOS) == np.arange(CLASSES)[:, None]).all()
        return by_class(directed), by_class(plain)


def by_class(scores):
    _, _, p = student(scores.mean(1), scores.std(1, ddof=1), np.full(len(scores), PHOTOS))
    return adjusted(p)


def exceeds(count, of, expected):
    """Return whether ``count`` is more than chance makes of ``expected``, once in a thousand."""
    return binomtest(count, of, expected, alternative="greater").pvalue < 0.001


def test_a_concept_in_the_null_space_of_5_of_100_classes_is_found_there_and_hardly_elsewhere():
    planted, found, false = (3, 17, 42, 66, 91), 0, 0
    for seed in range(20):
        flagged = set(np.flatnonzero(World(seed).tables(planted)[0] <= 0.05).tolist())
        found += len(flagged & set(planted))
        false += len(flagged - set(planted))
    assert found == 20 * 5
    assert false / (20 * 95) <= 0.05
    assert not exceeds(false, found + false, 0.05), "the false discovery rate"


@pytest.mark.slow
def test_with_nothing_planted_at_most_5_percent_of_runs_flag_anything():
    """By construction 5 %, of which half of all samples have more."""
    runs = [bool((World(20_000 + seed).tables()[0] <= 0.05).any()) for seed in range(1000)]
    assert not exceeds(sum(runs), len(runs), 0.05), sum(runs)


def test_plain_attribute_scores_would_flag_classes_although_nothing_is_planted():
    """Why the test is of the directed part: taking anything away already turns a feature."""
    world = World(7)
    world.concept = world.translator.apply(world.photos()[0][:PHOTOS].mean(dim=0)).float()
    directed, plain = world.tables()
    assert (plain <= 0.05).any()
    assert not (directed[1:] <= 0.05).any()


@pytest.mark.parametrize("rank", [24, 48, 80])
def test_a_null_space_of_any_size_without_leakage_is_no_worse_than_its_control(rank):
    world = World(11, rank)
    labels = torch.arange(CLASSES).repeat_interleave(8)
    features = world.normal(len(labels), FEATURES)
    pairs = Pairs.of(features, world.linear, world.translator)
    texts = world.normal(CLASSES, DIM)
    controls = RandomSubspaces.draw(world.translator, world.linear.head.nullity)
    scores = image_scores(features, pairs, labels, texts, controls)
    own = scores["attribute_score_deg"].abs()
    for control in ("dim", "energy"):
        other = scores[f"control_{control}_abs_attribute_score_deg"]
        found = paired_difference(own, other, labels)
        assert found.low <= 0, (control, found)


def test_more_null_space_without_leakage_does_move_more_which_is_why_there_are_controls():
    sizes = {}
    for rank in (24, 80):
        world = World(13, rank)
        pairs = Pairs.of(world.normal(400, FEATURES), world.linear, world.translator)
        plain, _ = attribute_scores(pairs, world.concept.expand(400, DIM))
        sizes[rank] = float(plain.abs().mean())
    assert sizes[24] > 1.5 * sizes[80]


def test_a_random_control_has_the_dimension_and_the_energy_that_it_says():
    basis = random_basis(FEATURES, 20, seed=3)
    assert torch.allclose(basis.mT @ basis, torch.eye(20, dtype=torch.float64), atol=1e-12)
    assert torch.equal(basis, random_basis(FEATURES, 20, seed=3))
    assert not torch.equal(basis, random_basis(FEATURES, 20, seed=4))
    world = World(0)
    features = world.normal(5, FEATURES)
    identity = Translator(torch.eye(FEATURES), torch.zeros(FEATURES))
    controls = RandomSubspaces.draw(identity, 20, seeds=(3,))
    inside = features.double() @ basis @ basis.mT
    wanted = torch.linalg.vector_norm(inside, dim=-1)
    texts, wide = world.normal(5, FEATURES), features.double()
    found = controls.score(features, wide, wanted / 2, texts)
    assert torch.allclose(found.dim_image_score, angle_deg(wide, wide - inside))
    assert torch.allclose(found.energy_image_score, angle_deg(wide, wide - inside / 2))
    same = controls.score(features, wide, wanted, texts)
    assert torch.allclose(same.dim_image_score, same.energy_image_score)


def test_a_head_without_null_space_scores_zero_everywhere():
    world = World(5)
    full = HeadDecomposition.from_weight(torch.eye(FEATURES))
    linear = LinearHead(torch.eye(FEATURES), torch.zeros(FEATURES), full)
    features = world.normal(6, FEATURES)
    pairs = Pairs.of(features, linear, world.translator)
    controls = RandomSubspaces.draw(world.translator, full.nullity)
    own = torch.zeros(6, dtype=torch.long)
    scores = image_scores(features, pairs, own, world.normal(3, DIM), controls)
    for name in ("image_score_deg", "attribute_score_deg", "control_dim_image_score_deg"):
        assert float(scores[name].abs().max()) < 1e-4, name
