"""Help texts: one wording for the widgets and the glossary."""

import re

import pytest

from pages._view import pickers
from pages._view.words import help
from tests.pages.driver import ROOT


def test_every_term_of_the_glossary_has_a_help_text():
    assert set(help.TERMS.values()) <= set(help.HELP)
    assert len(set(help.TERMS.values())) == len(help.TERMS)


def test_every_help_text_that_the_code_asks_for_exists():
    asked = set()
    for path in (ROOT / "pages").rglob("*.py"):
        asked |= set(re.findall(r'HELP\["(\w+)"\]', path.read_text("utf-8")))
    assert asked
    assert asked <= set(help.HELP)


@pytest.mark.parametrize("name", help.HELP)
def test_a_help_text_is_made_of_whole_sentences(name):
    assert help.HELP[name][0].isupper() or help.HELP[name].startswith("ε")
    assert help.HELP[name].endswith(".")
    assert "  " not in help.HELP[name]


@pytest.mark.parametrize(("name", "equation"), [("image_score", "8"), ("attribute_score", "7")])
def test_a_score_names_its_equation_and_its_unit(name, equation):
    assert f"eq. {equation}" in help.HELP[name]
    assert "degrees" in help.HELP[name]


def test_the_note_on_the_shared_tower_names_both():
    note = help.SHARED_TOWER_NOTE.format(model="M", reference="R")
    assert "**M is measured in its own image tower.**" in note
    assert "do not compare" in note


def test_every_mode_of_the_switch_is_one_of_the_analysis():
    from sing_core.studies.question import MODES

    assert set(pickers.MODES) == set(MODES)
