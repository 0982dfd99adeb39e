"""Scores that warn of images of another kind: a planted null part is an alarm."""

import pytest
import torch

from sing_core.errors import ImageSetError
from sing_core.leakage.alarm_rows import sentence
from sing_core.leakage.alarms import alarms, other_alarms
from sing_core.leakage.scored_sets import open_set
from tests.leakage.planted_sets import EACH, planted

pytestmark = pytest.mark.slow  # sets are prepared

CLASSES = 8  # fewer than six that all agree could by chance


def strange(bench):
    """Return what makes features whose null parts are three times as long."""

    def features_of(entry, n):
        head = bench.classifier(entry.name).linear.head
        noise = torch.rand(n, entry.feature_dim, generator=torch.Generator().manual_seed(5))
        return (noise + 2 * head.null_part(noise)).float()

    return features_of


def usual_and_strange(bench):
    """Return two sets of eight classes, every class of which says the same of them."""
    usual = planted(bench, "usual", None, classes=CLASSES)
    return usual, planted(bench, "strange", strange(bench), classes=CLASSES)


def test_a_longer_null_part_is_an_alarm_and_the_logits_do_not_hear_it(bench):
    usual, _ = usual_and_strange(bench)
    rows = {row.score: row for row in alarms(usual, "strange")}
    null, logits = rows["null_energy"], rows["probability"]
    assert null.auroc.low > 0.99
    assert null.fpr95 < 0.05
    assert logits.auroc.low <= 0.5 <= logits.auroc.high
    assert (null.n, null.looked_for) == (CLASSES * EACH, CLASSES * EACH)
    said = sentence(tuple(rows.values()), "strange")
    assert (
        "the share of the feature in the null space, is higher for strange in 100 % of pairs"
        in said
    )


def test_a_shorter_null_part_warns_from_the_other_side_and_is_found_as_well(bench):
    usual, long = usual_and_strange(bench)
    there = {row.score: row for row in other_alarms(usual, long)}["null_energy"]
    back = {row.score: row for row in other_alarms(long, usual)}["null_energy"]
    assert (there.side, back.side) == ("higher", "lower")
    assert back.told_apart.estimate == pytest.approx(there.told_apart.estimate)
    assert back.fpr95 < 0.05, "of the side that warns"
    assert back.beyond_chance, "all told apart, with a lower end of AUROC of 0"


def test_nothing_to_tell_apart_is_said(bench):
    scored = planted(bench, "noise", None)
    with pytest.raises(ImageSetError, match="holds one kind of image only"):
        alarms(scored, "colours")
    with pytest.raises(ImageSetError, match="No class of noise has right and wrong"):
        alarms(scored)


def compared_images(scored):
    """How many images are of a class that is decided for rightly and wrongly."""
    return scored.ask(
        "SELECT count(*) AS n FROM images WHERE label IN (SELECT label FROM images GROUP BY label "
        "HAVING count(DISTINCT top1 = label) = 2)"
    )["n"][0].as_py()


def test_errors_and_kinds_of_images_are_told_apart_on_the_embedded_set(real_bench):
    scored = open_set(real_bench, "lite0", images="embedded")
    rows = {row.score: row for row in alarms(scored)}
    assert rows["probability"].auroc.low > 0.7, "who errs is less sure of it"
    assert rows["null_energy"].auroc.high < 0.5
    assert rows["null_energy"].fpr95 is None
    told, found = rows["null_energy"].told_apart, rows["null_energy"].auroc
    assert (told.low, told.estimate, told.high) == pytest.approx(
        (1 - found.high, 1 - found.estimate, 1 - found.low)
    )
    assert rows["null_energy"].beyond_chance
    assert rows["null_energy"].as_row()["auroc"] == told.estimate > 0.5
    (right, wrong) = (rows["max_logit"].n, rows["max_logit"].looked_for)
    assert right + wrong == compared_images(scored)
    assert rows["max_logit"].stratum == "64-pixel image", "photographs are alone in their classes"
    gap = rows["null_energy"].over_logits
    assert gap.high < 0, "the largest probability tells more apart"
    assert "percentage points more of them apart" in sentence(tuple(rows.values()), "errors")
    small = {row.score: row for row in alarms(scored, "64-pixel image")}
    assert (small["null_energy"].n, small["null_energy"].looked_for) == (800, 3_200)
    assert small["null_energy"].side == "lower"
