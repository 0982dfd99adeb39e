"""A direction has a name where the texts that name it leave less than of random directions."""

import pytest

from sing_core.units.direction_words import card_sentence
from sing_core.units.directions import Card, RandomBand, SignedText

WORDS = (SignedText(1, "running", 0.4), SignedText(2, "a drawing", -0.3))
BAND = RandomBand((1.0, 0.95, 0.905, 0.7), (1.0, 0.96, 0.92, 0.8), (1.0, 0.98, 0.931, 0.9), (0.7,))


@pytest.mark.parametrize(("few", "beyond"), [(0.914, False), (0.905, False), (0.9, True)])
def test_texts_that_leave_as_much_as_of_random_directions_are_a_detail(few, beyond):
    card = Card(WORDS, (1.0, 0.94, few, 0.6), BAND)
    said = card_sentence(card, "component 1 of it")
    assert card.is_beyond_chance is beyond
    assert said.startswith("Component 1 of it leads towards “running” and away") is beyond
    assert said.startswith("No name beyond chance for component 1 of it: 2 texts ") is not beyond
    assert f"2 texts leave {100 * few:.1f} % of its length unexplained" in said
    assert "90.5 to 93.1 %" in said
    assert ("leads towards “running” and away from “a drawing” is a detail." in said) is not beyond


def test_a_direction_of_which_all_texts_leave_as_much_has_no_words():
    card = Card((), (1.0, 0.94, 0.92, 0.8), BAND)
    assert not card.is_beyond_chance
    assert card_sentence(card, "component 1 of it").startswith("There are no words for component 1")
