"""Kinds of images that are pooled are counted and named."""

from sing_core.sets.chunks import SetFacts
from sing_core.sets.kinds import counted_kinds, kinds_among, pooled


def test_kinds_are_counted_by_the_file_of_an_image_and_said_where_there_are_several():
    strata = {"a.parquet": "full photograph", "b.parquet": "64-pixel image"}
    facts = SetFacts("toy", "key", 4, "float16", strata=strata)
    names = ["a.parquet#0", *(f"b.parquet#{k}" for k in range(1200))]
    kinds = kinds_among(facts, names)
    assert kinds == {"64-pixel image": 1200, "full photograph": 1}
    assert counted_kinds(kinds) == "1 full photograph and 1,200 64-pixel images"
    assert pooled(kinds) == "1 full photograph and 1,200 64-pixel images, pooled"
    assert pooled(kinds_among(facts, names[1:])) == ""


def test_a_set_of_one_kind_pools_nothing():
    assert kinds_among(SetFacts("toy", "key", 4, "float16"), ["a.png"]) == {}
    assert pooled({}) == ""
