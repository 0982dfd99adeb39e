"""Real images that the classifier hardly tells apart: planted twins find each other."""

import pytest
import torch

from sing_core.leakage.real_pairs import logit_coordinates, real_pairs
from sing_core.maths.scores import angle_deg
from tests.leakage.planted_sets import EACH, planted

pytestmark = pytest.mark.slow  # sets are prepared
LABELS = (0, 1, 281, 555)  # of the wnids of the made-up set


def twins(bench):
    """Return what makes features in pairs: one principal part, and opposite null parts."""

    def features_of(entry, n):
        generator = torch.Generator().manual_seed(4)
        head = bench.classifier(entry.name).linear.head
        half = torch.rand(n // 2, entry.feature_dim, generator=generator)
        seen, inside = head.principal_part(half), head.null_part(half)
        return torch.cat([seen + inside, seen - inside]).float()

    return features_of


def test_twins_that_differ_in_the_null_space_alone_find_each_other(bench):
    scored = planted(bench, "twins", twins(bench))
    found = real_pairs(scored, 1)
    half = 2 * EACH
    assert {pair.row: pair.other_row for pair in found.rows} == {
        row: (row + half) % (2 * half) for row in range(2 * half)
    }
    assert found.logit_distance < 1e-4
    assert (found.agreeing, found.nearest < 1e-4) == (1, True)
    assert found.sentence.startswith("Most images have one that nearly agrees: the nearest in")
    assert "which the classifier does tell apart" not in found.meaning
    for pair in found.rows:
        assert pair.swapped == pytest.approx(pair.angle, abs=1e-3), "the twin is the equivalent"
        assert pair.label == LABELS[pair.row // EACH]
    assert found.null_distance > 1


def near_twins(bench):
    """Return what makes twins whose null parts differ by little: others' are farther away."""

    def features_of(entry, n):
        generator = torch.Generator().manual_seed(6)
        head = bench.classifier(entry.name).linear.head
        half = torch.rand(n // 2, entry.feature_dim, generator=generator)
        return torch.cat([half, half - 0.1 * head.null_part(half)]).float()

    return features_of


def test_whether_images_have_an_equivalent_is_said_by_the_nearest_not_by_the_one_chosen(bench):
    found = real_pairs(planted(bench, "near twins", near_twins(bench)))
    assert found.logit_distance > 0.3, "the farthest null part of ten is no twin's"
    assert (found.nearest < 1e-4, found.agreeing, found.neighbours) == (True, 1, 10)
    assert found.sentence.startswith(
        "Most images have one that nearly agrees: the nearest in logits is 0 % of the usual "
    )
    assert "100 % have one within 10 %). Of the 10 nearest the one with the" in found.sentence
    assert "which the classifier does tell apart" in found.meaning
    none = real_pairs(planted(bench, "noise", None))
    assert none.sentence.startswith("Most images have none that nearly agrees: the nearest in")
    assert none.agreeing == 0


def test_the_numbers_of_a_pair_are_those_of_its_two_images(bench):
    scored = planted(bench, "noise", None)
    rows = list(range(4 * EACH))
    features = torch.cat([part for _, part in scored.features(rows)]).double()
    linear, translator = scored.linear, bench.translator("lite0", "mini")
    found = {pair.row: pair for pair in real_pairs(scored, 5).rows}
    logits = features @ linear.weight.double().mT
    apart = torch.cdist(logits, logits).fill_diagonal_(torch.inf)
    null = linear.head.null_part(features)
    for row in (0, 17, 95):
        near = apart[row].topk(5, largest=False).indices
        other = int(near[torch.linalg.vector_norm(null[near] - null[row], dim=1).argmax()])
        assert found[row].other_row == other
        z = translator.apply(features.float())
        assert found[row].angle == pytest.approx(float(angle_deg(z[row], z[other])), abs=1e-3)
        swapped = translator.apply(features[row] - null[row] + null[other])
        assert found[row].swapped == pytest.approx(float(angle_deg(z[row], swapped)), abs=1e-3)
    turned = features @ logit_coordinates(linear)
    assert torch.allclose(torch.cdist(turned, turned), torch.cdist(logits, logits), atol=1e-5)
