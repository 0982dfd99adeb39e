"""Views and heads: what belongs together stays together, and the text head is open_clip's."""

import pytest
import torch
from torch.nn.functional import cosine_similarity

from sing_core.making.geometry import Texts
from sing_core.making.heads import Head, Heads, TextHead, Views

WIDTH, DIM, SPREAD = 24, 32, 0.05


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def start(curvature):
    linear = drawn(WIDTH, WIDTH, seed=1) / WIDTH**0.5
    generator = torch.Generator().manual_seed(2)
    return linear, TextHead.from_linear(linear, DIM, curvature / SPREAD, generator)


def test_what_is_taken_of_views_stays_in_step():
    views = Views(
        drawn(4, 3),
        torch.arange(4),
        ("", "light", "", "blur"),
        torch.tensor([0, 1, 0, 2]),
        torch.tensor([True, True, False, False]),
    )
    assert views.rows_of("").tolist() == [0, 2]
    assert views.rows_of("light").tolist() == [1]
    taken = views.take(torch.tensor([3, 1]))
    assert taken.features.equal(views.features[[3, 1]])
    assert (taken.labels.tolist(), taken.values.tolist()) == ([3, 1], [2, 1])
    assert (taken.groups, taken.full.tolist()) == (("blur", "light"), [False, True])


def test_heads_add_and_scale_as_their_embeddings_do():
    first, second = (Head(drawn(5, 3, seed=s), drawn(5, seed=s + 9)) for s in (0, 1))
    features = drawn(7, 3, seed=5)
    both = (first + second.scaled(2.0)).embed(features)
    torch.testing.assert_close(both, first.embed(features) + 2 * second.embed(features))
    length = first.embed(features).norm(dim=1).mean()
    torch.testing.assert_close(first.mean_length(features), length)


def test_a_text_head_starts_nearly_as_the_linear_map_that_it_is_given():
    texts = SPREAD * drawn(200, WIDTH, seed=3)
    cosines = []
    for curvature in (0.3, 0.03):
        linear, head = start(curvature)
        found = head.embed(texts)
        assert found.shape == (200, DIM)
        cosines.append(float(cosine_similarity(found[:, :WIDTH], texts @ linear.mT).mean()))
    assert cosines[0] > 0.9
    assert cosines[1] > 0.99


def test_beside_the_linear_map_there_is_room_that_weighs_little():
    texts = SPREAD * drawn(200, WIDTH, seed=3)
    _, head = start(0.3)
    found = head.embed(texts)
    mapped, rest = found[:, :WIDTH].norm(), found[:, WIDTH:].norm()
    assert 0 < float(rest) < 0.5 * float(mapped)


def test_a_text_head_is_the_mlp_projection_of_open_clip():
    _, head = start(0.3)
    middle = (WIDTH + DIM) // 2
    projection = torch.nn.Sequential(
        torch.nn.Linear(WIDTH, middle, bias=False),
        torch.nn.GELU(),
        torch.nn.Linear(middle, DIM, bias=False),
    )
    projection.load_state_dict({"0.weight": head.inner, "2.weight": head.outer})
    texts = drawn(2, 6, WIDTH, seed=4)
    with torch.inference_mode():
        torch.testing.assert_close(head.embed(texts), projection(texts))


def test_texts_are_shown_as_unit_vectors_in_their_places():
    _, text = start(0.3)
    heads = Heads(Head(drawn(DIM, 3), drawn(DIM)), text)
    texts = Texts(drawn(2, 5, WIDTH), {"light": [drawn(3, WIDTH), drawn(4, WIDTH, seed=1)]})
    shown = heads.shown(texts)
    assert shown.classes.shape == (2, 5, DIM)
    assert [tuple(rows.shape) for rows in shown.values["light"]] == [(3, DIM), (4, DIM)]
    for rows in (shown.classes, *shown.values["light"]):
        torch.testing.assert_close(rows.norm(dim=-1), torch.ones(rows.shape[:-1]))
    direct = text.embed(texts.classes[1, 2])
    assert float(cosine_similarity(shown.classes[1, 2], direct, dim=0)) == pytest.approx(1)
