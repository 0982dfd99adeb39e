"""What is drawn: a strip, the angle scale, the controls; and the exact scores of each row."""

from dataclasses import replace

import pytest
import torch

from sing_core.errors import SingError
from sing_core.maths.head_variants import HeadVariant
from sing_core.studies import strips
from sing_core.studies.photo import analyse_image
from sing_core.studies.question import Question
from sing_core.studies.subject import Subject

PROMPT = "an image of a jellyfish"


@pytest.fixture(scope="module")
def bench(real_bench):
    return real_bench


@pytest.fixture(scope="module")
def photo(chelsea):
    return chelsea


QUESTION = Question("lite0", PROMPT)
REMOVAL = Question("lite0", PROMPT, "remove")


@pytest.fixture(scope="module")
def subject(bench, photo):
    return Subject.of(bench, photo, QUESTION)


@pytest.fixture(scope="module")
def report(bench, photo):
    return analyse_image(bench, photo, QUESTION)


def test_a_strip_begins_at_the_feature_and_holds_the_wanted_step(bench, photo, subject, report):
    strip = strips.along(subject, report)
    assert strip.indices[0] == 0
    assert strip.indices[-1] == len(report.sweep.epsilon) - 1
    assert strip.indices[strip.row_of(report.index)] == report.index
    assert torch.equal(strip.features[0], bench.features("lite0", photo))
    assert max(strip.max_logit_drift) <= 1e-5 * report.max_abs_logit


def test_the_scores_of_a_strip_are_those_of_the_sweep(subject, report):
    strip = strips.along(subject, report)
    for row, index in enumerate(strip.indices):
        assert strip.epsilon[row] == report.sweep.epsilon[index]
        for name in ("image_score_deg", "attribute_score_deg"):
            asked, known = getattr(strip, name)[row], getattr(report.sweep, name)[index]
            assert asked == pytest.approx(known, abs=1e-4), name  # features are float32 here


@pytest.mark.slow
def test_a_feasible_strip_is_not_negative_and_states_its_price(subject, report):
    strip = strips.along(subject, report, frames=3, feasible=True)
    assert float(strip.features.min()) >= 0
    assert strip.infeasible_share is not None
    assert strip.infeasible_share[0] == 0
    assert max(strip.negative_share) == 0
    assert strips.along(subject, report, frames=3).negative_share[-1] > 0.1
    assert max(strip.max_logit_drift) <= 0.031 * report.max_abs_logit
    assert strip.attribute_score_deg[-1] < report.sweep.attribute_score_deg[-1]


@pytest.mark.slow
def test_few_deciding_classes_leave_a_feasible_way_that_moves_no_logit(bench, photo):
    question = replace(QUESTION, variant=HeadVariant(tuple(range(281, 297)), False, 0.0))
    report = analyse_image(bench, photo, question)
    strip = strips.along(Subject.of(bench, photo, question), report, frames=2, feasible=True)
    assert float(strip.features.min()) >= 0
    assert max(strip.max_logit_drift) <= 1e-5 * report.max_abs_logit
    assert strip.attribute_score_deg[-1] > 0.5 * report.sweep.attribute_score_deg[-1] > 0


def test_removal_has_a_strip_too(bench, photo):
    removal = analyse_image(bench, photo, REMOVAL)
    strip = strips.along(Subject.of(bench, photo, REMOVAL), removal, frames=2)
    removed = bench.classifier("lite0").linear.head.remove_null(bench.features("lite0", photo))
    torch.testing.assert_close(strip.features[-1], removed, rtol=0, atol=1e-4)


def test_the_angle_scale_lies_at_its_angles(subject, report):
    scale = strips.at_angles(subject, report)
    assert scale.image_score_deg == pytest.approx(strips.SCALE_DEG, abs=1e-3)
    assert list(scale.attribute_score_deg) == sorted(scale.attribute_score_deg)


def test_the_angle_scale_ends_where_the_sweep_ends(bench, photo):
    removal = analyse_image(bench, photo, REMOVAL)
    reached = removal.sweep.image_score_deg[-1]
    scale = strips.at_angles(Subject.of(bench, photo, REMOVAL), removal)
    assert len(scale.indices) == sum(angle <= reached for angle in strips.SCALE_DEG)


def test_controls_are_equally_long_and_only_the_null_step_is_not_seen(subject, report):
    grid = strips.beside_controls(subject, strips.step_of(report))
    assert len(grid.indices) == len(strips.CONTROLS)
    rows = grid.features.double()
    lengths = (rows[1:] - rows[0]).norm(dim=1)
    torch.testing.assert_close(lengths, lengths[:1].expand(3), rtol=1e-4, atol=0)
    origin, null, random, principal = grid.max_logit_drift
    assert origin == 0
    assert null < 1e-4 * random
    assert random < principal


def test_the_perturbations_are_the_same_for_every_seed_of_the_renderer(subject, report):
    """Else nobody could tell what the drawing changes from what another direction does."""
    grid = strips.beside_controls(subject, strips.step_of(report), times=4)
    assert len(grid.indices) == 4 * len(strips.CONTROLS)
    first, *others = grid.features.split(len(strips.CONTROLS))
    assert all(torch.equal(first, other) for other in others)
    assert torch.equal(first, strips.beside_controls(subject, strips.step_of(report)).features)


def test_a_photo_without_a_sweep_has_nothing_to_draw(subject, report):
    from dataclasses import replace

    nothing = replace(report, sweep=None, no_sweep_reason="There is no null space.")
    for make in (strips.along, strips.at_angles):
        with pytest.raises(SingError, match="no null space"):
            make(subject, nothing)
    with pytest.raises(SingError, match="no null space"):
        strips.step_of(nothing)
