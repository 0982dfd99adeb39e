"""Help texts: one wording for the widgets and the glossary."""

import re

import pytest

from pages._view import pickers
from pages._view.words import help
from pages._view.words.class_help import CLASS_HELP
from pages._view.words.units import UNIT_HELP
from tests.pages.driver import ROOT


def test_every_term_of_the_glossary_has_a_help_text():
    assert set(help.TERMS.values()) <= set(help.HELP)
    assert len(set(help.TERMS.values())) == len(help.TERMS)


def test_every_help_text_that_the_code_asks_for_exists():
    known = {"HELP": help.HELP, "CLASS_HELP": CLASS_HELP, "UNIT_HELP": UNIT_HELP}
    asked = {table: set() for table in known}
    for path in (ROOT / "pages").rglob("*.py"):
        for table, name in re.findall(r'\b(\w*HELP)\["(\w+)"\]', path.read_text("utf-8")):
            asked[table].add(name)
    assert all(asked.values())
    for table, texts in known.items():
        assert asked[table] <= set(texts)


@pytest.mark.parametrize("text", [*help.HELP.values(), *CLASS_HELP.values(), *UNIT_HELP.values()])
def test_a_help_text_is_made_of_whole_sentences(text):
    assert text[0].isupper() or text.startswith("ε")
    assert text.endswith(".")
    assert "  " not in text


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
