"""Steering a set: where nothing but rounding is left, no image is steered anywhere."""

import torch

from sing_core.leakage.null_lines import logit_drift, null_gram, steered_scores, stepped
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.linear_head import DRIFT_BUDGET, LinearHead
from sing_core.maths.scores import angle_deg
from sing_core.maths.translator import Translator
from tests.strategies import build_head


def split():
    return HeadDecomposition.from_weight(build_head(20, 48, 20).weight)


def test_a_translator_blind_to_the_null_space_reaches_nothing():
    """Its float32 weights see 6e-8 of it; held against that, every image was reached."""
    head = split()
    weight = torch.randn(12, 48, dtype=torch.float64)
    blind = Translator(head.principal_part(weight).float(), torch.zeros(12))
    assert float(head.null_part(blind.weight).norm()) > 0
    z, text = torch.randn(30, 12), torch.randn(12)
    assert not bool(null_gram(head, blind).any())
    assert steered_scores(z, null_gram(head, blind), text, 20.0).isnan().all()
    faint = Translator((weight - (1 - 1e-3) * head.null_part(weight)).float(), torch.zeros(12))
    assert steered_scores(z, null_gram(head, faint), text, 20.0).isfinite().any()


def test_an_image_that_lies_on_the_text_is_steered_nowhere():
    head = split()
    translator = Translator(torch.randn(12, 48), torch.zeros(12))
    z = torch.randn(30, 12, dtype=torch.float64)
    gram = null_gram(head, translator)
    for row in z:
        found = steered_scores(torch.stack([3 * row, row.flip(0)]), gram, row, 20.0)
        assert found.isnan()[0]


def test_the_steps_of_a_set_are_as_long_as_asked_and_their_drift_is_measured():
    linear = LinearHead.from_weight(build_head(20, 48, 20).weight.float())
    translator = Translator(torch.randn(12, 48), torch.randn(12))
    features, text = torch.rand(30, 48), torch.randn(12)
    z = translator.apply(features)
    scores = steered_scores(z, null_gram(linear.head, translator), text, 20.0)
    assert bool(scores.isfinite().all())
    moved = stepped(features, linear.head, translator, text, 20.0)
    after = translator.apply(moved)
    assert torch.allclose(angle_deg(z, after), torch.full((30,), 20.0, dtype=torch.float64))
    assert torch.allclose(angle_deg(z, text) - angle_deg(after, text), scores)
    drift, largest = logit_drift(linear, features, moved)
    assert bool((drift <= DRIFT_BUDGET * largest).all())
    assert bool((drift > 0).any())
    far, _ = logit_drift(linear, features, features.double() + 1e6 * (moved - features))
    assert bool((far > DRIFT_BUDGET * largest).all())


def test_every_target_of_an_image_is_stepped_as_if_it_were_the_only_one():
    linear = LinearHead.from_weight(build_head(20, 48, 20).weight.float())
    translator = Translator(torch.randn(12, 48), torch.randn(12))
    feature, texts = torch.rand(48), torch.randn(7, 12)
    together = stepped(feature.expand(7, -1), linear.head, translator, texts, 20.0)
    for text, moved in zip(texts, together, strict=True):
        alone = stepped(feature[None], linear.head, translator, text, 20.0)[0]
        assert torch.allclose(moved, alone)
