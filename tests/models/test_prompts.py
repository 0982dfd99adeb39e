"""Prompts made safe, and the vocabulary embedded once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sing_core.errors import PromptError
from sing_core.files.store import Store
from sing_core.models.imagenet import imagenet_labels
from sing_core.models.prompts import class_prompt, clean_prompt, load_vocabulary, spoken_prompt
from sing_core.models.references import space_id
from sing_core.settings import Settings
from tests import toy


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [
        ("an image of a dog", "an image of a dog"),
        ("  two\tspaces \n here ", "two spaces here"),
        ("null\0byte\x1b[31m", "null byte [31m"),
        ("zero\u200bwidth\u202eturned", "zero width turned"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("🐱 cat", "🐱 cat"),
        ("日本の猫", "日本の猫"),
        ("half a pair \ud83d", "half a pair"),
        ("7", "7"),
    ],
)
def test_a_prompt_loses_what_cannot_be_read_and_nothing_else(typed, cleaned):
    assert clean_prompt(typed) == cleaned


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Type a prompt"),
        (" \n\t\u200b", "Type a prompt"),
        ("🐱🐱", "no letters or digits"),
        ("?!…", "no letters or digits"),
        ("x" * 301, "301 characters"),
        ("x " * 5000, "10,000 characters"),
        ("\n" * 10_000, "10,000 characters"),
    ],
)
def test_a_prompt_that_cannot_be_used_is_refused_in_a_sentence(typed, words):
    with pytest.raises(PromptError, match=words) as caught:
        clean_prompt(typed)
    assert len(str(caught.value)) < 100


def test_the_limit_counts_what_is_left():
    assert clean_prompt("a" + " " * 50 + "b", max_chars=3) == "a b"
    with pytest.raises(PromptError, match="up to 3"):
        clean_prompt("abcd", max_chars=3)


@given(st.text(max_size=400))
def test_cleaning_twice_changes_nothing_more(text):
    try:
        once = clean_prompt(text)
    except PromptError:
        return
    assert clean_prompt(once) == once
    assert once.isprintable()
    assert len(once) <= 300


def test_the_thousand_classes_have_names_of_their_own():
    labels = imagenet_labels()
    assert len(labels) == len(set(labels)) == 1000
    assert (labels[1], labels[107], labels[281]) == ("goldfish", "jellyfish", "tabby cat")
    assert class_prompt(labels[107]) == "an image of a jellyfish"


def test_the_vocabulary_is_embedded_once_and_read_from_disk_afterwards(toy_assets, tmp_path):
    settings = Settings(assets_dir=toy_assets)
    space, calls = space_id("mini", settings), []

    def reference():
        calls.append(1)
        return toy.ToyReference("mini", space, [])

    first = load_vocabulary(settings, Store(tmp_path), space, reference)
    again = load_vocabulary(settings, Store(tmp_path), space, reference)
    assert len(calls) == 1
    assert first.labels == again.labels
    assert first.prompts == again.prompts
    assert len(first.labels) == len(set(first.labels)) == 1000 + len(toy.ATTRIBUTES)
    assert first.embeddings.equal(again.embeddings)
    assert first.embeddings.shape == (1003, toy.DIM)
    assert (first.kind(999), first.kind(1000)) == ("class", "attribute")
    assert first.prompts[-1] == "a photo, close-up"
    assert first.embedding_of("an image of a goldfish").equal(first.embeddings[1])
    assert first.embedding_of("an image of a goldfinch and a fish") is None


@pytest.mark.slow
def test_other_attributes_or_another_space_are_another_vocabulary(toy_assets, tmp_path):
    store, calls = Store(tmp_path), []

    def ask(folder, space):
        def reference():
            calls.append(space)
            return toy.ToyReference("mini", space, [])

        return load_vocabulary(Settings(assets_dir=folder), store, space, reference)

    ask(toy_assets, "one")
    ask(toy_assets, "two")
    other = toy.make_assets(tmp_path / "assets")
    (other / "vocabulary" / "attributes.txt").write_text("red\n\n  tabby cat \n", "utf-8")
    found = ask(other, "one")
    assert calls == ["one", "two", "one"]
    assert found.labels[1000:] == ("red",)  # a class is not listed again as an attribute


@pytest.mark.parametrize(
    ("label", "spoken"),
    [
        ("jellyfish", "an image of a jellyfish"),
        ("espresso", "an image of an espresso"),
        ("Egyptian Mau", "an image of an Egyptian Mau"),
        ("hourglass", "an image of an hourglass"),
        ("hammer", "an image of a hammer"),
        ("umbrella", "an image of an umbrella"),
        ("unicycle", "an image of a unicycle"),
        ("European polecat", "an image of a European polecat"),
        ("one-piece bathing suit", "an image of a one-piece bathing suit"),
        ("a red car", "an image of a red car"),
        ("An owl", "an image of An owl"),
    ],
)
def test_a_class_is_asked_for_as_a_person_would_write_it(label, spoken):
    assert spoken_prompt(label) == spoken


def test_what_is_embedded_for_a_class_stays_the_papers_own_words():
    assert class_prompt("espresso") == "an image of a espresso"
