"""Every defensible choice for the claims about two classifiers, over the embedded set.

``python -m benchmarks multiverse``: the first time in a process that has opened the set's scores.
"""

import time
from collections.abc import Iterator

from benchmarks.timing import Line, demand
from sing_core.files.store import Store
from sing_core.leakage.multiverse import multiverse
from sing_core.leakage.scored_sets import open_set
from sing_core.models.pool import ModelPool
from sing_core.models.workbench import Workbench
from sing_core.settings import Settings

WANTED_S = 10.0
MODELS = ("lite0", "lite1")


def lines() -> Iterator[Line]:
    settings = Settings()
    bench = Workbench(settings, ModelPool(settings), Store(settings.cache_dir))
    sets = [open_set(bench, model, images="embedded") for model in MODELS]
    start = time.perf_counter()
    claims = multiverse(sets)
    took = time.perf_counter() - start
    choices = min(claim.as_row()["choices"] for claim in claims)
    demand(len(claims) >= len(MODELS) and choices > 1, f"{len(claims)} claims, {choices} choices")
    images = sets[0].folder.facts.total
    yield Line(f"multiverse of two, {images:,} images", took, None, None, WANTED_S, "s")
