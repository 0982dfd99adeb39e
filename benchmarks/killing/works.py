"""Works that end by themselves: prepare a set, fit a translator, draw pictures."""

import importlib
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sing_core.settings import Settings
from tests.prepared_sets import files_of

# Imported before the fork: the kills then fall into the work, not into its imports.
_HEAVY = (
    *("timm", "open_clip", "transformers", "sing_core.cli.main", "sing_core.cli.pictures"),
    *("sing_core.cli.translators", "sing_core.leakage.prepare", "sing_core.pictures.studio"),
    *("sing_core.pictures.inversion.renderer", "sing_core.sets.paired_rows"),
)
BASE = ("mini", "head", "vocabulary")
_CHUNK_ROWS = 8
_STEPS = ("0", "12")


@dataclass(frozen=True)
class Work:
    """Something to do under a place, where ``made`` is what it leaves."""

    do: Callable[[Path], None]
    made: tuple[str, ...]

    def forget(self, place: Path) -> None:
        """Take away all that it made."""
        for name in self.made:
            shutil.rmtree(place / name, ignore_errors=True)


def prepare_imports() -> None:
    """Import what the works need."""
    for module in _HEAVY:
        importlib.import_module(module)


def base_cache(cache: Path) -> None:
    """Lay down what ships or is assembled once; the reference names its own place, so not that."""
    for kind in BASE:
        source = Settings().cache_dir / kind
        ignored = shutil.ignore_patterns("reference*", "*.lock")
        if source.is_dir():
            shutil.copytree(source, cache / kind, ignore=ignored)


def seen(place: Path, work: Work) -> dict[str, Any]:
    """Return the content of every file that a reader would find."""
    return {
        f"{name}/{path}": content
        for name in work.made
        if (place / name).is_dir()
        for path, content in files_of(place / name).items()
        if not path.endswith(".lock")
    }


def _prepare(place: Path) -> None:
    from sing_core.cli.app import open_bench
    from sing_core.leakage.prepare import prepare

    prepare(
        open_bench(Settings()),
        place / "images.parquet",
        models=("lite0",),
        name="set",
        root=place / "sets",
        chunk_rows=_CHUNK_ROWS,
    )


def _fit(place: Path) -> None:
    out = place / "fitted" / "lite0--mini.safetensors"
    command("fit-translator", "--images", place / "images.parquet", "--model", "lite0",
            "--out", out)  # fmt: skip


def _render(place: Path) -> None:
    steps = [word for step in _STEPS for word in ("--epsilon", step)]
    command("render", place / "photo.png", "--prompt", "an image of a jellyfish", *steps,
            "--size", "64", "--out", place / "pictures")  # fmt: skip


def command(*words: object) -> None:
    """Run a command in this process."""
    from sing_core.cli.main import main

    sys.argv = ["sing_core", *map(str, words)]
    main()


WORKS = {
    "prepare": Work(_prepare, ("sets",)),
    "fit": Work(_fit, ("fitted",)),
    "render": Work(_render, ("pictures", "cache/frames", "cache/features")),
}
