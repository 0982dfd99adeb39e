"""Verdicts about pairs of models: corrected for how many pairs there are."""

from itertools import combinations

import numpy as np
import pytest

from sing_core.leakage.differences import PairRow, corrected
from sing_core.maths.statistics import paired_difference

MODELS, CLASSES, RUNS = 13, 16, 400


def compared(rng, shift=0.0):
    """Return the corrected pairs of 13 models that see one set; the first is ``shift`` above."""
    shared = rng.gamma(4.0, 0.5, CLASSES)
    scores = shared + 0.3 * rng.standard_normal((MODELS, CLASSES))
    scores[0] += shift
    labels = np.arange(CLASSES)
    return corrected(
        [
            PairRow(str(a), str(b), "is", CLASSES, paired_difference(scores[a], scores[b], labels))
            for a, b in combinations(range(MODELS), 2)
        ]
    )


@pytest.mark.slow
def test_of_equal_models_any_pair_is_called_different_in_at_most_6_percent_of_tables():
    rng = np.random.default_rng(3)
    tables = [compared(rng) for _ in range(RUNS)]
    false = sum(any(row.decided for row in rows) for rows in tables)
    assert false / RUNS <= 0.06, false
    alone = sum(any(row.difference.decided for row in rows) for rows in tables)
    assert alone / RUNS > 0.3, "without a correction most tables hold a false verdict"


def test_a_model_that_is_larger_is_still_found():
    rows = compared(np.random.default_rng(4), shift=1.0)
    decided = {(row.first, row.verdict) for row in rows if row.decided}
    assert decided == {("0", "0 is larger")}
    assert sum(row.decided for row in rows) == MODELS - 1


def test_pairs_that_may_not_be_compared_are_not_counted():
    gap = paired_difference([1.0, 1.2, 1.1, 1.3], [0.0, 0.3, 0.2, 0.1], [0, 1, 2, 3])
    rows = corrected(
        [PairRow("a", "b", "is", 4, gap), PairRow("a", "c", "is", 4, gap, "own tower")]
    )
    assert rows[0].p_adjusted == pytest.approx(gap.p)
    assert rows[0].as_row()["p_adjusted"] == rows[0].p_adjusted
    assert (rows[1].p_adjusted, rows[1].decided) == (None, False)
