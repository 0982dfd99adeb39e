"""Probes read what was planted where it was planted, and nothing where nothing is."""

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from sing_core.errors import ShapeError
from sing_core.maths.draws import one_draw
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.probing import DRAWS, Probed, random_subspaces, read_directions
from sing_core.maths.statistics import clustered_mean

FEATURES, RANK, KINDS, EACH = 40, 28, 4, 50
CHANCE = 1 / KINDS


def world(seed=0):
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(RANK, FEATURES, generator=generator)
    labels = torch.arange(KINDS).repeat(EACH)
    noise = torch.randn(len(labels), FEATURES, generator=generator, dtype=torch.float64)
    lead = torch.randn(KINDS, FEATURES, generator=generator, dtype=torch.float64)
    folds = torch.randint(5, (len(labels),), generator=generator)
    return HeadDecomposition.from_weight(weight), noise, lead[labels], labels, folds


def right(hits):
    return float(hits.double().mean())


def beyond_chance(hits):
    return binomtest(int(hits.sum()), len(hits), CHANCE).pvalue < 0.001


@pytest.mark.parametrize("seed", range(3))
def test_labels_that_only_the_null_part_has_are_read_there_and_nowhere_else(seed):
    head, noise, lead, labels, folds = world(seed)
    probed = Probed.of(noise + 3 * head.null_part(lead), labels, folds)
    assert right(probed.hits(head.null_basis)) > 0.9
    assert not beyond_chance(probed.hits(head.principal_basis))
    assert right(probed.hits()) > 0.9


def test_labels_that_only_the_principal_part_has_are_not_read_from_the_null_part():
    head, noise, lead, labels, folds = world()
    probed = Probed.of(noise + 3 * head.principal_part(lead), labels, folds)
    assert right(probed.hits(head.principal_basis)) > 0.9
    assert not beyond_chance(probed.hits(head.null_basis))


def test_more_features_than_images_read_no_label_that_is_not_there():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(200, 400, generator=generator)
    labels = torch.arange(KINDS).repeat(EACH)
    probed = Probed.of(features, labels, torch.randint(5, (200,), generator=generator))
    assert not beyond_chance(probed.hits()), "an image is read by a probe that never saw it"


def test_a_part_is_read_as_if_there_were_nothing_else():
    head, noise, lead, labels, folds = world()
    features, basis = noise + lead, head.null_basis
    alone = Probed.of(features @ basis, labels, folds)
    turned = basis @ torch.linalg.qr(torch.randn(12, 12, dtype=torch.float64)).Q
    probed = Probed.of(features, labels, folds)
    assert torch.equal(probed.hits(basis), alone.hits())
    assert torch.equal(probed.hits(turned), alone.hits()), "whatever basis it is written in"


def test_directions_that_the_head_reads_have_nothing_of_the_null_space():
    head, *_ = world()
    bases = [basis for drawn in read_directions(head, 12, 13) for basis in drawn.bases()]
    assert len(bases) == 13
    for basis in bases:
        assert head.null_part(basis.mT).abs().max() < 1e-12
        assert torch.allclose(basis.mT @ basis, torch.eye(12, dtype=torch.float64))
    (whole,) = read_directions(head, RANK, 13)
    assert len(whole.subsets) == 1, "all that it reads is one subspace, not many"
    with pytest.raises(ShapeError, match="reads 28"):
        read_directions(head, 29)


def test_at_least_fifty_random_subspaces_are_read_and_no_two_are_alike():
    bases = [basis for drawn in random_subspaces(FEATURES, 12) for basis in drawn.bases()]
    assert len(bases) == DRAWS >= 50
    shared = torch.stack([(one.mT @ bases[0]).square().sum() for one in bases[1:]])
    assert shared.max() < 12 - 1
    assert shared.mean() == pytest.approx(12 * 12 / FEATURES, rel=0.1), "as of independent ones"


def test_a_frame_is_read_as_each_of_its_subspaces_by_itself():
    _, noise, lead, labels, folds = world()
    probed = Probed.of(noise + lead, labels, folds)
    for drawn in random_subspaces(FEATURES, 12, 11):
        for hits, basis in zip(probed.hits_of(drawn), drawn.bases(), strict=True):
            assert torch.equal(hits, probed.hits(basis))


def test_what_cannot_be_told_apart_is_refused():
    with pytest.raises(ShapeError, match="at least two"):
        Probed.of(torch.zeros(3, 2), torch.zeros(3, dtype=torch.long), torch.arange(3))
    with pytest.raises(ShapeError, match="one label and one fold"):
        Probed.of(torch.zeros(3, 2), torch.zeros(2, dtype=torch.long), torch.arange(3))


@pytest.mark.slow
def test_the_interval_of_random_subspaces_holds_one_more_of_them_19_times_of_20():
    rng, held, narrow, tries, classes = np.random.default_rng(0), 0, 0, 500, 40
    for _ in range(tries):
        own, centre = 0.03 * rng.standard_normal(11), 0.05 * rng.standard_normal(classes)
        values = centre.repeat(5)[:, None] + own[:10] + 0.1 * rng.standard_normal((5 * classes, 10))
        of = np.arange(classes).repeat(5)
        found, plain = one_draw(values, of), clustered_mean(values.mean(axis=1), of, draws=99)
        assert found.estimate == pytest.approx(plain.estimate)
        held += found.low <= own[10] <= found.high
        narrow += plain.low <= own[10] <= plain.high
    assert binomtest(held, tries, 0.95).pvalue > 0.001, held
    assert narrow / tries < 0.6, "classes alone say nothing of the next subspace"
    with pytest.raises(ShapeError, match="two draws"):
        one_draw(values[:, :1], of)
