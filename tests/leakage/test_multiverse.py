"""Which claims survive other choices: on the embedded set, and where the answer is planted."""

import copy
from dataclasses import replace

import numpy as np
import pytest

from sing_core.errors import ImageSetError
from sing_core.files.store import Store
from sing_core.leakage.choices import AS_FITTED, PENALTIES, measured_by
from sing_core.leakage.differences import pair_rows
from sing_core.leakage.measures import MEASURES
from sing_core.leakage.multiverse import Choice, Claim, multiverse, spoken
from sing_core.leakage.scored_sets import open_set
from sing_core.leakage.variant_scores import under
from sing_core.maths.head_variants import HeadVariant
from sing_core.models.pool import ModelPool
from sing_core.models.workbench import Workbench
from sing_core.settings import Settings

pytestmark = pytest.mark.slow  # real features under real heads


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    settings = Settings(cache_dir=tmp_path_factory.mktemp("multiverse"))
    bench = Workbench(settings, ModelPool(settings), Store(settings.cache_dir))
    return [open_set(bench, name, images="embedded") for name in ("lite0", "lite1")]


@pytest.fixture(scope="module")
def claims(sets):
    return {(c.measure, c.first, c.second): c for c in multiverse([*sets, sets[0]])}


def test_the_usual_choices_say_what_compare_says(sets, claims):
    rows = {row.measure: row.difference for row in pair_rows(sets)}
    for measure in MEASURES:
        usual = claims[measure, "lite0", "lite1"].choices[0]
        assert usual.names == ("all (pooled)", "raw", "mini", AS_FITTED)
        assert usual.estimate == pytest.approx(rows[measure].estimate, abs=2e-3)
        assert usual.low == pytest.approx(rows[measure].low, abs=1e-2)


def test_every_combination_is_measured_once_and_the_stored_scores_are_among_them(sets, claims):
    claim = claims["image_score_deg", "lite0", "lite1"]
    names = [choice.names for choice in claim.choices]
    assert len(set(names)) == len(names) == 3 * 2 * 2 * (1 + len(PENALTIES) + 5)
    assert claim.choices[0].survives
    small = next(
        c for c in claim.choices if c.names == ("64-pixel image", "raw", "mini", AS_FITTED)
    )
    assert small.sign == -claim.choices[0].sign, "the difference turns round on small images"
    assert not small.survives
    assert "64-pixel image, raw, mini, as fitted" in claim.as_row()["fails"]
    own = measured_by(sets[0], [0, 1, 2, 1500])
    stored = sets[0].ask("SELECT row, image_score_deg FROM images ORDER BY row").to_pylist()
    wanted = {row["row"]: row["image_score_deg"] for row in stored}
    assert own.scores["raw", "mini", AS_FITTED]["image_score_deg"] == pytest.approx(
        [wanted[row] for row in (0, 1, 2, 1500)], rel=0.02
    )


def test_a_model_beside_itself_differs_under_no_choice(claims):
    claim = claims["image_score_deg", "lite0", "lite0"]
    assert all(choice.estimate == 0 for choice in claim.choices)
    assert claim.survives == len(claim.choices)
    assert "not told apart" in claim.sentence


def test_the_same_classes_may_decide_and_only_their_images_count(sets):
    variant = HeadVariant(tuple(range(40)))
    found = multiverse([under(scored, variant) for scored in sets])
    labels = sets[0].ask("SELECT label FROM images")["label"].to_pylist()
    wanted = [label for label in labels if label < 40]
    assert 2 <= len(set(wanted)) < len(set(labels))
    claim = next(c for c in found if c.measure == "image_score_deg")
    whole = next(c for c in multiverse(sets) if c.measure == "image_score_deg")
    assert claim.choices[0].estimate != pytest.approx(whole.choices[0].estimate)


def test_models_of_different_sets_are_not_compared(sets):
    other = copy.copy(sets[1].folder)
    other.facts = replace(other.facts, key="another")
    with pytest.raises(ImageSetError, match="same set"):
        multiverse([sets[0], replace(sets[1], folder=other)])


def claim_of(*choices):
    return Claim("image_score_deg", "a", "b", choices)


def choice(images, estimate, survives, reading="raw"):
    return Choice(
        images, reading, "mini", AS_FITTED, estimate, estimate - 0.1, estimate + 0.1, survives
    )


def test_what_it_never_survives_is_named_and_nothing_else():
    claim = claim_of(
        choice("all", 1.0, True), choice("small", -1.0, False),
        choice("all", 1.0, True, "centred"), choice("small", 0.0, False, "centred"),
    )  # fmt: skip
    assert claim.text == "IS of a is larger than that of b"
    assert claim.never == ("small",)
    assert claim.sentence.endswith("it survives 2 of 4 choices; never with small.")
    assert claim.as_row()["fails"] == [
        "small, raw, mini, as fitted",
        "small, centred, mini, as fitted",
    ]
    assert np.isclose(claim.as_row()["estimate"], 1.0)
    less = claim_of(
        choice("all", 1.0, True), choice("small", 1.0, True), choice("all", 1.0, True, "centred"),
        choice("small", -1.0, False, "centred"), choice("all", 1.0, True, "else"),
    )  # fmt: skip
    assert less.never == ()
    assert less.sentence.endswith("survives 4 of 5 choices; with small only 1 of 2.")
    assert "(0.00° [−0.10, +0.10] by the usual" in claim_of(choice("all", 0.0, True)).sentence
    open_ = claim_of(choice("all", 0.0, True), choice("all", 0.0, True, "centred"))
    assert open_.sentence.endswith(
        "by the usual choices): it stays undecided under 2 of 2 choices."
    )
    assert [spoken(name) for name in ("λ / 3", "without part 2", "centred", "small")] == [
        "a third of the translator’s penalty", "the fit without part 2", "centred angles", "small",
    ]  # fmt: skip
    assert all(spoken(name).endswith("translator’s penalty") for name in PENALTIES)
    turned = claim_of(choice("all", -1.0, True))
    assert turned.text == "IS of b is larger than that of a"
    assert claim_of(choice("all", 0.0, True)).text == "IS of a and of b are not told apart"
