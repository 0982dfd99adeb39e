"""Planted nuisances as alarms: a step that no logit sees, one that all see, and none at all."""

import numpy as np
import pytest
import torch

from sing_core.errors import ImageSetError
from sing_core.leakage.alarm_rows import sentence
from sing_core.leakage.planted_alarms import looked_for, planted_alarms
from sing_core.leakage.planting import FULL, Planted
from sing_core.leakage.scored_sets import open_set
from sing_core.maths.controls import null_directions

pytestmark = pytest.mark.slow  # the classifier that ships is loaded

IMAGES = 40
STEPS = (("blur", 0.5), ("blur", FULL), ("noise", FULL), ("grey", FULL))


@pytest.fixture(scope="module")
def planted(real_bench):
    """Features of the embedded set, as if blur moved them in the null space alone."""
    scored = open_set(real_bench, "lite0", images="embedded")
    ((images, features),) = scored.features(list(range(IMAGES)))
    features = features.float()
    hidden = null_directions(scored.linear.head, 1, seed=0)[0].float()
    blurred = features + 3 * features.norm(dim=1, keepdim=True) * hidden
    moved = torch.stack([features + 9, blurred, features / 4, features], dim=1)
    changed = torch.tensor([True, True, True, False])
    return [
        Planted(image.digest, str(place % 20), STEPS, features[place], moved[place], changed)
        for place, image in enumerate(images)
    ]


def rows_of(real_bench, planted, nuisance):
    found = planted_alarms(real_bench, planted, nuisance, "lite0", "mini")
    return {row.score: row for row in found}


def test_what_no_logit_sees_the_null_energy_alone_tells_apart(real_bench, planted):
    found = rows_of(real_bench, planted, "blur")
    energy = found["null_energy"]
    assert (energy.auroc.estimate, energy.side, energy.fpr95) == (1.0, "higher", 0.0)
    assert (energy.n, energy.looked_for) == (IMAGES, IMAGES)
    for free in ("probability", "max_logit"):
        assert found[free].auroc.estimate == pytest.approx(0.5, abs=0.02)
        assert not found[free].beyond_chance
    assert energy.over_logits.low > 0
    told = sentence(list(found.values()), looked_for("blur"))
    assert "is higher for photographs planted with “blur” in 100 % of pairs" in told


def test_what_every_logit_sees_the_null_part_is_not_needed_for(real_bench, planted):
    found = rows_of(real_bench, planted, "noise")
    assert found["null_energy"].auroc.estimate == pytest.approx(0.5, abs=0.05), "the same share"
    assert found["max_logit"].told_apart.estimate > 0.9
    assert found["null_energy"].over_logits.high < 0


def test_what_changes_nothing_and_what_there_is_not_are_refused(real_bench, planted):
    with pytest.raises(ImageSetError, match="“grey” changes none of these photographs"):
        rows_of(real_bench, planted, "grey")
    with pytest.raises(ImageSetError, match=r"called “fog”\. There are: grey, blur"):
        rows_of(real_bench, planted, "fog")
    with pytest.raises(ImageSetError, match="changes none"):
        rows_of(real_bench, [], "blur")


def test_photographs_of_one_class_count_as_one(real_bench, planted):
    """Every photograph its own class: as many photographs say more, the interval is narrower."""
    alone = [
        Planted(one.digest, "", one.steps, one.features, one.moved, one.changed) for one in planted
    ]
    spans = []
    for photographs in (planted, alone):
        row = rows_of(real_bench, photographs, "noise")["null_energy"]
        spans.append((row.auroc.low, row.auroc.high))
    assert np.isfinite(spans).all()
    assert spans[0] != spans[1]
