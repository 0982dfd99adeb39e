"""The 0.972 protocol: does what a feature says about the class survive translation?

Per classifier, one linear head is trained on principal features (``f - Pi_n f``) and one on their
translations; both are judged on held-out images. Over classifiers, the accuracies before and after
are then correlated (Pearson).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from sing_core.errors import ShapeError

if TYPE_CHECKING:
    from sing_core.maths.feature_map import RowMap
    from sing_core.maths.head import HeadDecomposition

TEST_EVERY = 4
_PENALTY = 1.0
_FEWEST_MODELS = 3


@dataclass(frozen=True, slots=True)
class Transfer:
    """Held-out accuracies, between 0 and 1, of one classifier's two trained heads.

    Attributes:
        model: the classifier.
        before: of the head on principal features; ``after`` of that on their translations.
        n: images trained on; ``n_test`` images judged; ``classes`` how many there are.
    """

    model: str
    before: float
    after: float
    n: int
    n_test: int
    classes: int


def transfer(
    model: str,
    features: Tensor,
    labels: Sequence[str],
    head: "HeadDecomposition",
    translator: "RowMap",
) -> Transfer:
    """Train the two heads on three of four images of each class and judge them on the fourth.

    ``features`` ``(n, m)``; one label per row.

    Raises:
        ShapeError: labels and rows do not pair up, there are fewer than two classes, or a class
            has fewer than four images.
    """
    if features.ndim != 2 or len(labels) != len(features):
        raise ShapeError(f"Labels and features must pair up, got {len(labels)}, {features.shape}.")
    names, classes = np.unique(np.asarray(labels), return_inverse=True)
    counts = np.bincount(classes, minlength=len(names))
    if len(names) < 2 or int(counts.min()) < TEST_EVERY:
        raise ShapeError(
            f"Heads need at least two classes with {TEST_EVERY} images each; these are "
            f"{len(names)}, the smallest with {int(counts.min())}."
        )
    place = np.zeros(len(classes), dtype=int)
    for own in range(len(names)):
        place[classes == own] = np.arange(counts[own])
    testing = place % TEST_EVERY == TEST_EVERY - 1
    principal = head.remove_null(features.double())
    translated = translator.apply(principal)
    before, after = (
        _accuracy(rows.detach().numpy(), classes, testing) for rows in (principal, translated)
    )
    return Transfer(model, before, after, int((~testing).sum()), int(testing.sum()), len(names))


def _accuracy(rows: np.ndarray, classes: np.ndarray, testing: np.ndarray) -> float:
    """Return the held-out accuracy of a ridge classifier on standardised ``rows`` ``(n, k)``."""
    from sklearn.linear_model import RidgeClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    fitted = make_pipeline(
        StandardScaler(), RidgeClassifier(alpha=_PENALTY * int((~testing).sum()))
    )
    fitted.fit(rows[~testing], classes[~testing])
    return float(fitted.score(rows[testing], classes[testing]))


def pearson(found: Sequence[Transfer]) -> float | None:
    """Return the correlation of accuracies before and after over classifiers.

    None where it says nothing: fewer than three classifiers (two always give 1 or -1), or
    accuracies that do not differ.
    """
    from scipy.stats import pearsonr

    before, after = [row.before for row in found], [row.after for row in found]
    if len(found) < _FEWEST_MODELS or len(set(before)) == 1 or len(set(after)) == 1:
        return None
    return float(pearsonr(before, after).statistic)
