"""Concepts that turn one way on one kind of images and the other way on another are said to."""

import numpy as np
import pytest
import torch

from sing_core.files.store import Store
from sing_core.leakage import concepts, concepts_answer
from sing_core.leakage.concept_kinds import OfKind, means_by_kind, opposite
from sing_core.leakage.concept_lists import parse_concepts
from sing_core.leakage.concepts import concept_table, embed
from sing_core.leakage.scored_sets import open_set
from sing_core.leakage.strata import DIFFERS, POOLED, within
from sing_core.leakage.vocabulary_scale import VocabularyScale, unit_means, units_of
from sing_core.models.pool import ModelPool
from sing_core.models.workbench import Workbench
from sing_core.settings import Settings

SMALL, PHOTO = "64-pixel image", "full photograph"
GOLDFISH = 1
KNOWN = parse_concepts("goldfish\nvolcano\npizza\nsports car")
SCALE = VocabularyScale(1, 1.0, 0.2, 1, 90.0, 90.0, None, 0.0)
UNITS = 100


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    settings = Settings(cache_dir=tmp_path_factory.mktemp("concept-kinds"))
    return open_set(
        Workbench(settings, ModelPool(settings), Store(settings.cache_dir)), "lite0",
        images="embedded",
    )  # fmt: skip


@pytest.mark.slow
def test_all_kinds_at_once_are_what_each_is_by_itself_and_what_all_are(scored):
    texts = embed(scored, KNOWN.prompts)
    pooled, each = means_by_kind(scored, texts, None)
    assert torch.allclose(pooled, unit_means(scored, texts, units_of(scored, None)), atol=1e-9)
    assert [*each] == [SMALL, PHOTO]
    for kind, means in each.items():
        part = within(scored, kind)
        own = unit_means(part, texts, units_of(part, None))
        assert torch.allclose(means, own, atol=1e-9)
    pooled, each = means_by_kind(scored, texts, GOLDFISH)
    assert each == {}, "all its images are of one kind"
    assert pooled.shape == (3, 16, 4)


@pytest.mark.slow
def test_a_table_of_all_kinds_says_of_each_what_the_table_of_this_kind_says(scored):
    rows = concept_table(scored, KNOWN, scale=SCALE)
    assert {row.stratum for row in rows} == {POOLED}
    for kind in (SMALL, PHOTO):
        own = concept_table(within(scored, kind), KNOWN, scale=SCALE)
        for row, alone in zip(rows, own, strict=True):
            (part,) = (part for part in row.by_kind if part.kind == kind)
            assert part.n == alone.n
            assert part.directed_mean == pytest.approx(alone.directed_mean, abs=1e-9)
            assert part.p_adjusted == pytest.approx(alone.p_adjusted, abs=1e-9)
            assert (part.verdict in alone.verdict) or alone.verdict == "as good as 0"
            assert alone.by_kind == ()
            assert alone.as_row()["by_kind"] == ""
    for row in rows:
        ways = {part.verdict for part in row.by_kind}
        assert row.kinds_differ or len(ways & {"towards", "away"}) < 2
    differ = {row.concept for row in rows if row.verdict == DIFFERS}
    assert "volcano" in differ, "photographs turn towards it, small images away from it"
    assert "goldfish" not in differ


def table(scored, monkeypatch, effects, *, seed=0, noise=0.5):
    """Return the rows where the kinds' directed parts towards each concept are as planted.

    ``effects``: kind to degrees of each of the four concepts; AS is twice that.
    """
    rng = np.random.default_rng(seed)
    each = {}
    for kind, planted in effects.items():
        directed = rng.normal(planted, noise, (UNITS, 4))
        each[kind] = torch.from_numpy(np.stack([80 + 0 * directed, 2 * directed, directed]))
    pooled = torch.cat([*each.values()], dim=1)
    monkeypatch.setattr(concepts, "means_by_kind", lambda *_: (pooled, each))
    return concept_table(scored, KNOWN, scale=SCALE)


@pytest.mark.slow
def test_a_concept_that_turns_round_is_said_to_and_one_that_is_only_weaker_is_not(
    scored, monkeypatch
):
    planted = {PHOTO: [0.4, 0.4, 0.4, 0.0], SMALL: [-0.3, 0.3, 0.0, 0.0]}
    rows = table(scored, monkeypatch, planted)
    assert [row.verdict for row in rows[:3]] == [DIFFERS, "towards", "towards"]
    assert [row.decided for row in rows[:3]] == [False, True, True]
    assert [part.verdict for part in rows[2].by_kind] == ["towards", "not decided"]
    told = rows[0].as_row()
    assert told["verdict"] == DIFFERS
    sizes = [f"{abs(part.directed_mean):.3f}°" for part in rows[0].by_kind]
    assert told["by_kind"] == f"{PHOTO}: towards +{sizes[0]}; {SMALL}: away −{sizes[1]}"


@pytest.mark.slow
def test_what_cancels_out_when_pooled_is_not_as_good_as_nothing(scored, monkeypatch):
    rows = table(scored, monkeypatch, {PHOTO: [1.0, 0, 0, 0], SMALL: [-1.0, 0, 0, 0]}, noise=0.2)
    row, still = rows[0], rows[1]
    assert abs(row.as_mean) < 0.1
    assert (row.verdict, row.untouched) == (DIFFERS, False)
    assert (still.verdict, still.untouched) == ("as good as 0", True)


@pytest.mark.slow
@pytest.mark.parametrize("effect", [0.0, 0.1, 0.3])
def test_kinds_that_do_not_differ_are_hardly_ever_said_to(scored, monkeypatch, effect):
    found = [
        row.kinds_differ
        for seed in range(100)
        for row in table(scored, monkeypatch, {PHOTO: [effect] * 4, SMALL: [effect] * 4}, seed=seed)
    ]
    assert np.mean(found) <= 0.01


@pytest.mark.slow
def test_the_page_names_it_with_both_magnitudes(scored, monkeypatch):
    planted = {PHOTO: [0.4, 0.4, 0.0, 0.9], SMALL: [-0.3, 0.4, 0.0, -0.9]}
    rows = table(scored, monkeypatch, planted, noise=0.01)
    said = concepts_answer.summary(rows, whole=True)
    assert said.startswith("**Without their null part the images turn towards 1 of 4 concepts, ")
    assert "), and away from none.**" in said
    assert "Towards or away from **2 concepts** depends on the kind of images" in said
    assert "of **sports car**, towards it by 0.9" in said
    assert "away from it by 0.9" in said
    assert "; also goldfish." in said
    alike = table(scored, monkeypatch, {PHOTO: [0.4] * 4, SMALL: [0.4] * 4}, noise=0.01)
    assert "depends on the kind" not in concepts_answer.summary(alike, whole=True)


def test_opposite_is_both_ways_and_nothing_less():
    assert opposite(["towards", "away", "not decided"])
    assert not opposite(["towards", "not decided"])
    assert OfKind(PHOTO, 1, 0.3, None).verdict == "not decided"
