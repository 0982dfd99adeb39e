"""Lists of concepts: what is in them, what is left out, and what is refused."""

import pytest

from sing_core.errors import ConceptListError
from sing_core.leakage.concept_lists import parse_concepts


def test_a_list_has_one_concept_a_line_and_a_template():
    found = parse_concepts("dog\n\n  a  red\tcar \ncat\n", template="a photo of {}")
    assert found.labels == ("dog", "a red car", "cat")
    assert found.prompts == ("a photo of dog", "a photo of a red car", "a photo of cat")
    assert found.notes == ()


def test_lines_that_cannot_be_used_and_repeated_ones_are_counted_and_named():
    found = parse_concepts("dog\n???\ndog\n" + "x" * 400)
    assert found.labels == ("dog",)
    assert len(found.notes) == 2
    assert "2 lines (“???”, “xxx" in found.notes[0]
    assert ": 1 line (“???”)." in parse_concepts("dog\n???").notes[0]
    assert found.notes[1].endswith("count once: 1.")


@pytest.mark.parametrize("template", ["no place", "{} and {}", ""])
def test_a_template_without_its_place_is_refused(template):
    with pytest.raises(ConceptListError, match=r"holds \{\} once"):
        parse_concepts("dog", template=template)


def test_braces_in_a_concept_are_text():
    assert parse_concepts("{0} b").prompts == ("an image of a {0} b",)


@pytest.mark.parametrize(
    ("template", "line", "prompt"),
    [
        ("an image of a {}", "a red car", "an image of a red car"),
        ("an image of a {}", "The red car", "an image of The red car"),
        ("an image of a {}", "red car", "an image of a red car"),
        ("an image of a {}", "aardvark", "an image of a aardvark"),  # the paper's own words
        ("a photo, {}", "a red car", "a photo, a red car"),
        ("The {} of a house", "the roof", "the roof of a house"),
        ("banana {}", "a split", "banana a split"),
    ],
)
def test_of_two_articles_in_a_row_the_person_s_stays(template, line, prompt):
    assert parse_concepts(line, template=template).prompts == (prompt,)


@pytest.mark.slow
def test_a_list_of_100_000_lines_is_refused_with_its_length():
    text = "\n".join(f"concept {i}" for i in range(100_000))
    with pytest.raises(ConceptListError, match=r"has 100,000 lines; up to 5,000"):
        parse_concepts(text)


@pytest.mark.parametrize("text", ["", " \n\n", "???\n!!!"])
def test_an_empty_list_is_refused(text):
    with pytest.raises(ConceptListError, match="no usable line"):
        parse_concepts(text)


def test_a_table_gives_the_column_of_names_and_says_so():
    found = parse_concepts("0,tench\n1,goldfish", notes=("Read as Latin-1.",))
    assert found.labels == ("tench", "goldfish")
    assert found.notes[0] == "Read as Latin-1."
    assert "the names were taken from column 2" in found.notes[1]
