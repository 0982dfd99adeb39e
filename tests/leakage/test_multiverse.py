"""Which claims survive other choices: on the embedded set, and where the answer is planted."""

import copy
from dataclasses import replace

import numpy as np
import pytest

from sing_core.errors import ImageSetError
from sing_core.files.store import Store
from sing_core.leakage.choices import CONTRAST, Measured, measured_by
from sing_core.leakage.claims import Choice, Claim, spoken
from sing_core.leakage.differences import pair_rows
from sing_core.leakage.multiverse import _claim, multiverse
from sing_core.leakage.other_fits import AS_FITTED, PENALTIES
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
    return multiverse([*sets, sets[0]])


def between(claims, measure, one, two):
    return [c for c in claims if (c.measure, c.first, c.second) == (measure, one, two)]


def test_what_is_claimed_of_two_is_what_compare_says(sets, claims):
    for row in pair_rows(sets):
        told = between(claims, row.measure, "lite0", "lite1")
        parts = row.by_stratum if row.kinds_differ else (row,)
        assert [claim.kind for claim in told] == [
            p.stratum if row.kinds_differ else "" for p in parts
        ]
        for claim, part in zip(told, parts, strict=True):
            usual = claim.choices[0]
            assert usual.names[1:] == ("raw", "mini", AS_FITTED)
            assert usual.estimate == pytest.approx(part.difference.estimate, abs=2e-3)
            if abs(usual.estimate) > 3 * (usual.high - usual.low):
                assert usual.sign == (1 if part.difference.estimate > 0 else -1)


def test_where_kinds_differ_each_kind_has_its_claim_and_no_pooled_one_is_made(sets, claims):
    (row,) = (row for row in pair_rows(sets) if row.measure == "image_score_deg")
    assert row.kinds_differ, "the difference turns round on small images"
    of = {claim.kind: claim for claim in between(claims, row.measure, "lite0", "lite1")}
    assert set(of) == {"full photograph", "64-pixel image"}
    small = of["64-pixel image"]
    assert small.text == "Of the kind 64-pixel image: IS of lite1 is larger than that of lite0"
    assert len({choice.names for choice in small.choices}) == len(small.choices)
    assert {choice.images for choice in small.choices} == {"64-pixel image"}
    assert len(small.choices) == 2 * 2 * (1 + len(PENALTIES) + 5)
    assert of["full photograph"].choices[0].sign == 1


def test_the_stored_scores_are_among_the_choices(sets):
    own = measured_by(sets[0], [0, 1, 2, 1500])
    stored = sets[0].ask("SELECT row, image_score_deg FROM images ORDER BY row").to_pylist()
    wanted = {row["row"]: row["image_score_deg"] for row in stored}
    assert own.scores["raw", "mini", AS_FITTED]["image_score_deg"] == pytest.approx(
        [wanted[row] for row in (0, 1, 2, 1500)], rel=0.02
    )


def test_models_that_must_not_be_compared_have_no_claim_and_no_such_choice(sets):
    bench = sets[0].bench
    own = open_set(bench, "lite2", images="embedded")
    found = multiverse([sets[0], own])
    assert [claim.second for claim in found] == ["", ""]
    third = [
        open_set(bench, n, images="embedded", reference="mini-vit") for n in ("lite0", "lite2")
    ]
    told = [claim for claim in multiverse(third) if claim.second]
    assert told
    assert {choice.reference for claim in told for choice in claim.choices} == {"mini-vit"}


def test_a_model_beside_itself_differs_under_no_choice(claims):
    (claim,) = between(claims, "image_score_deg", "lite0", "lite0")
    assert all(choice.estimate == 0 for choice in claim.choices)
    assert claim.survives == len(claim.choices)
    assert "not told apart" in claim.sentence


def test_the_same_classes_may_decide_and_only_their_images_count(sets):
    variant = HeadVariant(tuple(range(40)))
    found = multiverse([under(scored, variant) for scored in sets])
    labels = sets[0].ask("SELECT label FROM images")["label"].to_pylist()
    wanted = [label for label in labels if label < 40]
    assert 2 <= len(set(wanted)) < len(set(labels))
    claim = next(c for c in found if c.measure == "contrast_deg")
    whole = next(c for c in multiverse(sets) if c.measure == "contrast_deg")
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
    assert claim.sentence.endswith(
        "it survives 2 of 4 choices; 1 says the opposite; never with small; estimates from −1.00° "
        "to +1.00°."
    )
    told = claim.as_row()
    assert (told["opposite"], told["smallest"], told["largest"]) == (1, -1.0, 1.0)
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
    assert less.sentence.endswith(
        "survives 4 of 5 choices; 1 says the opposite; with small only 1 of 2; estimates from "
        "−1.00° to +1.00°."
    )
    silent = claim_of(choice("all", 1.0, True), choice("small", 0.05, False))
    assert "; none says the opposite; never with small; " in silent.sentence
    both = claim_of(choice("all", 1.0, True), choice("a", -1.0, False), choice("b", -1.0, False))
    assert "; 2 say the opposite; " in both.sentence
    whole = Claim(CONTRAST, "a", "", (choice("all", 1.0, True),))
    assert "beside no random part of the same length" in whole.text
    assert "random part" not in replace(whole, label="goldfish").text
    assert "(0.00° [−0.10, +0.10] by the usual" in claim_of(choice("all", 0.0, True)).sentence
    open_ = claim_of(choice("all", 0.0, True), choice("all", 0.0, True, "centred"))
    assert open_.sentence.endswith(
        "by the usual choices): it stays undecided under 2 of 2 choices; 0 say above 0, 0 below."
    )
    assert [spoken(name) for name in ("λ / 3", "without part 2", "centred", "small")] == [
        "a third of the translator’s penalty", "the fit without part 2", "centred angles", "small",
    ]  # fmt: skip
    assert all(spoken(name).endswith("translator’s penalty") for name in PENALTIES)
    turned = claim_of(choice("all", -1.0, True))
    assert turned.text == "IS of b is larger than that of a"
    assert claim_of(choice("all", 0.0, True)).text == "IS of a and of b are not told apart"


KEYS = [("raw", "mini", AS_FITTED), ("centred", "mini", AS_FITTED), ("raw", "mini", "λ / 10")]
LABELS = np.repeat(np.arange(30), 8)


def measured(rng, planted=0.0, keys=KEYS):
    """Scores of a model whose classes differ by chance alone, and by what is planted."""
    return Measured("a", LABELS, ("",) * len(LABELS), {
        key: {CONTRAST: planted + rng.normal(0, 0.4, 30)[LABELS] + rng.normal(0, 1, len(LABELS))}
        for key in keys
    })  # fmt: skip


def test_a_planted_claim_about_a_model_survives_and_nothing_is_claimed_at_the_error_rate():
    rng = np.random.default_rng(0)
    everything = {"all": np.ones(len(LABELS), dtype=bool), "one class": LABELS == 3}
    for way in (1, -1):
        claim = _claim(CONTRAST, (measured(rng, 2.0 * way), None), everything)
        assert len(claim.choices) == len(KEYS), "images of one class have no interval"
        assert {choice.sign for choice in claim.choices} == {way}
        assert f"turns images {'towards' if way > 0 else 'away from'} the names of" in claim.text
    only_raw = measured(rng, 2.0).scores | measured(rng, -2.0, KEYS[1:2]).scores
    turned = _claim(CONTRAST, (replace(measured(rng), scores=only_raw), None), everything)
    assert [choice.survives for choice in turned.choices] == [True, False, True]
    found = [
        _claim(CONTRAST, (measured(rng, keys=KEYS[:1]), None), everything).choices[0].sign != 0
        for _ in range(1_000)
    ]
    assert 0.02 < np.mean(found) <= 0.07


def test_an_undecided_claim_says_how_many_choices_decide_it():
    claim = claim_of(
        choice("all", 0.0, True), choice("all", 1.0, False), choice("all", 2.0, False),
        choice("all", -1.0, False),
    )  # fmt: skip
    assert claim.sentence.endswith(
        "it stays undecided under 1 of 4 choices; 2 say above 0, 1 below."
    )
    assert (claim.as_row()["above"], claim.as_row()["below"]) == (2, 1)
