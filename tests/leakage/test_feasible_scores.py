"""Beside IS of a set stands what a network can produce of it; an unknown range is said."""

import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from sing_core.errors import StaleArtefactError
from sing_core.files.seals import UNSEALED_PARQUET, seal_parquet
from sing_core.leakage import compare_answer, score_files
from sing_core.leakage.classes import class_images, class_table
from sing_core.leakage.comparison import model_row
from sing_core.leakage.scored_sets import open_set
from sing_core.maths.feasible_removal import FeasibleRemoval
from sing_core.maths.scores import angle_deg
from sing_core.settings import Settings
from tests import toy
from tests.prepared_sets import made_up_set

pytestmark = pytest.mark.slow  # a set is prepared


@pytest.fixture(scope="module")
def settings(toy_assets, tmp_path_factory, session_cache):
    cache = tmp_path_factory.mktemp("feasible") / "cache"
    shutil.copytree(session_cache / "head", cache / "head")
    return Settings(assets_dir=toy_assets, cache_dir=cache)


@pytest.fixture
def scored(settings, toy_reference):
    bench = toy.make_bench(settings)
    place = settings.cache_dir / "prepared" / "made-up"
    if not place.exists():
        made_up_set(bench, place)
    return open_set(bench, "lite0", images="made-up")


def test_the_stored_score_is_that_of_the_nearest_feature_that_can_be_produced(scored):
    rows = scored.ask("SELECT * FROM images ORDER BY row").to_pylist()
    removal = FeasibleRemoval(scored.linear)
    for images, features in scored.features([row["row"] for row in rows]):
        unseen = scored.unseen(images)
        produced = unseen.apply(removal.nearest(features))
        found = angle_deg(unseen.apply(features), produced).tolist()
        for image, expected in zip(images, found, strict=True):
            stored = rows[image.row]["feasible_image_score_deg"]
            assert stored == pytest.approx(expected, abs=1e-3)
            assert stored > 0


def test_tables_and_answer_have_it_beside_the_image_score(scored):
    row = model_row(scored)
    told = row.as_row()
    ends = [told[f"feasible_image_score_deg{end}"] for end in ("_low", "", "_high")]
    assert ends == sorted(ends)
    stored = scored.ask("SELECT feasible_image_score_deg AS f FROM images")["f"].to_numpy()
    assert told["feasible_image_score_deg"] == pytest.approx(float(stored.mean()))
    (first, *_) = class_table(scored)
    assert first.as_row()["feasible_image_score_deg"] > 0
    assert class_images(scored, first.index)[0]["feasible_image_score_deg"] > 0
    said = compare_answer.answer([row], [], {"lite0": "Lite0"})
    assert (
        f"{told['feasible_image_score_deg']:.1f}° of {told['image_score']:.1f}° with Lite0" in said
    )
    assert "only if the logits may move by 3 % of the largest" in said


def rewritten(scored, change, **facts):
    """Write the score file anew with its table or its facts changed."""
    table = pq.read_table(scored.path)
    kept = {k.decode(): v.decode() for k, v in table.schema.metadata.items()}
    kept |= UNSEALED_PARQUET | facts
    batch = change(table).replace_schema_metadata(kept)
    pq.write_table(batch, scored.path)
    seal_parquet(scored.path)


def test_where_a_range_is_not_known_it_is_none_and_said(scored):
    place = "feasible_image_score_deg"
    before = scored.path.read_bytes()
    try:
        rewritten(
            scored,
            lambda table: table.set_column(
                table.schema.get_field_index(place), place, [np.full(len(table), np.nan)]
            ),
        )
        row = model_row(scored)
        assert row.as_row()[place] is row.as_row()[f"{place}_low"] is None
        (first, *_) = class_table(scored)
        assert first.feasible_image_score_deg is None
        assert class_images(scored, first.index)[0][place] is None
        said = compare_answer.answer([row], [], {"lite0": "Lite0"})
        assert "What can be produced is not known of Lite0." in said
    finally:
        scored.path.write_bytes(before)


def test_scores_of_the_format_before_are_to_be_prepared_again(scored):
    before = scored.path.read_bytes()
    try:
        rewritten(scored, lambda table: table, format="sing-scores-3")
        with pytest.raises(StaleArtefactError, match="prepare the set again"):
            score_files.facts_of(scored.path)
    finally:
        scored.path.write_bytes(before)
