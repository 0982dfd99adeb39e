"""Kinds of images are never pooled without a word, and never where they say different things."""

import shutil

import pytest

from sing_core.errors import ImageSetError
from sing_core.leakage.classes import class_table
from sing_core.leakage.comparison import model_row
from sing_core.leakage.concept_lists import ConceptList
from sing_core.leakage.concepts import concept_table
from sing_core.leakage.differences import PairRow, pair_rows
from sing_core.leakage.scored_sets import open_set
from sing_core.leakage.strata import POOLED, kind_of, split, strata_of, took_part, within
from sing_core.leakage.variant_scores import under
from sing_core.maths.head_variants import HeadVariant
from sing_core.maths.statistics import Interval
from sing_core.settings import Settings
from tests import toy
from tests.prepared_sets import WNIDS, made_up_set

pytestmark = pytest.mark.slow  # sets are prepared

BIG, SMALL = "photo's", "thumbnail"  # a quote in a name is a quote in SQL


@pytest.fixture(scope="module")
def settings(toy_assets, tmp_path_factory, session_cache):
    cache = tmp_path_factory.mktemp("kinds") / "cache"
    shutil.copytree(session_cache / "head", cache / "head")
    return Settings(assets_dir=toy_assets, cache_dir=cache)


@pytest.fixture
def sets(settings, toy_reference):
    """A set of two classes of each kind, one of them with an image of the other, of two models."""
    bench, place = toy.make_bench(settings), settings.cache_dir / "prepared" / "kinds"
    if not place.exists():
        names = {
            f"{wnid}/{image:03d}.jpg": (BIG, SMALL)[number % 2]
            for number, wnid in enumerate(WNIDS)
            for image in range(5)
        } | {f"{WNIDS[0]}/004.jpg": SMALL}
        made_up_set(bench, place, ("lite0", "lite1"), strata=names)
    return [open_set(bench, model, images="kinds") for model in ("lite0", "lite1")]


def test_every_row_says_of_which_kind_it_is(sets):
    scored = sets[0]
    assert strata_of(scored) == (BIG, SMALL)
    assert kind_of(scored) == POOLED
    parts = split(scored, "each")
    rows = [model_row(part) for part in parts]
    assert [(row.stratum, row.n, row.classes) for row in rows] == [
        (BIG, 9, 2), (SMALL, 11, 3), (POOLED, 20, 4)
    ]  # fmt: skip
    assert [kind_of(part) for part in parts] == [BIG, SMALL, POOLED]
    assert split(scored, "all") == (scored,)
    assert [row.stratum for row in class_table(scored)] == [POOLED, SMALL, BIG, SMALL]
    assert [row.n for row in class_table(parts[1])] == [1, 5, 5]
    lists = ConceptList(("goldfish",), ("an image of a goldfish",), ())
    (row,) = concept_table(scored, lists)
    assert row.as_row()["stratum"] == POOLED
    (row,) = concept_table(scored, lists, label=class_table(scored)[2].index)
    assert row.stratum == BIG
    (row,) = concept_table(parts[1], lists)
    assert (row.stratum, row.n) == (SMALL, 3)


def test_a_kind_that_there_is_not_is_refused_with_those_that_there_are(sets):
    with pytest.raises(ImageSetError, match=f"There are: {BIG}, {SMALL}"):
        within(sets[0], "painting")
    one = within(sets[0], BIG)
    assert within(sets[0], "") is sets[0]
    assert strata_of(one) == (BIG, SMALL)
    deciding = under(sets[0], HeadVariant((1, 555)))
    assert strata_of(deciding) == ()  # both classes are thumbnails
    assert kind_of(deciding) == SMALL
    with pytest.raises(ImageSetError, match="All are of one kind"):
        within(deciding, BIG)


def test_scores_say_whether_they_are_cross_fitted(sets):
    translator = sets[0].bench.translator("lite0", "mini")
    found = took_part(sets[0])
    assert (found.images, found.in_fit) == (20, 0)
    assert found.cross_fitted == (translator.folds is not None)
    assert model_row(sets[0]).as_row()["cross_fitted"] == found.cross_fitted
    assert found.trained_reference is True


def test_pooled_pairs_hold_those_of_each_kind(sets):
    pooled = pair_rows(sets)
    each = [pair_rows([within(scored, kind) for scored in sets]) for kind in (BIG, SMALL)]
    for place, row in enumerate(pooled):
        assert row.stratum == POOLED
        assert [part.stratum for part in row.by_stratum] == [BIG, SMALL]
        assert row.by_stratum == tuple(rows[place] for rows in each)
    assert all(row.by_stratum == () for row in each[0])


def pair(low, high, *parts):
    gap = Interval((low + high) / 2, low, high, 40)
    return PairRow("a", "b", "is", 40, gap, by_stratum=tuple(parts))


@pytest.mark.parametrize(
    ("first", "second", "pooled", "verdict"),
    [
        ((0.04, 0.06), (-0.09, -0.06), (0.02, 0.04), "differs by kind of images"),
        ((0.04, 0.06), (-0.01, 0.02), (0.02, 0.04), "differs by kind of images"),
        ((0.04, 0.06), (-0.09, -0.06), (-0.01, 0.02), "differs by kind of images"),
        ((0.04, 0.06), (0.01, 0.02), (0.02, 0.04), "a is larger"),
        ((-0.04, -0.02), (-0.03, -0.02), (-0.04, -0.02), "b is larger"),
        ((-0.04, 0.06), (-0.03, 0.02), (-0.01, 0.02), "not decided"),
    ],
)
def test_a_pooled_verdict_stands_only_where_each_kind_says_the_same(first, second, pooled, verdict):
    row = pair(*pooled, pair(*first), pair(*second))
    assert row.verdict == row.as_row()["verdict"] == verdict
    assert row.decided == verdict.endswith("larger")
