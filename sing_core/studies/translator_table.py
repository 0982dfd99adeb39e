"""The comparison of translators that ships, read."""

import json
from typing import TYPE_CHECKING

from sing_core.errors import StaleArtefactError
from sing_core.maths.translator_quality import Comparison

if TYPE_CHECKING:
    from pathlib import Path

    from sing_core.settings import Settings


def comparison_path(settings: "Settings") -> "Path":
    """Return where the comparison that ships lies; ``sing_core.making.compare`` makes it."""
    return settings.assets_dir / "translators" / "comparison.json"


def read_comparisons(settings: "Settings") -> tuple[str, dict[str, Comparison]]:
    """Return the command that made the shipped comparison, and its tables by set of images.

    Raises:
        StaleArtefactError: the file is missing or is not one.
    """
    path = comparison_path(settings)
    try:
        stored = json.loads(path.read_text("utf-8"))
        tables = {name: Comparison.from_json(table) for name, table in stored["tests"].items()}
        return str(stored["command"]), tables
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StaleArtefactError(
            f"The comparison of translators, {path.name} under assets/translators, is missing or "
            "damaged."
        ) from error
