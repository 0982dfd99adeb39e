"""Reads the tables of Compare, Classes and Concepts, and what the command line prints of them."""

import json

from tests.command import command

SET, KIND = "embedded", "64-pixel image"


def frame(app, column):
    """The table whose first column this is."""
    (found,) = (d.value for d in app.at.dataframe if d.value.columns[0] == column)
    return found


def said(app):
    return " ".join(element.value for element in app.at.markdown)


def printed(*arguments):
    done = command(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
