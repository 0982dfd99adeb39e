"""Ridge translators: closed form, the path, files and what they refuse."""

import errno
import hashlib
import os
import stat
from functools import reduce
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file

from sing_core.errors import ShapeError, StaleArtefactError, TranslatorMismatchError
from sing_core.maths.ridge import Basis, Moments, fit_path, fit_ridge
from sing_core.maths.translator import Translator
from sing_core.maths.translator_quality import r_squared
from tests import reference


def data(n=40, m=9, d=4, seed=0):
    rng = np.random.default_rng(seed)
    x, noise = rng.standard_normal((n, m)) + 1, rng.standard_normal((n, d))
    y = x @ rng.standard_normal((m, d)) + 0.1 * noise - 3
    return torch.from_numpy(x), torch.from_numpy(y)


@pytest.mark.parametrize("alpha", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("rows", [40, 5])
def test_the_fit_is_that_of_the_normal_equations(alpha, weighted, rows):
    x, y = data(rows)
    share = torch.rand(rows, dtype=torch.float64) if weighted else None
    found = fit_ridge(x, y, alpha=alpha, weights=share)
    matrix, intercept = reference.ridge(
        x.numpy(), y.numpy(), alpha, None if share is None else share.numpy()
    )
    np.testing.assert_allclose(found.weight.numpy(), matrix, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(found.bias.numpy(), intercept, rtol=1e-8, atol=1e-9)


def test_a_row_of_weight_two_counts_like_two_rows():
    x, y = data(12)
    share = torch.ones(12, dtype=torch.float64)
    share[3] = 2
    twice = torch.cat([x, x[3:4]]), torch.cat([y, y[3:4]])
    weighted, repeated = fit_ridge(x, y, alpha=0.5, weights=share), fit_ridge(*twice, alpha=0.5)
    torch.testing.assert_close(weighted.weight, repeated.weight)
    torch.testing.assert_close(weighted.bias, repeated.bias)


def test_without_a_penalty_an_exact_map_is_found_again():
    x, _ = data()
    matrix, intercept = torch.randn(3, 9, dtype=torch.float64), torch.randn(3, dtype=torch.float64)
    found = fit_ridge(x, x @ matrix.mT + intercept, alpha=0.0)
    torch.testing.assert_close(found.weight, matrix)
    torch.testing.assert_close(found.bias, intercept)


def test_a_huge_penalty_leaves_the_mean():
    x, y = data()
    found = fit_ridge(x, y, alpha=1e15)
    torch.testing.assert_close(found.apply(x), y.mean(0).expand_as(y))


def test_float32_data_are_fitted_in_float64():
    x, y = data()
    found = fit_ridge(x.float(), y.float(), alpha=1.0)
    assert found.weight.dtype == found.bias.dtype == torch.float64
    assert found.weight.shape == (4, 9)


def test_the_path_is_the_single_fits_and_keeps_the_smallest_error_on_other_rows():
    (x, y), (x_new, y_new) = data(), data(15, seed=1)
    alphas = (1e-3, 1.0, 50.0, 1e4)
    fitting, choosing = Moments.of(x, y), Moments.of(x_new, y_new)
    path = fit_path(fitting, choosing, alphas=alphas)
    assert path.alphas == alphas
    for alpha, mse in zip(alphas, path.mse, strict=True):
        single = fit_ridge(x, y, alpha=alpha)
        guess = single.apply(x_new)
        assert mse == pytest.approx(float((guess - y_new).square().mean()))
        assert choosing.mse(single) == pytest.approx(mse)
        assert choosing.r_squared(single) == pytest.approx(r_squared(single, x_new, y_new))
        if alpha == path.best_alpha:
            torch.testing.assert_close(path.translator.weight, single.weight)
            torch.testing.assert_close(path.translator.bias, single.bias)
    assert path.best_alpha == alphas[int(np.argmin(path.mse))]
    assert path.translator.details == {"lambda": repr(path.best_alpha)}


def test_single_precision_finds_the_same_errors_to_a_thousandth():
    (x, y), (x_new, y_new) = data(), data(15, seed=1)
    fitting, choosing = Moments.of(x, y), Moments.of(x_new, y_new)
    alphas = (0.1, 1.0, 50.0)
    found = Basis.of(fitting, torch.float32).errors(choosing, alphas)
    assert found == pytest.approx(Basis.of(fitting).errors(choosing, alphas), rel=1e-3)


@pytest.mark.parametrize(
    ("x", "y", "options"),
    [
        (torch.ones(3), torch.ones(3, 2), {}),
        (torch.ones(3, 2), torch.ones(4, 2), {}),
        (torch.ones(1, 2), torch.ones(1, 2), {}),
        (torch.ones(3, 2), torch.ones(3, 2), {"alpha": -1.0}),
        (torch.ones(3, 2), torch.ones(3, 2), {"alpha": float("nan")}),
        (torch.ones(3, 2), torch.ones(3, 2), {"weights": torch.ones(2)}),
        (torch.ones(3, 2), torch.ones(3, 2), {"weights": torch.tensor([1.0, -1.0, 1.0])}),
        (torch.ones(3, 2), torch.ones(3, 2), {"weights": torch.zeros(3)}),
    ],
)
def test_a_fit_that_makes_no_sense_is_refused(x, y, options):
    with pytest.raises(ShapeError):
        fit_ridge(x, y, **{"alpha": 1.0, **options})


@pytest.mark.slow
@given(st.lists(st.integers(0, 39), max_size=4, unique=True).map(sorted), st.integers(0, 99))
def test_moments_of_parts_merge_into_those_of_the_whole(cuts, seed):
    x, y = data(seed=seed)
    edges = [0, *cuts, len(x)]
    parts = [Moments.of(x[a:b], y[a:b]) for a, b in pairwise(edges) if b > a]
    merged, whole = reduce(Moments.merge, parts), Moments.of(x, y)
    for name in ("weight", "feature_mean", "embedding_mean", "xx", "xy", "yy"):
        torch.testing.assert_close(
            torch.as_tensor(getattr(merged, name)), torch.as_tensor(getattr(whole, name))
        )


def test_moments_of_other_widths_do_not_merge():
    x, y = data()
    with pytest.raises(ShapeError, match="do not merge"):
        Moments.of(x, y).merge(Moments.of(x[:, :3], y))


def test_a_path_without_lambdas_or_on_other_widths_is_refused():
    x, y = data()
    moments = Moments.of(x, y)
    with pytest.raises(ShapeError, match="at least one"):
        fit_path(moments, moments, alphas=[])
    with pytest.raises(ShapeError, match="cannot be judged"):
        fit_path(moments, Moments.of(x[:, :3], y), alphas=[1.0])


def test_shapes_are_checked_once_at_the_boundary():
    with pytest.raises(ShapeError, match=r"weight \(d, m\)"):
        Translator(torch.ones(2, 3), torch.ones(3))
    translator = Translator(torch.ones(2, 3), torch.ones(2))
    for method in (translator.apply, translator.linear):
        assert method(torch.ones(5, 4, 3)).shape == (5, 4, 2)
        for wrong in (torch.ones(4), torch.tensor(1.0)):
            with pytest.raises(ShapeError, match="takes 3 features"):
                method(wrong)


def test_a_translator_serves_only_what_it_was_fitted_for():
    facts = {"model": "lite0", "model_digest": "abc", "space_id": "mini-1"}
    translator = Translator(torch.ones(2, 3), torch.ones(2), **facts)
    translator.check_belongs(**facts)
    for name, words in (("model", "model"), ("model_digest", "weights"), ("space_id", "space")):
        with pytest.raises(TranslatorMismatchError, match=words):
            translator.check_belongs(**{**facts, name: "other"})


def test_an_imported_one_that_does_not_know_its_weights_is_tied_by_name_and_space():
    translator = Translator(torch.ones(2, 3), torch.ones(2), model="lite0", space_id="mini-1")
    translator.check_belongs(model="lite0", model_digest="abc", space_id="mini-1")
    for name, space in (("lite1", "mini-1"), ("lite0", "mini-2")):
        with pytest.raises(TranslatorMismatchError):
            translator.check_belongs(model=name, model_digest="abc", space_id=space)


def test_a_file_brings_back_the_same_translator(tmp_path):
    own = Translator(
        torch.randn(2, 3), torch.randn(2), "lite0", "abc", "mini-1", {"lambda": "3.0", "data": "é"}
    )
    path = tmp_path / "new folder" / "t.safetensors"
    own.save(path)
    again = Translator.load(path)
    assert torch.equal(again.weight, own.weight)
    assert torch.equal(again.bias, own.bias)
    for name in ("model", "model_digest", "space_id", "details"):
        assert getattr(again, name) == getattr(own, name)
    assert [p.name for p in path.parent.iterdir()] == ["t.safetensors"]
    with safe_open(path, framework="pt") as file:
        assert sorted(file.keys()) == ["bias", "weight"]


def test_missing_truncated_foreign_and_misshapen_files_are_refused(tmp_path):
    path = tmp_path / "t.safetensors"
    with pytest.raises(StaleArtefactError, match=r"t\.safetensors cannot be read"):
        Translator.load(path)
    Translator(torch.randn(2, 3), torch.randn(2)).save(path)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(StaleArtefactError, match="cannot be read"):
        Translator.load(path)
    save_file({"weight": torch.ones(2, 3)}, path, metadata={"format": "sing-translator-1"})
    with pytest.raises(StaleArtefactError, match="cannot be read"):
        Translator.load(path)
    pair = {"weight": torch.ones(2, 3), "bias": torch.ones(2)}
    for metadata in ({"format": "something else"}, None):
        save_file(pair, path, metadata=metadata)
        with pytest.raises(StaleArtefactError, match="not a translator"):
            Translator.load(path)
    save_file(pair, path, metadata={"format": "sing-translator-1"})
    with pytest.raises(TranslatorMismatchError):
        Translator.load(path).check_belongs(model="lite0", model_digest="a", space_id="b")
    save_file({**pair, "bias": torch.ones(3)}, path, metadata={"format": "sing-translator-1"})
    with pytest.raises(ShapeError):
        Translator.load(path)


def test_the_digest_that_older_files_noted_is_held_to_as_well(tmp_path):
    path, pair = tmp_path / "t.safetensors", {"weight": torch.randn(2, 3), "bias": torch.randn(2)}
    older = hashlib.sha256(pair["weight"].numpy().tobytes() + pair["bias"].numpy().tobytes())
    facts = {"format": "sing-translator-1", "sha256": older.hexdigest()}
    save_file(pair, path, metadata=facts)
    assert torch.equal(Translator.load(path).weight, pair["weight"])
    save_file({**pair, "bias": pair["bias"] + 1}, path, metadata=facts)
    with pytest.raises(StaleArtefactError, match="not those that were saved"):
        Translator.load(path)


def test_a_translator_can_be_read_by_whom_the_umask_lets(tmp_path):
    before = os.umask(0o027)
    try:
        Translator(torch.ones(2, 3), torch.ones(2)).save(tmp_path / "t.safetensors")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "t.safetensors").stat().st_mode) == 0o640


def test_a_disk_that_refuses_leaves_the_translator_that_was_there(tmp_path, monkeypatch):
    path = tmp_path / "t.safetensors"
    Translator(torch.ones(2, 3), torch.ones(2)).save(path)
    before = path.read_bytes()

    def refuse(self, target):
        raise OSError(errno.EIO, "input/output error", str(self))

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(OSError, match="output error") as refused:
        Translator(torch.zeros(2, 3), torch.zeros(2)).save(path)
    assert refused.value.filename == str(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
