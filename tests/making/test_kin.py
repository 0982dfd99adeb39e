"""Kin of classes: who is asked, what they should look like, and what their names teach."""

import pytest
import torch
from torch.nn.functional import normalize

from sing_core.making.kin import Kin
from tests.making.small_world import CLASSES, World


@pytest.fixture(scope="module")
def world():
    return World()


def test_kin_that_share_little_with_every_class_are_not_asked():
    kin = Kin.from_kinship(torch.eye(3), torch.tensor([[0.5, 0.2], [3.0, 0.0], [0.0, 2.0]]))
    assert kin.texts.tolist() == torch.eye(3)[1:].tolist()
    assert kin.weights.tolist() == pytest.approx([4 / 3, 2 / 3])


def test_who_was_kin_to_a_class_that_is_left_out_is_kin_no_more():
    kin = Kin.from_kinship(torch.eye(3), torch.tensor([[1.5, 0.2], [3.0, 0.0], [2.0, 2.0]]))
    left = kin.without(torch.tensor([True, False]))
    assert left.texts.tolist() == [[0, 0, 1]]
    assert left.kinship.tolist() == [[2]]
    assert left.weights.tolist() == [1]


def test_kin_look_like_the_nearest_class_and_between_two_that_are_as_near():
    kin = Kin.from_kinship(torch.eye(2), torch.tensor([[20.0, 0.0, 1.0], [9.0, 9.0, 0.0]]))
    found = kin.looks(torch.eye(3))
    torch.testing.assert_close(
        found, torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]), rtol=0, atol=1e-6
    )


def test_a_name_unheard_of_gets_the_look_that_its_kin_have(world):
    names, kinship = world.names[CLASSES:], world.kinship
    kin = Kin.from_kinship(names[:150], kinship[:150])
    looks = world.looks[:CLASSES]
    centred = looks - looks.mean(0)
    mapped = kin.closed_form(world.names[:CLASSES], centred)
    assert mapped.shape == (names.shape[1], looks.shape[1])
    found = normalize((names[150:] - kin.texts.mean(0)) @ mapped, dim=1)
    nearest = (found @ normalize(centred, dim=1).mT).argmax(1)
    assert float((nearest == kinship[150:].argmax(1)).float().mean()) > 0.5


def test_how_long_a_text_is_does_not_matter(world):
    looks = world.looks[:CLASSES] - world.looks[:CLASSES].mean(0)
    longer = Kin(3 * world.kin.texts, world.kin.kinship, world.kin.weights)
    torch.testing.assert_close(
        longer.closed_form(5 * world.names[:CLASSES], looks),
        world.kin.closed_form(world.names[:CLASSES], looks),
        rtol=1e-3,
        atol=1e-4,
    )
