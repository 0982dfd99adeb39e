"""Whether what is said of a concept survives: beside its table, and with planted answers."""

import numpy as np
import pytest

from sing_core.errors import ImageSetError
from sing_core.files.store import Store
from sing_core.leakage import choices as measured
from sing_core.leakage import concept_choices
from sing_core.leakage.choices import CENTRED, RAW, Towards
from sing_core.leakage.class_choices import kinds_of
from sing_core.leakage.concept_choices import concept_claims
from sing_core.leakage.concept_lists import parse_concepts
from sing_core.leakage.concepts import concept_table
from sing_core.leakage.other_fits import AS_FITTED, PENALTIES
from sing_core.leakage.scored_sets import open_set
from sing_core.leakage.strata import POOLED, within
from sing_core.leakage.vocabulary_scale import VocabularyScale
from sing_core.maths.statistics import LEVEL, adjusted, level_of_decided
from sing_core.models.pool import ModelPool
from sing_core.models.workbench import Workbench
from sing_core.settings import Settings

SMALL, PHOTO = "64-pixel image", "full photograph"
GOLDFISH, TENCH = 1, 0
MOST_WRONG = 0.06
KNOWN = parse_concepts("goldfish\nvolcano\npizza\nsports car")
# The direction's test takes nothing from it, and measuring it takes most of the time.
SCALE = VocabularyScale(1, 1.0, 0.2, 1, 90.0, 90.0, None, 0.0)
WAYS = {"towards": 1, "away": -1, "not decided": 0, "as good as 0": 0}


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    settings = Settings(cache_dir=tmp_path_factory.mktemp("concept-choices"))
    return open_set(
        Workbench(settings, ModelPool(settings), Store(settings.cache_dir)), "lite0",
        images="embedded",
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["", SMALL])
def test_the_usual_choice_is_what_the_table_of_concepts_shows(scored, kind):
    part = within(scored, kind)
    rows = concept_table(part, KNOWN, label=GOLDFISH, scale=SCALE)
    claims = concept_claims(part, KNOWN, GOLDFISH)
    assert [claim.concept for claim in claims] == [row.concept for row in rows]
    for row, claim in zip(rows, claims, strict=True):
        usual = claim.choices[0]
        assert usual.names == (row.stratum, RAW, "mini", AS_FITTED)
        assert usual.estimate == pytest.approx(row.directed_mean, abs=2e-4)
        assert usual.sign == WAYS[row.verdict]
        assert usual.survives
        assert claim.level == level_of_decided([row.p_adjusted for row in rows])
        assert f"the images of goldfish {('towards', 'away from')[usual.sign < 0]}" in claim.text
        names = [choice.names for choice in claim.choices]
        assert len(set(names)) == len(names)
        assert len(names) % (2 * 2 * (1 + len(PENALTIES) + 5)) == 0
        told = claim.as_row()
        assert (told["class"], told["concept"]) == ("goldfish", row.concept)
        assert told["survives"] + len(told["fails"]) == told["choices"] == len(names)


@pytest.mark.slow
def test_what_has_one_image_has_no_claim(scored):
    with pytest.raises(ImageSetError, match="2 images of tench; the set embedded has 1"):
        concept_claims(scored, KNOWN, TENCH)
    alone = f"SELECT * FROM images WHERE label = {GOLDFISH}"
    with pytest.MonkeyPatch.context() as patch:
        ask = type(scored).ask
        patch.setattr(
            type(scored), "ask",
            lambda own, sql, given=None: ask(own, sql.replace("FROM images", f"FROM ({alone})"),
                                             given),
        )  # fmt: skip
        with pytest.raises(ImageSetError, match="2 classes of images; the set embedded has 1"):
            concept_claims(scored, KNOWN)


@pytest.mark.slow
def test_a_reference_that_cannot_embed_a_new_word_is_left_out_and_the_asked_one_is_not(
    scored, monkeypatch
):
    asked, here = [], measured.texts_in

    def refuse(bench, reference, prompts):
        asked.append(reference)
        if reference == refused:
            raise ImageSetError("There is no text tower.")
        return here(bench, reference, prompts)

    monkeypatch.setattr(measured, "texts_in", refuse)
    refused = "mini-vit"
    claim = concept_claims(scored, KNOWN, GOLDFISH)[0]
    assert {choice.reference for choice in claim.choices} == {"mini"}
    assert {"mini", refused} <= {*asked}
    refused = "mini"
    with pytest.raises(ImageSetError, match="no text tower"):
        concept_claims(scored, KNOWN, GOLDFISH)


KEYS = [
    (reading, reference, fit)
    for reading in (RAW, CENTRED)
    for reference in ("mini", "mini-vit")
    for fit in (AS_FITTED, *PENALTIES)
]


def claims_about(scored, monkeypatch, planted, *, seed=0, per_class=4, index=None):
    """Return the claims where ``planted(key, kind)`` degrees towards the first concept are added.

    Of 40 classes, half are photographs; images of one class are alike.
    """
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(40), per_class)
    strata = np.where(labels % 2 == 0, PHOTO, SMALL)

    def tables():
        for key in KEYS:
            noise = rng.normal(0, 0.3, (40, len(KNOWN.labels)))[labels]
            table = noise + rng.normal(0, 0.05, noise.shape)
            table[:, 0] += [planted(key, kind) for kind in strata]
            yield key, table

    made = Towards(labels, tuple(strata.tolist()), tables())
    monkeypatch.setattr(concept_choices, "towards_by", lambda *_, **__: made)
    return concept_claims(scored, KNOWN, index)


@pytest.mark.parametrize("way", [1, -1])
def test_a_concept_that_is_planted_everywhere_survives_all_choices(scored, monkeypatch, way):
    claim, *_ = claims_about(scored, monkeypatch, lambda key, kind: way * 2.0)
    assert len(claim.choices) == 3 * len(KEYS)
    assert {choice.sign for choice in claim.choices} == {way}
    assert f"survives {3 * len(KEYS)} of {3 * len(KEYS)} choices; estimates from" in claim.sentence
    assert ("towards goldfish" in claim.text) == (way > 0)


def test_a_concept_that_turns_round_with_the_reading_or_the_kind_fails_there(scored, monkeypatch):
    claim, *_ = claims_about(scored, monkeypatch, lambda key, kind: 2.0 if key[0] == RAW else -2.0)
    assert {(c.reading, c.survives) for c in claim.choices} == {(RAW, True), (CENTRED, False)}
    assert claim.never == (CENTRED,)
    claim, *_ = claims_about(scored, monkeypatch, lambda key, kind: 3.0 if kind == PHOTO else -1.0)
    assert {(c.images, c.sign) for c in claim.choices} == {(POOLED, 1), (PHOTO, 1), (SMALL, -1)}
    assert claim.never == (SMALL,)


@pytest.mark.slow
def test_with_nothing_planted_hardly_a_concept_is_decided(scored, monkeypatch):
    """40 classes are the units: as images, ten times as many would be decided."""
    found = [
        claim.choices[0].sign != 0
        for seed in range(120)
        for claim in claims_about(scored, monkeypatch, lambda key, kind: 0.0, seed=seed)
    ]
    assert np.mean(found) <= MOST_WRONG
    as_images = [
        claim.choices[0].sign != 0
        for seed in range(40)
        for claim in claims_about(
            scored, monkeypatch, lambda key, kind: 0.0, seed=seed, index=GOLDFISH
        )
    ]
    assert np.mean(as_images) > 3 * MOST_WRONG


def test_the_level_draws_the_line_where_the_correction_does():
    rng = np.random.default_rng(0)
    p = np.concatenate([rng.uniform(size=150), rng.uniform(0, 1e-2, 50), [np.nan]])
    decided = adjusted(p) <= 0.05
    assert 10 < decided.sum() < 60
    assert [*(p < 1 - level_of_decided(adjusted(p)))] == [*decided]
    assert level_of_decided([0.5, np.nan]) == LEVEL
    assert level_of_decided([np.nan]) == LEVEL


def test_a_kind_of_which_one_class_alone_is_there_is_no_choice():
    strata = (SMALL, SMALL, PHOTO, PHOTO)
    assert [*kinds_of(strata, (1, 2, 3, 3))] == [POOLED, SMALL]
    assert [*kinds_of(strata, (1, 2, 3, 4), PHOTO)] == [PHOTO, POOLED, SMALL]
