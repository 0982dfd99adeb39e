"""Requests are checked at the boundary; content addresses cover all that decides the pixels."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from sing_core.errors import RenderError, ShapeError, TranslatorMismatchError
from sing_core.pictures.protocol import Renderer, RenderRequest, check_space, picture_key


class Stub:
    """The least that satisfies ``Renderer``."""

    name, space_id, sizes = "stub", "space", (8,)

    def __init__(self, *, rows_are_independent=True, identity="one"):
        self.rows_are_independent, self.identity = rows_are_independent, identity

    def render(self, request, *, on_progress=None, should_stop=None):
        raise NotImplementedError


def request(vectors=None, **changes):
    fields = {"space_id": "space", "seed": 3, "size": 8, "steps": (5,), **changes}
    return RenderRequest(torch.eye(3) if vectors is None else vectors, **fields)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"vectors": torch.zeros(3)}, "rows"),
        ({"vectors": torch.zeros(0, 3)}, "rows"),
        ({"vectors": torch.full((1, 3), float("nan"))}, "not finite"),
        ({"photo": np.zeros((4, 4), np.uint8)}, "photo"),
        ({"own": torch.zeros(4)}, "own feature"),
    ],
)
def test_shapes_are_checked_when_a_request_is_made(wrong, sentence):
    with pytest.raises(ShapeError, match=sentence):
        request(**wrong)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [({"seed": -1}, "seed"), ({"seed": 2**63}, "seed"), ({"steps": (0,)}, "step")],
)
def test_numbers_are_checked_when_a_request_is_made(wrong, sentence):
    with pytest.raises(RenderError, match=sentence):
        request(**wrong)


def test_another_space_is_refused_even_where_the_width_agrees():
    check_space(Stub(), request())
    with pytest.raises(TranslatorMismatchError, match=r"“space”.*“mini-0123”"):
        check_space(Stub(), request(space_id="mini-0123"))


def test_a_pictures_address_is_that_of_its_content():
    renderer: Renderer = Stub()
    key = picture_key(renderer, request(), 1)
    assert len(key) == 64
    assert picture_key(renderer, request(), 1) == key
    # Neighbours, precision and the place in the strip change nothing.
    assert picture_key(renderer, request(torch.eye(3)[1:2]), 0) == key
    assert picture_key(renderer, request(torch.eye(3).double()), 1) == key


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 4},
        {"size": 9},
        {"steps": (6,)},
        {"steps": ()},
        {"space_id": "other"},
        {"vectors": torch.eye(3) * (1 + 1e-7)},
        {"photo": np.zeros((2, 2, 3), np.uint8)},
        {"own": torch.ones(3)},
    ],
    ids=str,
)
def test_whatever_decides_the_pixels_changes_the_address(change):
    own = request()
    assert picture_key(Stub(), replace(own, **change), 1) != picture_key(Stub(), own, 1)


def test_another_renderer_row_or_photo_has_another_address():
    black, white = (np.full((2, 2, 3), value, np.uint8) for value in (0, 255))
    keys = {
        picture_key(Stub(), request(), 0),
        picture_key(Stub(), request(), 1),
        picture_key(Stub(identity="two"), request(), 0),
        picture_key(Stub(), request(photo=black), 0),
        picture_key(Stub(), request(photo=white), 0),
    }
    assert len(keys) == 5


def test_where_rows_depend_on_each_other_the_whole_strip_is_in_the_address():
    renderer = Stub(rows_are_independent=False)
    one, two = request(torch.eye(3)), request(torch.eye(3)[[0, 1, 1]])
    assert picture_key(renderer, one, 0) != picture_key(renderer, two, 0)
    assert picture_key(renderer, two, 1) != picture_key(renderer, two, 2)
