"""Groups of ImageNet classes to browse by: dogs, vehicles, food; our own table, no standard."""

import tomllib
from functools import cache
from pathlib import Path

from sing_core.maths.head_variants import parse_classes
from sing_core.settings import Settings

OTHER = "Other objects"
_NUMBERS = tuple(str(index) for index in range(1000))


def superclasses() -> dict[str, frozenset[int]]:
    """Return the classes, in ImageNet-1k order from 0, of every group; each class is in one."""
    return _read(Settings().assets_dir / "vocabulary" / "superclasses.toml")


@cache
def _read(table: Path) -> dict[str, frozenset[int]]:
    text = table.read_text(encoding="utf-8")
    groups = {
        name: frozenset(parse_classes(spec, _NUMBERS)) for name, spec in tomllib.loads(text).items()
    }
    return groups | {OTHER: frozenset(range(1000)).difference(*groups.values())}
