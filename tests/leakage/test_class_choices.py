"""Whether what is said of one class survives: beside its table, and with planted answers."""

from dataclasses import replace

import numpy as np
import pytest

from sing_core.errors import ImageSetError, ShapeError
from sing_core.files.store import Store
from sing_core.leakage import choices as measured
from sing_core.leakage.choices import CENTRED, RAW, Names
from sing_core.leakage.claims import Choice, Claim, judged
from sing_core.leakage.class_choices import class_choices, class_claim, level_of
from sing_core.leakage.classes import class_table
from sing_core.leakage.other_fits import AS_FITTED, PENALTIES
from sing_core.leakage.score_files import drawn
from sing_core.leakage.scored_sets import open_set
from sing_core.leakage.strata import POOLED, within
from sing_core.maths.draws import among_names, interval_among_names
from sing_core.maths.statistics import FALSE_DISCOVERY_RATE, LEVEL, adjusted
from sing_core.models.pool import ModelPool
from sing_core.models.workbench import Workbench
from sing_core.settings import Settings

MOST_WRONG = 0.06
SMALL = "64-pixel image"


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    settings = Settings(cache_dir=tmp_path_factory.mktemp("class-choices"))
    return open_set(
        Workbench(settings, ModelPool(settings), Store(settings.cache_dir)), "lite0",
        images="embedded",
    )  # fmt: skip


@pytest.fixture(scope="module")
def table(scored):
    return class_table(scored)


def rows_with_a_test(table):
    return [row for row in table if row.contrast_p_adjusted is not None]


def strongest(table):
    return max(rows_with_a_test(table), key=lambda row: abs(row.contrast_mean))


@pytest.mark.slow
def test_the_usual_choice_is_what_the_table_of_classes_shows(scored, table):
    row = strongest(table)
    claim = class_claim(scored, row.index)
    usual = claim.choices[0]
    assert usual.names[1:] == (RAW, "mini", AS_FITTED)
    assert usual.estimate == pytest.approx(row.contrast_mean, abs=2e-4)
    assert usual.sign == {"towards": 1, "away": -1, "not decided": 0}[row.verdict]
    assert usual.survives
    assert row.label in claim.sentence
    names = [choice.names for choice in claim.choices]
    assert len(set(names)) == len(names)
    assert len(names) % (2 * 2 * (1 + len(PENALTIES) + 5)) == 0
    told = claim.as_row()
    assert (told["class"], told["first"], told["level"]) == (row.label, "lite0", claim.level)
    assert told["survives"] + len(told["fails"]) == told["choices"] == len(names)


@pytest.mark.slow
def test_the_kind_that_the_table_shows_is_the_usual_one(scored):
    small = within(scored, SMALL)
    rows = class_table(small)
    row = strongest(rows)
    claim = class_claim(small, row.index)
    assert claim.choices[0].images == SMALL
    assert claim.choices[0].estimate == pytest.approx(row.contrast_mean, abs=2e-4)
    assert claim.level == level_of(rows)


@pytest.mark.slow
def test_a_class_of_one_image_has_no_claim_and_one_that_is_not_there_neither(scored, table):
    single = next(row for row in table if row.n == 1)
    with pytest.raises(ImageSetError, match=f"2 images of {single.label}; the set embedded has 1"):
        class_claim(scored, single.index)
    with pytest.raises(ImageSetError, match="has 0"):
        class_claim(scored, 10_000)


@pytest.mark.slow
def test_the_level_decides_what_the_corrected_tests_of_the_table_decide(scored, table):
    rows, level = rows_with_a_test(table), level_of(table)
    assert len(rows) == 200
    asked = scored.ask("SELECT label, contrast_deg, foreign_contrasts_deg FROM images")
    labels, own = (asked[name].to_numpy() for name in ("label", "contrast_deg"))
    foreign = drawn(asked["foreign_contrasts_deg"])
    for row in rows:
        mine = labels == row.index
        found = interval_among_names(own[mine], foreign[mine], level)
        assert found.decided == (row.verdict != "not decided"), row.label


@pytest.mark.slow
def test_with_the_names_of_others_hardly_a_class_is_decided(scored, table):
    """The error rate on the embedded scores, at the level of one test: nothing is corrected."""
    asked = scored.ask("SELECT label, foreign_contrasts_deg FROM images")
    labels, foreign = asked["label"].to_numpy(), drawn(asked["foreign_contrasts_deg"])
    decided, by_images_alone = [], []
    for row in rows_with_a_test(table):
        names = foreign[labels == row.index]
        for i in range(names.shape[1]):
            others = np.delete(names, i, axis=1)
            decided.append(interval_among_names(names[:, i], others).decided)
            by_images_alone.append(interval_among_names(names[:, i], 0 * others).decided)
    assert len(decided) > 1_000
    assert np.mean(decided) <= MOST_WRONG
    assert np.mean(by_images_alone) > 2 * MOST_WRONG, "images alone would decide nearly any name"


def names_of(rng, n, *, planted=0.0, noise=0.1):
    """Return a class whose names differ by 0.3 degrees, all images alike, and its own by more."""
    each = rng.normal(0, 0.3, 26) + rng.normal(0, noise, (n, 26))
    return Names(each[:, 0] + planted, each[:, 1:])


def everywhere(make):
    return {
        (reading, reference, fit): make()
        for reading in (RAW, CENTRED)
        for reference in ("mini", "mini-vit")
        for fit in (AS_FITTED, *PENALTIES)
    }


@pytest.mark.parametrize("way", [1, -1])
def test_a_planted_class_survives_all_choices_and_one_planted_under_some_these(way):
    rng = np.random.default_rng(0)
    leaks = everywhere(lambda: names_of(rng, 10, planted=way * 6.0))
    strata = (SMALL,) * 6 + ("photograph",) * 4
    found = class_choices(leaks, strata, 0.9999)
    assert len(found) == 3 * 2 * 2 * 5
    assert {choice.sign for choice in found} == {way}
    assert all(choice.survives for choice in found)
    some = {
        key: names if key[0] == RAW else names_of(rng, 10, planted=-way * 6.0)
        for key, names in leaks.items()
    }
    survives = {choice.reading: choice.survives for choice in class_choices(some, strata, 0.9999)}
    assert survives == {RAW: True, CENTRED: False}


@pytest.mark.slow
@pytest.mark.parametrize("n", [4, 20])
def test_a_class_with_nothing_planted_is_decided_at_most_as_often_as_the_error_rate(n):
    rng = np.random.default_rng(n)
    key = (RAW, "mini", AS_FITTED)
    found = [
        class_choices({key: names_of(rng, n)}, ("",) * n, LEVEL)[0].sign != 0 for _ in range(2_000)
    ]
    assert 0.02 < np.mean(found) <= MOST_WRONG


def test_kinds_of_one_image_and_kinds_that_are_all_images_are_no_choices():
    rng = np.random.default_rng(1)
    key = (RAW, "mini", AS_FITTED)
    one = {key: names_of(rng, 5)}
    kinds = lambda strata, usual="": [  # noqa: E731
        choice.images for choice in class_choices(one, strata, LEVEL, usual)
    ]
    assert kinds((SMALL,) * 5) == [SMALL]
    assert kinds(("",) * 5) == ["all"]
    assert kinds((*(SMALL,) * 4, "photograph")) == [POOLED, SMALL]
    assert kinds((*(SMALL,) * 3, *("photograph",) * 2)) == [POOLED, SMALL, "photograph"]
    assert kinds((*(SMALL,) * 3, *("photograph",) * 2), "photograph")[0] == "photograph"
    assert kinds((SMALL,) * 5, SMALL) == [SMALL]


@pytest.mark.parametrize("n", [2, 4, 20])
def test_the_interval_says_what_the_test_says(n):
    rng = np.random.default_rng(n)
    for _ in range(50):
        own, foreign = rng.normal(0.5, 0.4, n), rng.normal(0, 0.3, (n, 25))
        p = among_names(own, foreign, np.zeros(n)).p[0]
        for level in (LEVEL, 0.99):
            assert interval_among_names(own, foreign, level).decided == (p < 1 - level)
    alone = interval_among_names([1.0], [[0.1, 0.2]])
    assert (alone.low, alone.high, alone.decided) == (None, None, False)
    with pytest.raises(ShapeError, match="own and foreign"):
        interval_among_names([1.0, 2.0], [[0.1, 0.2]])


@pytest.mark.slow
def test_the_level_draws_the_line_where_the_correction_does(table):
    rng = np.random.default_rng(0)
    p = np.concatenate([rng.uniform(size=150), rng.uniform(0, 1e-2, 50)])
    rows = [replace(rows_with_a_test(table)[0], contrast_p_adjusted=q) for q in adjusted(p)]
    decided = [row.verdict != "not decided" for row in rows]
    assert 10 < sum(decided) < 60
    assert [value < 1 - level_of(rows) for value in p] == decided


@pytest.mark.slow
def test_the_level_is_that_of_one_test_of_all_where_nothing_is_decided(table):
    open_ = [replace(row, contrast_p_adjusted=0.5) for row in rows_with_a_test(table)]
    assert level_of(open_) == 1 - FALSE_DISCOVERY_RATE / len(open_)
    assert level_of([replace(open_[0], contrast_p_adjusted=0.01), open_[1]]) == 0.975
    assert level_of([replace(row, contrast_p_adjusted=0.01) for row in open_]) == LEVEL


@pytest.mark.slow
def test_only_the_images_of_the_class_are_measured(scored, table):
    row = strongest(table)
    strata, found = measured.names_by(scored, row.index)
    assert len(strata) == row.n
    for names in found.values():
        assert names.own.shape == (row.n,)
        assert names.foreign.shape[0] == row.n
        assert np.isfinite(names.foreign).all()


def test_a_claim_about_a_class_is_a_sentence_with_its_level():
    def claim(estimate):
        said = [
            Choice(SMALL, reading, "mini", AS_FITTED, value, value - 1, value + 1)
            for reading, value in ((RAW, estimate), (CENTRED, 2.0))
        ]
        return Claim("contrast_deg", "lite0", "", judged(said), "goldfish", 0.99975)

    assert claim(3.0).sentence == (
        "Null removal under lite0 turns goldfish towards its own name, more than it does with "
        "those of other classes (own name beside all names +3.00° [+2.00, +4.00], corrected, "
        "by the usual choices): it survives "
        "2 of 2 choices; estimates from +2.00° to +3.00°."
    )
    assert "goldfish away from its own name" in claim(-3.0).sentence
    assert claim(-3.0).sentence.endswith(
        "it survives 1 of 2 choices; 1 says the opposite; never with centred angles; estimates "
        "from −3.00° to +2.00°."
    )
    assert claim(0.5).text.endswith("towards its own name or away from it is not decided")
    assert claim(0.5).as_row()["class"] == "goldfish"
