"""Sets of made-up features in which a truth is planted, prepared once for all who ask."""

from sing_core.leakage.scored_sets import open_set
from tests.prepared_sets import made_up_set

EACH = 24


def planted(bench, name, features_of, strata=None, classes=4):
    place = bench.settings.cache_dir / "prepared" / name
    if not place.exists():
        counts = (EACH,) * classes
        made_up_set(
            bench, place, counts=counts, chunk_rows=32, features_of=features_of, strata=strata
        )
    return open_set(bench, "lite0", images=name)
