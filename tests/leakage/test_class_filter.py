"""What narrows the table of classes: names, groups, numbers of images; never a p value."""

import pytest

from sing_core.errors import SingError
from sing_core.leakage.class_filter import ClassFilter, decided_first
from sing_core.leakage.classes import ClassRow


def row(index, label, *, n=5, directed=0.1, p=0.5):
    low = None if n < 2 else -1.0
    return ClassRow(
        index=index, label=label, wnid=f"n{index:08d}", n=n, as_mean=0.0, as_low=low,
        as_high=None if low is None else 1.0, abs_as_mean=0.2, is_mean=1.0, directed_mean=directed,
        p=p, p_adjusted=p, contrast_mean=directed, contrast_p_adjusted=p, foreign_decided=0.0,
        accuracy=1.0, feasible_image_score_deg=None,
    )  # fmt: skip


ROWS = (
    row(1, "goldfish", directed=-0.3, p=0.01),
    row(8, "hen", directed=0.9),
    row(9, "ostrich", n=1, directed=2.0, p=None),
    row(393, "Clownfish", directed=0.4, p=0.02),
)


def labels(rows):
    return [row.label for row in rows]


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (ClassFilter(), ["goldfish", "hen", "ostrich", "Clownfish"]),
        (ClassFilter(search=" FISH "), ["goldfish", "Clownfish"]),
        (ClassFilter(search="ﬁsh"), ["goldfish", "Clownfish"]),  # a ligature is its letters
        (ClassFilter(search="n00000008"), ["hen"]),
        (ClassFilter(search="n0000"), []),
        (ClassFilter(search=".*"), []),
        (ClassFilter(group="Birds"), ["hen", "ostrich"]),
        (ClassFilter(group="Birds", least=2), ["hen"]),
        (ClassFilter(search="fish", group="Birds"), []),
    ],
    ids=str,
)
def test_a_filter_keeps_what_fits_in_its_order(only, expected):
    assert labels(only.kept(ROWS)) == expected
    assert all(kept in ROWS for kept in only.kept(ROWS))  # untouched: p values and all


def test_decided_classes_come_first_and_those_without_a_test_last():
    assert labels(decided_first(ROWS)) == ["Clownfish", "goldfish", "hen", "ostrich"]


def test_a_group_that_there_is_not_is_refused_with_those_that_there_are():
    with pytest.raises(SingError, match=r"called “Unicorns”. There are: Fish, Birds, .*Other obj"):
        ClassFilter(group="Unicorns")
