"""The comparison of translators: intervals, the verdict, and the file that ships."""

import json

import numpy as np
import pytest
import torch

from sing_core.errors import ShapeError, StaleArtefactError
from sing_core.maths.nonlinear import ARCHITECTURES
from sing_core.maths.ridge import fit_ridge
from sing_core.maths.statistics import mean_over_images
from sing_core.maths.translator import Translator
from sing_core.maths.translator_quality import Comparison, PerImage, compare, per_image, r_squared
from sing_core.settings import Settings
from sing_core.studies.translator_table import comparison_path, read_comparisons


@pytest.mark.slow
def test_an_interval_is_as_wide_as_theory_says_and_the_same_twice():
    values, apart = torch.from_numpy(np.random.default_rng(0).standard_normal(4000)), range(4000)
    found = mean_over_images(values, apart)
    assert found.estimate == pytest.approx(float(values.mean()))
    assert found.high - found.low == pytest.approx(2 * 1.96 / 4000**0.5, rel=0.06)
    assert found == mean_over_images(values, apart)
    constant = mean_over_images(torch.full((5,), 0.25), [0, 0, 0, 1, 2])
    assert (constant.low, constant.estimate, constant.high) == (0.25, 0.25, 0.25)
    assert mean_over_images(torch.ones(3), ["one"] * 3).low is None
    with pytest.raises(ShapeError, match="one length"):
        mean_over_images(torch.ones(3), [0, 1])


def test_measures_of_a_translator_are_those_of_their_definitions():
    x, z = torch.randn(40, 5).double(), torch.randn(40, 3).double()
    fitted = fit_ridge(x, z, alpha=0.0)
    found = per_image(fitted, x, z)
    guess = fitted.apply(x)
    torch.testing.assert_close(found.cosine, torch.cosine_similarity(guess, z, dim=-1))
    torch.testing.assert_close(found.mse, (guess - z).square().mean(-1))
    residual = (guess - z).square().sum() / (z - z.mean(0)).square().sum()
    assert r_squared(fitted, x, z) == pytest.approx(float(1 - residual))
    exact = Translator(torch.randn(3, 5).double(), torch.randn(3).double())
    assert r_squared(exact, x, exact.apply(x)) == pytest.approx(1)
    with pytest.raises(ShapeError, match="Cannot compare"):
        per_image(fitted, x, z[:, :2])


def measured(mean, seed=0):
    noise = torch.from_numpy(np.random.default_rng(seed).uniform(-0.01, 0.01, 300))
    return PerImage(mean + noise, 1 - mean - noise)


@pytest.mark.parametrize(
    ("linear", "suffices", "words"),
    [(0.80, True, "largest"), (0.69, True, "within 0.02"), (0.65, False, "does cost something")],
)
def test_the_verdict_says_whether_linear_is_near_enough(linear, suffices, words):
    rows = [("linear", "ridge", measured(linear)), ("mlp3", "mse", measured(0.70, 1))]
    found = compare(rows, images="made-up images", classes=np.arange(300) // 3)
    assert (found.classes, found.rows[0].cosine.clusters) == (100, 100)
    assert found.linear_suffices is suffices
    assert words in found.verdict
    assert [row.cosine.estimate for row in found.rows] == sorted(
        (row.cosine.estimate for row in found.rows), reverse=True
    )
    assert found.rows[0].behind.estimate == 0
    for row in found.rows:
        assert row.cosine.low < row.cosine.estimate < row.cosine.high
        assert sum(row.histogram) == pytest.approx(1)
    assert Comparison.from_json(json.loads(json.dumps(found.as_json()))) == found


def test_a_comparison_needs_the_same_images_and_a_linear_one():
    with pytest.raises(ShapeError, match="one of them linear"):
        compare([("mlp3", "mse", measured(0.7))], images="", classes=range(300))
    short = PerImage(torch.ones(3), torch.ones(3))
    with pytest.raises(ShapeError, match="same images"):
        compare(
            [("linear", "ridge", measured(0.7)), ("mlp3", "mse", short)],
            images="",
            classes=range(300),
        )


def test_a_file_of_before_says_that_its_images_counted_for_themselves():
    rows = [("linear", "ridge", measured(0.8))]
    stored = compare(rows, images="", classes=np.arange(300) // 3).as_json()
    del stored["classes"]
    old = Comparison.from_json(stored)
    assert (old.classes, old.rows[0].cosine.clusters) == (None, 300)


def test_the_comparison_that_ships_has_every_architecture_and_says_what_holds():
    command, tables = read_comparisons(Settings())
    assert command == "python -m sing_core.making compare-translators"
    assert list(tables) == ["photos", "unseen"]
    for table in tables.values():
        assert {row.architecture for row in table.rows} == {"linear", *ARCHITECTURES}
        assert all(row.cosine.low <= row.cosine.estimate <= row.cosine.high for row in table.rows)
        assert all(row.mse.low <= row.mse.estimate <= row.mse.high for row in table.rows)
        assert table.linear_suffices, table.verdict
    assert tables["photos"].n == 5000


def test_without_the_file_the_page_can_say_so(tmp_path):
    settings = Settings(assets_dir=tmp_path)
    with pytest.raises(StaleArtefactError, match=r"comparison\.json"):
        read_comparisons(settings)
    comparison_path(settings).parent.mkdir()
    for text in ("{", "{}", '{"tests": {"photos": {"rows": 3}}}'):
        comparison_path(settings).write_text(text)
        with pytest.raises(StaleArtefactError):
            read_comparisons(settings)
