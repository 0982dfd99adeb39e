"""Help texts: one wording for the widgets and the glossary."""

import re

import pytest

from pages._view import texts, widgets
from tests.pages.driver import ROOT


def test_every_term_of_the_glossary_has_a_help_text():
    assert set(texts.TERMS.values()) <= set(texts.HELP)
    assert len(set(texts.TERMS.values())) == len(texts.TERMS)


def test_every_help_text_that_the_code_asks_for_exists():
    asked = set()
    for path in (ROOT / "pages").rglob("*.py"):
        asked |= set(re.findall(r'HELP\["(\w+)"\]', path.read_text("utf-8")))
    assert asked
    assert asked <= set(texts.HELP)


@pytest.mark.parametrize("name", texts.HELP)
def test_a_help_text_is_made_of_whole_sentences(name):
    assert texts.HELP[name][0].isupper() or texts.HELP[name].startswith("ε")
    assert texts.HELP[name].endswith(".")
    assert "  " not in texts.HELP[name]


@pytest.mark.parametrize(("name", "equation"), [("image_score", "8"), ("attribute_score", "7")])
def test_a_score_names_its_equation_and_its_unit(name, equation):
    assert f"eq. {equation}" in texts.HELP[name]
    assert "degrees" in texts.HELP[name]


def test_the_note_on_the_shared_tower_names_both():
    note = texts.SHARED_TOWER_NOTE.format(model="M", reference="R")
    assert "**M is measured in its own image tower.**" in note
    assert "do not compare" in note


def test_every_mode_of_the_switch_is_one_of_the_analysis():
    from sing_core.reports import MODES

    assert set(widgets.MODES) == set(MODES)
