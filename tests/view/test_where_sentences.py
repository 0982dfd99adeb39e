"""Where something lies comes first, and no part of it is told as more than the whole."""

import re

import torch

from pages._view.explore import where as drawer
from pages._view.units.where import sentence
from sing_core.units.moved import MovedMap
from sing_core.units.tokens import TokenMap


def token_map(heat, prefix=0.0, others=0.0):
    return TokenMap(heat, prefix, others, float(heat.sum()) + prefix + others)


def maps(null, principal):
    """The three maps of a photo whose hidden part and whose rest cancel."""
    return {
        "full": token_map(null + principal, 0.001, -0.012),
        "null": token_map(null, 0.001, -0.023),
        "principal": token_map(principal, 0.0, 0.011),
    }


def corner(value):
    heat = torch.full((16, 16), 1e-6, dtype=torch.float64)
    heat[:3, :3] = value
    return heat


def test_the_place_leads_and_its_share_is_part_of_a_whole():
    told = sentence(maps(corner(-0.01), corner(0.012)), "“a cat”")
    first, rest = told.split(".** ", maxsplit=1)
    assert first.startswith("**What is hidden along “a cat” lies mostly in the upper left of the ")
    assert all(0 <= int(share) <= 100 for share in re.findall(r"(\d+) %", first))
    assert rest.startswith("It takes away from the cosine there.")
    assert "comes to −0.090 and what decides to +0.108; they partly cancel: +0.018" in rest


def test_what_goes_one_way_cancels_nothing_and_nothing_is_called_nothing():
    assert "cancel" not in sentence(maps(corner(0.01), corner(0.012)), "“a cat”")
    told = sentence(maps(0 * corner(1.0), corner(0.012)), "“a cat”")
    assert told.startswith("**Nothing along “a cat” is hidden**: ")
    assert "What decides lies mostly in the upper left" in told


def test_the_drawer_names_the_place_until_the_step_has_taken_everything_away():
    before = MovedMap(token_map(corner(0.01)), 1.0, 0.0)
    after = MovedMap(token_map(corner(0.005)), 0.5, 0.2)
    told = drawer.sentence(before, after, 0.25, "a cat")
    assert told.startswith("**At ε = 0.25 what is hidden along “a cat” lies mostly in the upper ")
    assert "+0.200 was brought by the step itself" in told
    gone = MovedMap(token_map(0 * corner(1.0)), 0.0, 0.0)
    told = drawer.sentence(before, gone, 0.25, "a cat")
    assert told.startswith("**At ε = 0.25 nothing of it is left on the photo.**")
