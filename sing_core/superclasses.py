"""Groups of ImageNet classes to browse by: dogs, vehicles, food; our own table, no standard."""

import tomllib
from functools import cache
from pathlib import Path

from sing_core.head_variants import parse_classes

OTHER = "Other objects"
_TABLE = Path(__file__).parents[1] / "assets" / "vocabulary" / "superclasses.toml"
_NUMBERS = tuple(str(index) for index in range(1000))


@cache
def superclasses() -> dict[str, frozenset[int]]:
    """Return the classes, in ImageNet-1k order from 0, of every group; each class is in one."""
    text = _TABLE.read_text(encoding="utf-8")
    groups = {
        name: frozenset(parse_classes(spec, _NUMBERS)) for name, spec in tomllib.loads(text).items()
    }
    return groups | {OTHER: frozenset(range(1000)).difference(*groups.values())}
