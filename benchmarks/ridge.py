"""A path of 20 lambdas beside 20 fits of scikit-learn's Ridge; cross-fitting beside one fit."""

from collections.abc import Iterator

import numpy as np
import torch
from sklearn.linear_model import Ridge
from torch import Tensor

from benchmarks.timing import Line, compare, demand
from sing_core.maths.cross_fit import CrossFit, cross_fit, moments_by_fold
from sing_core.maths.folds import FOLDS
from sing_core.maths.ridge import Moments, RidgePath, fit_path, lambdas_around

ROWS, HELD_OUT, FEATURES, DIM = 12_000, 1_500, 1280, 384
ALPHAS = tuple(float(a) for a in np.logspace(-1, 4, 20))


# As many views as the shipped translators are fitted on, with the pseudo-pairs.
VIEWS = 60_000


def lines() -> Iterator[Line]:
    yield _path()
    yield _folds()


def _rows(count: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    # Like features behind a pooled ReLU: positive, correlated.
    mixing = torch.randn(FEATURES, FEATURES, dtype=torch.float64) / FEATURES**0.5
    x = (torch.randn(count, FEATURES, dtype=torch.float64) @ mixing).relu()
    y = x @ torch.randn(FEATURES, DIM, dtype=torch.float64) / 36
    return x, y + torch.randn(y.shape, dtype=torch.float64)


def _folds() -> Line:
    """Five fits that never saw what they score, beside one fit whose lambda a tenth chooses."""
    x, y = _rows(VIEWS)
    tenth, folds = VIEWS // 10, torch.arange(VIEWS) % FOLDS

    def ours() -> CrossFit:
        return cross_fit(moments_by_fold(x, y, folds))

    def one() -> RidgePath:
        fitting, choosing = Moments.of(x[tenth:], y[tenth:]), Moments.of(x[:tenth], y[:tenth])
        return fit_path(fitting, choosing, alphas=lambdas_around(fitting.mean_eigenvalue))

    def check(found: CrossFit, path: RidgePath) -> None:
        apart = found.whole.weight - path.translator.weight
        demand(float(apart.norm() / path.translator.weight.norm()) < 0.1, "the fit of all folds")

    return compare(
        f"cross-fitting {FOLDS} folds of {VIEWS:,}x{FEATURES} -> {DIM}, vs one fit",
        ours, one, check=check, target=1 / 1.3, rounds=2, warm=False,
    )  # fmt: skip


def _path() -> Line:
    x, y = _rows(ROWS + HELD_OUT)
    fitted, held_out = (x[:ROWS], y[:ROWS]), (x[ROWS:], y[ROWS:])

    def ours() -> RidgePath:
        return fit_path(Moments.of(*fitted), Moments.of(*held_out), alphas=ALPHAS)

    def theirs() -> list[tuple[float, np.ndarray, np.ndarray]]:
        arrays, (x_new, y_new) = [t.numpy() for t in fitted], [t.numpy() for t in held_out]
        found = []
        for alpha in ALPHAS:
            model = Ridge(alpha=alpha).fit(*arrays)
            mse = float(((model.predict(x_new) - y_new) ** 2).mean())
            found.append((mse, model.coef_, model.intercept_))
        return found

    def check(path: RidgePath, fits: list[tuple[float, np.ndarray, np.ndarray]]) -> None:
        demand(np.allclose(path.mse, [f[0] for f in fits], rtol=1e-6, atol=0), "held-out error")
        best = int(np.argmin([f[0] for f in fits]))
        demand(path.best_alpha == ALPHAS[best], "the lambda chosen")
        for name, a, b in (
            ("coefficients", path.translator.weight.numpy(), fits[best][1]),
            ("intercept", path.translator.bias.numpy(), fits[best][2]),
        ):
            demand(float(np.abs(a - b).max() / np.abs(b).max()) < 1e-6, name)

    return compare(
        f"{len(ALPHAS)} lambdas, {ROWS:,}x{FEATURES} -> {DIM}, vs scikit-learn Ridge fits",
        ours, theirs, check=check, target=10.0, rounds=2, warm=False,
    )  # fmt: skip
