"""Words of sentences that are put together, for the pages: those of the core, under one name."""

from sing_core.leakage.phrases import (
    FEW,
    FEW_SCORES,
    MINUS,
    NOTHING,
    be,
    count,
    degrees,
    in_words,
    interval,
    listed,
    number,
    percent,
    size,
)

__all__ = [
    "FEW",
    "FEW_SCORES",
    "MINUS",
    "NOTHING",
    "be",
    "count",
    "degrees",
    "in_words",
    "interval",
    "listed",
    "number",
    "percent",
    "size",
]
