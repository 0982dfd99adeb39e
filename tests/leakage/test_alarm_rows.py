"""What is said of several scores: the best of them by chance is not said to tell anything."""

from dataclasses import replace

import numpy as np
import pytest

from sing_core.leakage.alarm_rows import (
    OWN,
    SCORES,
    AlarmRow,
    between_rows,
    sentence,
    within_rows,
)
from sing_core.maths.detection import Sample
from sing_core.maths.statistics import Interval

CLASSES, EACH, TRIES = 18, 8, 600
OF = np.arange(CLASSES).repeat(EACH)


def at_random(rng):
    """Scores by name that have to do with the class, and with nothing that is looked for."""
    centres = {name: rng.standard_normal(CLASSES).repeat(EACH) for name in SCORES}
    return {
        name: Sample.of(own + rng.standard_normal(len(OF)), OF) for name, own in centres.items()
    }


def claims(rows):
    """Whether something is said of the null part, and whether it or the logits are said to win."""
    said = sentence(rows, "them")
    return "The null part’s best" in said, "percentage points" in said


@pytest.mark.slow
@pytest.mark.parametrize("within", [False, True])
def test_of_scores_at_random_something_is_said_once_in_twenty_tries(within):
    rng, found, won, alone = np.random.default_rng(int(within)), 0, 0, 0
    for _ in range(TRIES):
        if within:
            rows = within_rows(at_random(rng), rng.random(len(OF)) < 0.4)
        else:
            rows = between_rows(at_random(rng), at_random(rng))
        says, wins = claims(rows)
        found, won = found + says, won + wins
        best = max(rows[: len(OWN)], key=lambda row: row.told_apart.estimate).told_apart
        alone += best.low > 0.5
    assert found / TRIES <= 0.06
    assert won / TRIES <= 0.06
    assert alone / TRIES > 0.1, "the interval of the best one alone says it far more often"


def copied_with_noise(seed):
    """The rows where the null energy is the largest probability with noise, and so tells less."""
    rng = np.random.default_rng(seed)
    usual, strange = at_random(rng), at_random(rng)
    free = strange["probability"]
    strange["probability"] = Sample.of(free.scores + 2, free.classes)
    for there in (usual, strange):
        noise = 1.5 * rng.standard_normal(len(OF))
        there["null_energy"] = Sample.of(there["probability"].scores + noise, OF)
    return {row.score: row for row in between_rows(usual, strange)}


def test_which_of_two_scores_is_better_is_decided_on_the_same_images():
    tries = [copied_with_noise(seed) for seed in range(16)]
    both = [(rows["null_energy"], rows["probability"]) for rows in tries]
    apart = [rows for rows, (own, _) in zip(tries, both, strict=True) if own.over_logits.high < 0]
    assert len(apart) >= 8
    assert sum(own.auroc.high > free.auroc.low for own, free in both) >= 14, "side by side: never"
    own, free = apart[0]["null_energy"], apart[0]["probability"]
    gap = own.over_logits
    assert gap.estimate == pytest.approx(own.auroc.estimate - free.auroc.estimate)
    said = sentence(tuple(apart[0].values()), "them")
    assert f"it tells {-100 * gap.estimate:.0f} percentage points more of them apart (" in said
    assert free.over_logits is None
    assert own.as_row()["over_logits_high"] == gap.high


def test_images_of_classes_that_are_not_compared_are_not_counted():
    wrong = (np.arange(len(OF)) % EACH == 0) & (OF < 5)
    rows = within_rows(at_random(np.random.default_rng(4)), wrong)
    assert {(row.n, row.looked_for) for row in rows} == {(5 * (EACH - 1), 5)}


def test_chance_is_not_made_to_look_like_more_by_the_side_that_is_chosen():
    found = AlarmRow("null_energy", Interval(0.47, 0.4, 0.54, 9), None, 9, 9, 0.4)
    told = found.told_apart
    assert (told.estimate, told.low, told.high) == pytest.approx((0.53, 0.46, 0.6))
    assert (found.side, found.beyond_chance) == ("lower", False)
    free = AlarmRow("max_logit", Interval(0.7, 0.6, 0.8, 9), None, 9, 9, 0.001)
    said = sentence((found, free), "wrong decisions")
    assert said == (
        "No score of the null part tells wrong decisions from the others beyond chance (corrected "
        "for its three scores); the logits’ own largest logit is lower for them in 70 % of pairs."
    )
    neither = sentence((found, replace(free, p_adjusted=0.06)), "wrong decisions")
    assert neither.endswith("; nor does what can be read off the logits.")


def test_the_best_score_is_one_that_survives_the_correction():
    lost = AlarmRow("null_energy", Interval(0.3, 0.2, 0.4, 9), None, 9, 9, 0.06)
    free = AlarmRow("max_logit", Interval(0.7, 0.6, 0.8, 9), None, 9, 9, 0.001)
    assert sentence((lost, free), "wrong decisions").startswith("No score of the null part tells")
    kept = replace(lost, p_adjusted=0.05)
    said = sentence((kept, free), "wrong decisions")
    assert "is lower for wrong decisions in 70 % of pairs (beyond chance, which is 50 %" in said
    assert "corrected for its three scores)" in said
    assert said.endswith(
        "own largest logit, which costs nothing to read, is lower in 70 %: which of the two tells "
        "more of them apart is not decided."
    )
    behind = replace(kept, over_logits=Interval(-0.1, -0.15, -0.04, 9))
    assert sentence((behind, free), "them").endswith(
        "it tells 10 percentage points more of them apart (4 to 15)."
    )
    ahead = replace(kept, over_logits=Interval(0.1, 0.04, 0.15, 9))
    assert "10 percentage points fewer of them" in sentence((ahead, free), "them")
