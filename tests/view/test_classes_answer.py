"""Classes' answer: what two classifiers agree on, each measure beside what it can be at most."""

from dataclasses import replace

import pytest

from pages._view.tables import figures
from sing_core.leakage import classes_answer
from sing_core.leakage.agreement import AgreementRow
from sing_core.leakage.classes import ClassRow
from sing_core.leakage.name_control import NameControl
from sing_core.maths.draws import AmongDraws
from sing_core.maths.statistics import Interval


def about(estimate, half=0.1):
    return Interval(estimate, estimate - half, estimate + half, 200)


SIGNED = AgreementRow(
    "a", "b", "attribute_score_deg", 200, 3200, about(0.17), about(0.64), about(0.7)
)
SIZE = replace(SIGNED, measure="abs_attribute_score_deg", rho=about(0.01))


def first(*rows):
    return classes_answer.agreement(rows, ("Alpha", "Beta")).split("**")[1]


def test_each_measure_has_its_own_verdict_and_size_beside_the_ceiling():
    assert first(SIGNED, SIZE) == (
        "Alpha and Beta agree weakly on which classes turn towards their names (ρ +0.17 of at most "
        "0.67) and are not shown to agree on which move far (ρ +0.01 of at most 0.67)."
    )
    assert SIGNED.as_row()["ceiling"] == pytest.approx((0.64 * 0.7) ** 0.5)


@pytest.mark.parametrize(
    ("rho", "said"),
    [(0.3, "agree in part on"), (0.6, "agree largely on"), (0.9, "agree largely on"),
     (-0.2, "disagree weakly on"), (0.05, "are not shown to agree on")],
)  # fmt: skip
def test_how_much_is_said_by_thirds_of_the_ceiling(rho, said):
    assert said in first(replace(SIGNED, rho=about(rho)))


def test_without_a_reliability_there_is_no_ceiling():
    row = replace(SIGNED, reliability_second=about(0.05))
    assert (row.ceiling, row.share) == (None, None)
    assert "of at most" not in first(row)
    assert "does not agree with itself either" in first(replace(row, rho=about(0.0)))


def of_class(index, n, score):
    values = dict.fromkeys(ClassRow.__slots__, 0.0)
    values |= {"index": index, "label": f"class {index}", "n": n, "as_mean": score}
    return ClassRow(**values | {"stratum": ""})


def controlled(null, random, *, apart=True):
    """What is said where the null part does ``null`` and a random one ``random`` degrees."""
    difference = about(null - random, 0.01 if apart else 9.0)
    control = NameControl(about(random, 0.05), AmongDraws(difference, 1, 8))
    return classes_answer.summary([of_class(0, 4, 0.1), of_class(1, 4, 0.1)], control)


def test_own_names_stand_beside_random_parts_of_the_same_length():
    said = controlled(-0.2, -0.8)
    assert "a random part of the same length away from that name by −0.800° (95 % of such" in said
    assert said.endswith("−0.850° to −0.750°); the null part does **less**, 25 % of that.")
    assert controlled(-1.6, -0.8).endswith("the null part does **more**, 200 % of that.")
    assert controlled(0.2, -0.8).endswith("the null part does the **opposite**.")
    assert "**not told apart**" in controlled(-0.2, -0.8, apart=False)
    assert "random part" not in controlled(0.0, 0.0), "without a null space nothing is removed"


def test_without_random_parts_own_names_say_nothing_of_the_null_space():
    rows = [replace(of_class(i, 4, 0.1), contrast_mean=-0.2) for i in range(3)]
    said = classes_answer.summary(
        [replace(row, contrast_mean=-0.2 - row.index / 99) for row in rows]
    )
    assert "On the whole, images are turned away from the name of their own class" in said
    assert said.endswith("by itself this says nothing of the null space.")


def test_how_far_a_class_would_have_to_stand_out_is_said():
    rows = [replace(of_class(i, 4, 0.1), detectable=size) for i, size in enumerate((0.2, 0.8, 9))]
    assert "would have to stand out by about 0.8° (the median" in classes_answer.summary(rows)


def test_classes_that_do_not_count_are_faint():
    rows = [of_class(0, 4, 0.1), of_class(1, 1, 0.2), of_class(2, 16, 0.3)]
    faint, counted = figures.two_models(rows, rows, ("a", "b")).data
    assert (list(faint.x), list(counted.x)) == ([0.2], [0.1, 0.3])
    assert faint.marker.opacity < 0.5
    assert counted.name == "at least 4 images"
    assert counted.showlegend
    alone = figures.two_models(rows[:1], rows[:1], ("a", "b")).data
    assert not any(trace.showlegend for trace in alone)
