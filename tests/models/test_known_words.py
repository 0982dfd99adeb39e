"""A text that means nothing is remarked on, and no text that people may mean is."""

import pytest

from sing_core.errors import WeightsUnavailableError
from sing_core.models import known_words
from sing_core.models.imagenet import imagenet_labels
from sing_core.models.known_words import NOTE, unknown_note
from sing_core.models.prompts import attributes
from sing_core.models.text_pools import text_pool
from sing_core.settings import Settings


@pytest.mark.slow
@pytest.mark.parametrize("prompt", ["asdkjh qwe zxc", "q", "x y z", "blorp", "zzzz-qqqq"])
def test_a_text_without_any_known_word_is_remarked_on(prompt):
    assert unknown_note(prompt, Settings()) == NOTE


@pytest.mark.slow
@pytest.mark.parametrize(
    "prompt", ["asdkjh dog", "DOGS", "an image of a blorp", "Capybaras", "ÉCOLE", "747", "fox_qqqq"]
)
def test_one_known_word_is_enough_whatever_its_form(prompt):
    assert unknown_note(prompt, Settings()) == ""


@pytest.mark.slow
def test_no_concept_and_no_description_that_ships_is_remarked_on():
    settings = Settings()
    concepts = [*imagenet_labels(), *attributes(settings)]
    texts = [*concepts, *text_pool("general", settings)]
    assert len(concepts) > 1_150
    found = [set(words) for words in known_words._lists(settings)]
    seen = {text: known_words._asked(text) for text in texts}
    remarked = [t for t, words in seen.items() if all(words.isdisjoint(one) for one in found)]
    assert remarked == []
    # The largest list is not idle: without it some would be.
    assert any(words.isdisjoint(set().union(*found[:-1])) for words in seen.values())


def test_names_and_other_languages_are_not_called_wrong():
    assert "Names and other languages may be read all the same; if" in NOTE


def test_without_the_word_lists_nothing_is_said(monkeypatch):
    def missing(source):
        raise WeightsUnavailableError("not here")

    monkeypatch.setattr(known_words, "verified", missing)
    assert unknown_note("asdkjh qwe zxc", Settings()) == ""
