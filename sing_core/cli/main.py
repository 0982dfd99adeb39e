"""Run the command line: errors meant for people become one line and exit code 2."""

import json
import sys

import typer
from pydantic import ValidationError

from sing_core.cli.app import app
from sing_core.errors import SingError
from sing_core.files.surroundings import os_refusal, settle
from sing_core.settings import fault, refusal


def main() -> None:
    """Run the command line; errors meant for people become one line and exit code 2."""
    as_json = "--json" in sys.argv
    try:
        settle()
        # Each adds its commands to the app, in this order.
        # isort: off
        from sing_core.cli import photo, arrays, pictures, models, translators, validate  # noqa: F401
        from sing_core.cli import sets, leakage, compare, evidence, choices, pixels, units  # noqa: F401
        from sing_core.cli import unit_ledger, unit_words, unit_directions, unit_atlas  # noqa: F401
        from sing_core.cli import head_texts, talk, health  # noqa: F401
        # isort: on

        code = app(standalone_mode=False)
    except SingError as error:
        _fail(type(error).__name__, str(error), as_json)
    except typer.TyperException as error:  # what typer says about wrong arguments
        _fail("UsageError", _usage(error), as_json)
    except ValidationError as error:  # of the settings: nothing else is validated this way
        _fail("SettingsError", refusal(error), as_json)
    except OSError as error:
        _fail("FileError", os_refusal(error), as_json)
    if isinstance(code, int) and code:  # `typer.Exit`, as after Ctrl-C, is returned, not raised
        raise SystemExit(code)


def _usage(error: typer.TyperException) -> str:
    """Return what typer says about wrong arguments; of a wrong value, what is asked for."""
    said, cause = error.format_message(), error.__cause__
    if isinstance(cause, ValidationError):
        said = said.replace(error.message, fault(cause.errors()[0]))
    return said if said.endswith((".", "?", "!")) else f"{said}."


def _fail(kind: str, message: str, as_json: bool) -> None:
    text = json.dumps({"error": kind, "message": message}) if as_json else message
    typer.echo(text, err=True)
    raise SystemExit(2)
