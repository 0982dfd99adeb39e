"""The Method page: four steps, the limits, and every term in the words of the widgets."""

import pytest

from pages._view.words.help import HELP, TERMS
from tests.pages.driver import ROOT, App


@pytest.fixture
def method():
    return App().open("method")


@pytest.mark.slow
def test_the_four_steps_carry_their_equations(method):
    headings = [element.value for element in method.at.header]
    steps = [text for text in headings if text[:2] in ("1.", "2.", "3.", "4.")]
    assert [text[0] for text in steps] == list("1234")
    words = "".join(element.value for element in method.at.markdown)
    formulas = "".join(element.value for element in method.at.latex) + words
    for formula in (r"V_n V_n^", r"T(f)", r"\varepsilon", r"\mathrm{AS}", r"\mathrm{IS}"):
        assert formula in formulas
    for number in ("1", "3", "4", "7", "8", "9", "13"):
        assert number in formulas


@pytest.mark.slow
def test_every_term_of_the_glossary_is_explained_with_the_widgets_words(method):
    words = [element.value for element in method.at.markdown]
    for term, name in TERMS.items():
        assert any(term in text and HELP[name] in text for text in words), term


@pytest.mark.slow
def test_the_limits_are_said(method):
    words = "".join(element.value for element in method.at.markdown)
    for part in ("mini", "not CLIP", "Lite2", "280 of 1280"):
        assert part in words


@pytest.mark.slow
def test_the_method_opens_without_any_photo_or_prompt(method):
    assert (method.errors, method.warnings) == ([], [])


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "explore",
        "compare",
        "classes",
        "concepts",
        "evidence",
        "library",
        "method",
        "units",
        "validate",
    ],
)
def test_a_page_runs_cold(name):
    App.at_page(name)


def test_a_page_file_has_no_main_and_no_function():
    for path in (ROOT / "pages").glob("*.py"):
        source = path.read_text("utf-8")
        assert "\ndef " not in source
        assert "__main__" not in source
        assert len(source.splitlines()) <= 120
