"""Probes read what was planted where it was planted, and nothing where nothing is."""

import pytest
import torch
from scipy.stats import binomtest

from sing_core.errors import ShapeError
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.probing import Probed, random_subspaces, read_directions

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
    for basis in read_directions(head, 12, 3):
        assert head.null_part(basis.mT).abs().max() < 1e-12
        assert torch.allclose(basis.mT @ basis, torch.eye(12, dtype=torch.float64))
    with pytest.raises(ShapeError, match="reads 28"):
        read_directions(head, 29)
    first, second = random_subspaces(FEATURES, 12, 2)
    assert not torch.allclose(first, second)


def test_what_cannot_be_told_apart_is_refused():
    with pytest.raises(ShapeError, match="at least two"):
        Probed.of(torch.zeros(3, 2), torch.zeros(3, dtype=torch.long), torch.arange(3))
    with pytest.raises(ShapeError, match="one label and one fold"):
        Probed.of(torch.zeros(3, 2), torch.zeros(2, dtype=torch.long), torch.arange(3))
