"""Beside IS of a set stands what a network can produce of it; an unknown range is said."""

import shutil
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from pages._view.tables import steering
from sing_core.errors import StaleArtefactError
from sing_core.files.seals import UNSEALED_PARQUET, seal_parquet
from sing_core.leakage import compare_answer, score_files
from sing_core.leakage.classes import class_images, class_table
from sing_core.leakage.comparison import model_row
from sing_core.leakage.null_lines import stepped
from sing_core.leakage.scored_sets import open_set
from sing_core.leakage.steered import steered_row
from sing_core.leakage.targets import FEASIBLE_TARGETS, target_rows
from sing_core.maths.feasible_removal import FeasibleRemoval
from sing_core.maths.scores import angle_deg
from sing_core.maths.unseen import unseen_by
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


def one_by_one(scored, text, wanted, only=None):
    """Return IS and |AS| of what can be produced of each image's own step, without batches."""
    rows = scored.ask("SELECT row, label FROM images ORDER BY row").to_pylist()
    asked = [row["row"] for row in rows if only in (None, row["label"])]
    linear, removal, found = scored.linear, FeasibleRemoval(scored.linear), []
    for images, features in scored.features(asked):
        for image, feature in zip(images, features, strict=True):
            own = unseen_by(scored.bench.translator("lite0", "mini"), image.digest)
            moved = stepped(feature[None], linear.head, own, text, wanted)
            (produced,) = own.apply(removal.nearest(feature[None], moved))
            z = own.apply(feature)
            nearer = angle_deg(z, text) - angle_deg(produced, text)
            found.append((float(angle_deg(z, produced)), abs(float(nearer))))
    return np.array(found)


def test_beside_a_wanted_image_score_of_a_set_stands_what_can_be_produced(scored):
    prompt = "a red photo"
    text = scored.bench.text_embedding("mini", prompt, scored.bench.vocabulary("mini"))
    row = steered_row(scored, prompt, 5.0).as_row()
    expected = one_by_one(scored, text, 5.0)
    assert row["unreachable"] == row["drifting"] == 0
    assert row["feasible_n"] == row["n"] == row["fixed_n"] == len(expected)
    assert row["feasible_image_score_deg"] == pytest.approx(expected[:, 0].mean(), abs=1e-3)
    assert row["feasible_abs_as"] == pytest.approx(expected[:, 1].mean(), abs=1e-3)
    assert 0 < row["feasible_image_score_deg"] < 5
    assert row["fixed_image_score"] == pytest.approx(5, abs=1e-5)
    assert 0 < row["fixed_epsilon"] == pytest.approx(row["epsilon"], rel=0.2)
    assert 0 < row["fixed_max_logit_drift"] < 0.01
    assert row["source"] == ""


def test_the_images_of_one_class_are_steered_alone(scored):
    label = scored.ask("SELECT label FROM images ORDER BY row")["label"][0].as_py()
    prompt = "a red photo"
    text = scored.bench.text_embedding("mini", prompt, scored.bench.vocabulary("mini"))
    row = steered_row(scored, prompt, 5.0, label).as_row()
    expected = one_by_one(scored, text, 5.0, label)
    assert row["source"] == scored.bench.vocabulary("mini").labels[label]
    assert row["n"] == len(expected) < steered_row(scored, prompt, 5.0).n
    assert row["feasible_image_score_deg"] == pytest.approx(expected[:, 0].mean(), abs=1e-3)
    assert row["abs_as_low"] < row["abs_as"] < row["abs_as_high"], "of one class images count"


def test_the_easiest_targets_have_it_too(scored):
    label = scored.ask("SELECT label FROM images ORDER BY row")["label"][0].as_py()
    first, *others = target_rows(scored, label, 5.0)
    vocabulary = scored.bench.vocabulary("mini")
    text = vocabulary.embeddings[vocabulary.labels.index(first.target)]
    expected = one_by_one(scored, text, 5.0, label)[:, 0].mean()
    assert first.feasible_image_score_deg == pytest.approx(expected, abs=1e-3)
    known = [row.feasible_image_score_deg is not None for row in others]
    assert known == [place < FEASIBLE_TARGETS - 1 for place in range(len(others))]


def test_the_page_says_first_what_can_be_produced_of_a_step(scored, monkeypatch):
    title = type("Entry", (), {"title": "Lite0"})
    monkeypatch.setattr(steering.loaders, "models", lambda: {"lite0": title})
    row = steered_row(scored, "a red photo", 5.0)
    said = steering._caveat([row], 5.0)
    turned, nearer = row.feasible_image_score_deg.estimate, row.feasible_abs_as.estimate
    assert said.startswith(
        "**No network that ends in a ReLU gives these features**: they have negative entries."
    )
    assert f"{turned:.1f}° with Lite0 (|AS| {nearer:.1f}° of {row.abs_as.estimate:.1f}°)" in said
    assert "only if the logits may move by 3 % of the largest" in said
    unknown = replace(row, feasible_image_score_deg=None, feasible_abs_as=None)
    assert steering._caveat([unknown], 5.0) == "What can be produced is not known of Lite0."
    assert f"By one step for all, ε = {row.fixed.epsilon:.3g}: |AS|" in steering._sentence(row, 5.0)
