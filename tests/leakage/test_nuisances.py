"""Nuisances with a planted truth: a linear network in which it is known what each of them moves."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from sing_core.errors import ImageSetError, LogitDriftError
from sing_core.leakage.nuisance_lens import Lens, lens_of
from sing_core.leakage.nuisance_words import how_few, meaning, others, sentence
from sing_core.leakage.nuisances import (
    FOUND,
    NOT_FOUND,
    UNDECIDED,
    nuisance_rows,
    share_between,
)
from sing_core.leakage.photographs import Photograph, sample_photographs
from sing_core.leakage.planting import NUISANCES, Nuisance, Planted, as_shown, plant
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.translator import Translator
from sing_core.maths.unseen import Unseen

SIDE, SEEN, HIDDEN = 4, 8, 4
WIDTH = SEEN + HIDDEN
PHOTOS = 12


def dot(place):
    """Return a nuisance that lights one pixel up, and nothing else."""

    def light(image, dose):
        values = np.asarray(image).copy()
        own = values[0, place, 0]
        values[0, place, 0] = round(own + dose * (255 - int(own)))
        return Image.fromarray(values)

    return light


SECRET = Nuisance("secret", ("a photo with a secret",), dot(0))
PLAIN = Nuisance("plain", ("a plain photo", "a photo in plain sight"), dot(1))
OTHER = Nuisance("other", ("another photo",), dot(2))
TOY = (SECRET, PLAIN, OTHER)


class LinearNetwork:
    """Pixels to features by a matrix: pixel 0 moves the null direction e8 alone, 1 moves e0."""

    sight = SimpleNamespace(side=SIDE, crop=1.0)

    def __init__(self):
        generator = torch.Generator().manual_seed(1)
        self.matrix = torch.rand(SIDE * SIDE * 3, WIDTH, generator=generator) / 4
        for pixel, feature in ((0, SEEN), (3, 0)):
            self.matrix[pixel] = torch.nn.functional.one_hot(torch.tensor(feature), WIDTH)

    def extract(self, pictures):
        flat = [np.asarray(picture, dtype=np.float32).ravel() / 255 for picture in pictures]
        yield torch.from_numpy(np.stack(flat)) @ self.matrix


def head():
    generator = torch.Generator().manual_seed(2)
    weight = torch.randn(SEEN, SEEN, generator=generator)
    return LinearHead.from_weight(torch.cat([weight, torch.zeros(SEEN, HIDDEN)], dim=1))


def toy_lens(count=PHOTOS, linear=None):
    """Return a lens whose translator changes nothing: the texts are features themselves."""
    places = torch.tensor([SEEN, 0, 1, 2])
    words = torch.nn.functional.one_hot(places, WIDTH).float()
    vocabulary = torch.randn(50, WIDTH, generator=torch.Generator().manual_seed(3))
    translator = Translator(torch.eye(WIDTH), torch.zeros(WIDTH))
    unseen = Unseen.of(translator, [str(i) for i in range(count)])
    return Lens(linear or head(), unseen, TOY, words, vocabulary)


def toy_photos(doses=(0.0, 0.5, 1.0)):
    rng = np.random.default_rng(4)
    pixels = rng.integers(0, 120, (PHOTOS, SIDE, SIDE, 3), dtype=np.uint8)
    network = LinearNetwork()
    return [
        plant(network, Photograph(str(i), "", lambda own=own: Image.fromarray(own)), TOY, doses)
        for i, own in enumerate(pixels)
    ]


@pytest.fixture(scope="module")
def found():
    rows = nuisance_rows(toy_photos(), toy_lens())
    return {(row.nuisance, row.dose): row for row in rows}


def test_what_moves_along_its_words_inside_the_null_space_is_found(found):
    row = found["secret", 1.0]
    assert row.null_share == pytest.approx(1)
    assert row.null_share_random == HIDDEN / WIDTH
    assert row.logit_change < 1e-6
    assert (row.top1_changed, row.rank, row.n, row.verdict) == (0, 1, PHOTOS, FOUND)
    assert row.contrast.low > 5
    assert row.contrast.estimate > found["secret", 0.5].contrast.estimate > 0
    assert row.whole.estimate == pytest.approx(row.contrast.estimate, rel=1e-5), "all of it hides"
    assert found["secret", 0.5].verdict == "", "the verdict is about the full dose"


def test_what_moves_only_what_the_head_reads_has_no_null_movement(found):
    row = found["plain", 1.0]
    assert row.null_share == pytest.approx(0, abs=1e-12)
    assert (row.attribute_score_deg, row.contrast.estimate) == pytest.approx((0, 0), abs=1e-5)
    assert row.logit_change > 0.01
    assert row.verdict == NOT_FOUND
    assert row.whole.low > 0, "it is not that the words are not understood"


def test_dose_0_moves_nothing(found):
    for nuisance in TOY:
        row = found[nuisance.name, 0.0]
        assert (row.null_share, row.logit_change, row.top1_changed) == (None, 0, 0)
        assert (row.attribute_score_deg, row.contrast.estimate, row.whole.estimate) == (0, 0, 0)


def test_a_sentence_says_what_is_found_and_what_it_does_not_mean(found):
    rows = list(found.values())
    said = sentence(rows)
    size = f"{next(r for r in rows if (r.nuisance, r.dose) == ('secret', 1)).contrast.estimate:.2f}"
    assert said.startswith(f"1 of 3 planted nuisances is found: secret (+{size}° of the +{size}° ")
    assert said.count(".") == 3, "one sentence, two numbers"
    rest = others(rows)
    assert "Shown not to be: plain (+0.00° of +" in rest
    assert "secret" not in rest
    assert "corrected for all nuisances (Holm)" in rest
    none = [row for row in rows if row.nuisance != "secret"]
    assert (
        sentence(none) == "None of 2 planted nuisances is found by AS of the null movement alone."
    )
    two = [replace(row, verdict=row.verdict and FOUND) for row in none]
    assert ") and " in sentence(two), "a list ends in and"
    meant = meaning(rows, 0.25)
    assert "0 to 100 % lies in the null space; of a random direction it would be 33 %" in meant
    assert "two photographs’ difference 25 %" in meant
    assert "What is found lies where no logit sees it" in meant
    assert "That the classifier overlooks what is planted does not follow" in meant
    assert "What is found" not in meaning([replace(row, verdict="not decided") for row in rows], 1)


def test_only_what_moves_towards_its_own_words_most_has_its_name(found):
    full = [row for row in found.values() if row.verdict]
    assert "where no logit sees it, and has its name. " in meaning(full, None)
    assert {row.rises_more for row in full if row.rank == 1} == {""}
    assert all(row.rises_more in {"secret", "plain", "other"} for row in full if row.rank > 1)
    second = [
        replace(row, rank=2, rises_more="other") if row.nuisance == "secret" else row
        for row in full
    ]
    said = meaning(second, None)
    assert "it has not its name: of secret the words of other rise more. " in said
    both = [replace(row, verdict=FOUND) if row.nuisance == "plain" else row for row in second]
    both = [replace(row, rank=1) if row.nuisance == "plain" else row for row in both]
    said = meaning(both, None)
    assert "; not all of it has its name: of secret the words of other rise more. " in said


def test_how_many_photographs_were_looked_at_is_said_and_that_few_decide_little():
    assert how_few(6) == "It was looked at in 6 photographs: so few decide little."
    assert how_few(100) == "It was looked at in 100 photographs."


def test_a_nuisance_whose_words_rise_less_than_anothers_names_that_one():
    photos = at_random(3)
    for row in nuisance_rows(photos, toy_lens(10)):
        assert (row.rises_more == "") == (row.rank == 1)
        assert row.rises_more != row.nuisance


def test_the_logits_of_the_null_movement_stand_still_and_a_head_that_sees_it_is_refused():
    photos, lens = toy_photos(), toy_lens()
    for one in photos:
        inside = lens.linear.head.null_part(one.moved - one.features)
        moved = lens.linear.logits((one.features.double() + inside).float())
        assert torch.allclose(moved, lens.linear.logits(one.features), atol=1e-6)
    torn = LinearHead(torch.ones(SEEN, WIDTH), torch.zeros(SEEN), head().head)
    with pytest.raises(LogitDriftError, match="secret"):
        nuisance_rows(photos, toy_lens(linear=torn))


def test_without_any_change_there_is_nothing_to_ask():
    with pytest.raises(ImageSetError, match="none that they change"):
        nuisance_rows(toy_photos(doses=()), toy_lens())
    with pytest.raises(ImageSetError, match="none that they change"):
        nuisance_rows([], toy_lens(0))


def at_random(seed, count=10):
    """Return photographs that each nuisance moves in a direction that has nothing to do with it."""
    generator = torch.Generator().manual_seed(seed)
    before = torch.randn(count, WIDTH, generator=generator)
    moves = torch.randn(count, len(TOY), WIDTH, generator=generator)
    steps, changed = tuple((one.name, 1.0) for one in TOY), torch.ones(len(TOY), dtype=torch.bool)
    return [
        Planted(str(i), "", steps, before[i], before[i] + moves[i], changed) for i in range(count)
    ]


@pytest.mark.slow
def test_where_nothing_is_planted_next_to_nothing_is_found():
    tables = [nuisance_rows(at_random(seed), toy_lens(10)) for seed in range(200)]
    wrong = sum(any(row.verdict == FOUND for row in rows) for rows in tables)
    assert wrong / len(tables) <= 0.06
    shares = [row.null_share for rows in tables for row in rows]
    assert np.mean(shares) == pytest.approx(HIDDEN / WIDTH, abs=0.02)
    between = [share_between(at_random(seed), head()) for seed in range(100)]
    assert np.mean(between) == pytest.approx(HIDDEN / WIDTH, abs=0.02)
    assert share_between(at_random(0, 1), head()) is None


def mostly_found(seed, count=40):
    """Return photographs that a nuisance moves towards its words, but for few: these far away."""
    rng, moves = np.random.default_rng(seed), torch.zeros(count, len(TOY), WIDTH)
    far = rng.random(count) < 0.08
    moves[:, 0, SEEN] = torch.from_numpy(np.where(far, -2.0, rng.uniform(0.3, 0.5, count)))
    before = torch.from_numpy(rng.standard_normal((count, WIDTH))).float()
    steps, changed = tuple((one.name, 1.0) for one in TOY), torch.tensor([True, False, False])
    return [
        Planted(str(i), "", steps, before[i], before[i] + moves[i], changed) for i in range(count)
    ]


@pytest.mark.slow
def test_what_lies_above_the_bound_is_never_shown_not_to_be_found():
    """Where corrected test and interval of skewed contrasts disagree, nothing is decided."""
    rows = [nuisance_rows(mostly_found(seed), toy_lens(40))[0] for seed in range(60)]
    torn = [row for row in rows if row.p_adjusted <= 0.05 and not row.contrast.decided]
    assert any(row.contrast.estimate > row.bound_deg for row in torn)
    for row in rows:
        above = row.contrast.estimate > row.bound_deg
        assert not (above and row.verdict == NOT_FOUND), row
    assert {row.verdict for row in torn if row.contrast.estimate > row.bound_deg} == {UNDECIDED}


def test_photographs_of_one_class_count_as_one():
    photos = toy_photos()
    kin = [
        Planted(one.digest, str(i % 3), one.steps, one.features, one.moved, one.changed)
        for i, one in enumerate(photos)
    ]
    row = nuisance_rows(kin, toy_lens())[2]
    assert (row.contrast.clusters, row.n) == (3, PHOTOS)


@pytest.mark.parametrize("nuisance", NUISANCES, ids=lambda one: one.name)
def test_a_nuisance_grows_with_its_dose_and_keeps_the_size(nuisance, chelsea):
    image = as_shown(chelsea.image, SimpleNamespace(side=224, crop=0.875))
    assert image.size == (256, 256)
    assert nuisance.plant(image, 0.0).tobytes() == image.tobytes()
    own, before = np.asarray(image, dtype=np.float64), 0.0
    for dose in nuisance.doses((0.25, 0.5, 1.0)):
        planted = nuisance.plant(image, dose)
        assert (planted.size, planted.mode) == (image.size, "RGB")
        assert planted.tobytes() == nuisance.plant(image, dose).tobytes()
        away = np.abs(np.asarray(planted, dtype=np.float64) - own).mean()
        assert away > before
        before = away
    assert before > 5


@pytest.mark.slow
def test_samples_are_looked_at_by_a_real_classifier(toy_bench):
    samples = sample_photographs()
    chosen = samples[0], samples[-1]
    backbone = toy_bench.pool.backbone("lite0")
    planted = [plant(backbone, one, doses=(1.0,)) for one in chosen]
    assert [len(one.moved) for one in planted] == [len(NUISANCES)] * 2
    assert not planted[1].changed[0], "the camera man has no colour to lose"
    rows = nuisance_rows(planted, lens_of(toy_bench, planted, "lite0", "mini"))
    assert [row.n for row in rows] == [1] + [2] * (len(NUISANCES) - 1)
    for row in rows:
        assert 0 < row.null_share < 0.5
        assert row.null_share_random == 280 / 1280
        assert 1 <= row.rank <= len(NUISANCES)
    assert rows[0].contrast.low is None, "one photograph has no interval"
    assert rows[0].verdict == "not decided"
