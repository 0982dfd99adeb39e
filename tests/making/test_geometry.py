"""Text directions on made-up prompts: the properties that any way of training relies on."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

from sing_core.making.geometry import (
    Texts,
    attribute_directions,
    inverse_root,
    value_names,
    without_attributes,
)

HALF, CLASSES = 12, 60
seeds = st.integers(0, 10_000)


def make_texts(seed, pairs=3, paraphrases=1):
    """Class prompts differ in the first half of the space, attribute prompts in the second."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator)

    classes = torch.zeros(2, CLASSES, 2 * HALF)
    # Some directions tell classes apart much better than others.
    classes[..., :HALF] = draw(1, CLASSES, HALF) * torch.logspace(0, -1, HALF)
    values = {}
    for group in "abcde"[:pairs]:
        values[group] = [torch.zeros(paraphrases, 2 * HALF) for _ in range(2)]
        for prompts in values[group]:
            prompts[:, HALF:] = draw(paraphrases, HALF)
    return Texts(classes, values)


@pytest.mark.slow
@given(seed=seeds, rank=st.integers(1, 6), paraphrases=st.integers(1, 4))
def test_the_projector_is_one_and_removes_as_much_as_it_says(seed, rank, paraphrases):
    keep = without_attributes(make_texts(seed, paraphrases=paraphrases), rank).double()
    torch.testing.assert_close(keep, keep.mT, rtol=0, atol=1e-5)
    torch.testing.assert_close(keep @ keep, keep, rtol=0, atol=1e-5)
    assert float(keep.trace()) == pytest.approx(2 * HALF - rank, abs=1e-4)


@pytest.mark.slow
@given(seed=seeds)
def test_attribute_differences_go_and_class_differences_stay(seed):
    texts = make_texts(seed)
    keep = without_attributes(texts, 3)
    names, classes = value_names(texts), texts.classes[0]
    assert float((names @ keep).norm()) < 1e-4 * float(names.norm())
    torch.testing.assert_close(classes @ keep, classes, rtol=0, atol=1e-5)


@given(seed=seeds, paraphrases=st.integers(1, 4))
def test_the_values_of_a_group_are_named_against_each_other(seed, paraphrases):
    texts = make_texts(seed, paraphrases=paraphrases)
    names = value_names(texts)
    assert names.shape == (6, 2 * HALF)
    torch.testing.assert_close(names[0::2], -names[1::2], rtol=0, atol=1e-6)
    means = [texts.values["b"][i].mean(0) for i in range(2)]
    torch.testing.assert_close(names[2] - names[3], means[0] - means[1], rtol=0, atol=1e-5)


def mixed_texts(seed):
    """Texts in general position: what names an attribute also tells some classes apart."""
    texts = make_texts(seed, paraphrases=3)
    turn, _ = torch.linalg.qr(
        torch.randn(2 * HALF, 2 * HALF, generator=torch.Generator().manual_seed(seed))
    )
    values = {
        group: [normalize(p + 0.7 * p.roll(HALF, 1), dim=1) @ turn for p in prompts]
        for group, prompts in texts.values.items()
    }
    return Texts(normalize(texts.classes, dim=-1) @ turn, values)


@pytest.mark.slow
@given(seed=seeds)
def test_dual_directions_read_out_the_names_and_disturb_classes_least(seed):
    texts = mixed_texts(seed)
    names, directions = value_names(texts).double(), attribute_directions(texts).double()
    assert directions.shape == (2 * HALF, 6)
    product, plain = names @ directions, torch.linalg.pinv(names, rtol=1e-4)
    wanted = names @ plain  # the part of the identity that centring leaves
    assert float((product - wanted).norm() / wanted.norm()) < 0.25
    centred = (texts.classes[0] - texts.classes[0].mean(0)).double()
    # The shortest directions with the same read-out do not look at classes, and mix them up.
    disturbed, other = (centred @ directions).norm(), (centred @ (plain @ product)).norm()
    assert float(disturbed) < 0.5 * float(other)


@given(seed=seeds, ridge=st.sampled_from([0.0, 0.01, 1.0]))
def test_an_inverse_root_is_one(seed, ridge):
    rows = torch.randn(40, HALF, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    gram = rows.mT @ rows
    root = inverse_root(gram, ridge)
    padded = gram + ridge * gram.diagonal().mean() * torch.eye(HALF, dtype=torch.float64)
    identity = torch.eye(HALF, dtype=torch.float64)
    torch.testing.assert_close(root @ padded @ root, identity, rtol=0, atol=1e-9)
