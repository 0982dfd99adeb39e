"""The command that prints what a page's table shows: what differs from a default, quoted."""

import shlex
from collections.abc import Iterable

from pages._view import loaders
from sing_core.models.registry import DEFAULT_REFERENCE

SAMPLES_FOLDER = "samples=$(python -c 'import skimage; print(skimage.data_dir)')"


def of_set(
    verb: str, models: Iterable[str], images: str, options: Iterable[tuple[str, str]] = ()
) -> str:
    """Return the command that asks ``verb`` of a prepared set, for a POSIX shell.

    ``options`` are names and texts; one whose text is empty is at its default and left out. What
    somebody typed is quoted: the shell runs none of it.
    """
    reference = loaders.reference()
    asked = [
        *(("--model", model) for model in models),
        ("--set", images),
        ("--reference", "" if reference == DEFAULT_REFERENCE else reference),
        *options,
    ]
    # No argument can hold a zero byte; in a prompt, which alone comes this far, it is a space.
    words = [f"{name} {shlex.quote(text.replace(chr(0), ' '))}" for name, text in asked if text]
    return f"python -m sing_core {verb} {' '.join(words)}"


def sample_file(name: str) -> str:
    """Return how a command names the file of a sample photo, after a line ``SAMPLES_FOLDER``."""
    return f'"$samples"/{shlex.quote(name)}'
