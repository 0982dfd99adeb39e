"""Reads the Units page: its answer, the command that it offers, its tables."""

import shlex

from sing_core.cli import unit_atlas, unit_directions, unit_ledger, unit_words, units
from tests.command import read

CHOSEN = {"decide": "classes", "classes": "281-285"}


def first(app):
    return next(element.value for element in app.at.markdown)


def parsed(app, line=0):
    """Return the command on the page as the command line reads it."""
    (code,) = app.at.code
    python, dash_m, package, verb, *words = shlex.split(code.value.splitlines()[line])
    assert (python, dash_m, package) == ("python", "-m", "sing_core")
    assert units.app is unit_words.app is unit_directions.app is unit_atlas.app is unit_ledger.app
    return verb, read(units.app, verb, words)


def columns_of(app, name):
    """Return the tables that have a column ``name``."""
    return [one.value for one in app.at.dataframe if name in one.value.columns]
