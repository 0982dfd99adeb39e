"""One hidden direction in words: planted ones are named, random ones refused, signs are signs."""

import pytest
import torch
from scipy import stats

from sing_core.errors import HeadError, UnitsError
from sing_core.maths.controls import null_directions
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.sparse_texts import left_over, omp
from sing_core.maths.statistics import as_many_by_chance
from sing_core.maths.translator import Translator
from sing_core.units.component_table import component_table
from sing_core.units.directions import (
    DRAWS,
    RandomBand,
    centred_texts,
    direction_card,
    null_component,
    null_components,
    null_difference,
    random_band,
)

WIDTH, READ, TEXTS = 40, 10, 80


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def head():
    """It reads the first ten of forty features."""
    weight = torch.zeros(READ, WIDTH)
    weight[:, :READ] = normal(READ, READ)
    return LinearHead.from_weight(weight).head


@pytest.fixture(scope="module")
def translator():
    turned = torch.linalg.qr(normal(WIDTH, WIDTH, seed=4)).Q
    return Translator(turned, torch.ones(WIDTH))


@pytest.fixture(scope="module")
def texts(translator):
    """Texts along any direction that all share one, and the first three along single features."""
    found = torch.nn.functional.normalize(normal(TEXTS, WIDTH, seed=5), dim=1)
    for text, feature in enumerate((25, 31, 4)):
        found[text] = translator.weight[:, feature]
    gap = 2 * torch.nn.functional.normalize(normal(WIDTH, seed=6), dim=0)
    return torch.nn.functional.normalize(found + gap, dim=1)


NAMES = [f"text {k}" for k in range(TEXTS)]


@pytest.fixture(scope="module")
def band(head, translator, texts):
    return random_band(head, translator, centred_texts(texts))


def features(count=200, seed=1, **swings):
    """Noise, and along single features what is planted: ``f25=3`` for a deviation of 3."""
    found = 0.1 * normal(count, WIDTH, seed=seed)
    for place, (name, swing) in enumerate(swings.items()):
        found[:, int(name[1:])] += swing * normal(count, seed=100 + place)
    return found


def test_curves_side_by_side_are_those_of_one_pursuit_after_the_other():
    vectors, words = normal(7, WIDTH, seed=8), normal(TEXTS, WIDTH, seed=9)
    found = left_over(vectors, words, 12)
    for vector, curve in zip(vectors, found, strict=True):
        torch.testing.assert_close(curve, omp(vector, words, 12).unexplained)
    assert left_over(vectors, words[:3], 12).shape == (7, 4)
    assert float(left_over(vectors, words, 60)[:, -1].max()) < 1e-9  # as many as dimensions
    assert float(left_over(vectors[:1] * 0, words, 3).abs().max()) == 0


def test_random_null_directions_move_no_logit_and_have_no_direction_in_common(head):
    drawn = null_directions(head, 300, seed=2)
    assert float(drawn[:, :READ].abs().max()) < 1e-12
    torch.testing.assert_close(drawn.norm(dim=1), torch.ones(300, dtype=torch.float64))
    hidden = WIDTH - READ
    spread = drawn.square().mean(dim=0)[READ:] * hidden
    assert 0.6 < float(spread.min()) < float(spread.max()) < 1.5
    with pytest.raises(HeadError, match="without a null space"):
        null_directions(LinearHead.from_weight(torch.eye(4)).head, 3, seed=0)


def test_components_are_those_of_the_null_parts_and_no_others(head):
    rows = features(f25=3, f31=2, f4=9)  # the head reads the fourth
    for place, feature, deviation in ((1, 25, 3.0), (2, 31, 2.0)):
        found = null_component(rows, head, place)
        assert abs(float(found.vector[feature])) > 0.99
        assert float(found.vector[:READ].abs().max()) < 1e-12
        assert found.share == pytest.approx(deviation**2 / (13 + 28 * 0.01), rel=0.3)
    along = rows.double() @ null_component(rows, head, 1).vector
    along = along - along.mean()
    assert float(along.max()) > -float(along.min())  # it points to the farthest image
    torch.testing.assert_close(
        null_component(rows.double() + 7, head, 1).vector, null_component(rows, head, 1).vector
    )


def test_few_images_and_many_say_the_same_component(head):
    rows = features(20, f25=3)
    often = rows.repeat(5, 1)  # more images than features: another way to the same
    few, many = (null_component(part, head, 2) for part in (rows, often))
    torch.testing.assert_close(few.vector, many.vector)
    assert few.share == pytest.approx(many.share)


def test_components_and_images_that_are_not_there_are_refused(head):
    with pytest.raises(UnitsError, match="these 20 images vary in 19 directions"):
        null_component(features(20), head, 20)
    with pytest.raises(UnitsError, match="at least 4"):
        null_component(features(3), head, 1)
    with pytest.raises(UnitsError, match="vary in 0 directions"):
        null_component(torch.ones(9, WIDTH), head, 1)
    with pytest.raises(UnitsError, match="3 are too few"):
        null_difference(features(9), features(3), head)
    with pytest.raises(UnitsError, match="Nothing of the difference"):
        null_difference(features(9), features(9), head)


def test_a_difference_is_what_is_hidden_of_it(head):
    first, second = features(50), features(50, seed=2)
    first[:, 25] += 3
    first[:, 4] += 4
    found = null_difference(first, second, head)
    assert float(found.vector[25]) > 0.99
    assert found.share == pytest.approx(9 / 25, rel=0.1)
    torch.testing.assert_close(null_difference(second, first, head).vector, -found.vector)


def test_a_planted_attribute_is_the_first_text_and_lies_below_the_band(
    head, translator, texts, band
):
    vector = null_component(features(f25=3), head, 1).vector
    vector = vector * vector[25].sign()
    card = direction_card(vector, translator, NAMES, centred_texts(texts), band, size=3)
    assert card.words[0].text == "text 0"
    assert card.words[0].coefficient > 0.5
    assert not card.is_refused
    assert card.unexplained[1] < 0.6 * band.low[1]
    rows = card.as_rows(3)
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert all(row["random_low"] < row["random_median"] < row["random_high"] for row in rows)


def test_two_planted_texts_have_their_signs_and_turning_round_turns_every_one(
    head, translator, texts, band
):
    vector = torch.zeros(WIDTH)
    vector[25], vector[31] = 0.8, -0.6
    plain, turned = (
        direction_card(sign * vector, translator, NAMES, centred_texts(texts), band, size=6)
        for sign in (1, -1)
    )
    assert [word.text for word in plain.words[:2]] == ["text 0", "text 1"]
    assert plain.words[0].coefficient > 0 > plain.words[1].coefficient
    assert [word.text for word in turned.words] == [word.text for word in plain.words]
    for one, other in zip(plain.words, turned.words, strict=True):
        assert other.coefficient == pytest.approx(-one.coefficient)
    assert turned.unexplained == pytest.approx(plain.unexplained)


@pytest.mark.slow
def test_a_random_direction_is_refused_but_for_five_times_in_a_hundred(head, translator, texts):
    words, tries = centred_texts(texts), 60
    accepted = 0
    for seed in range(tries):
        band = random_band(head, translator, words, seed=seed)
        vector = null_directions(head, 1, seed=10_000 + seed)[0]
        card = direction_card(vector, translator, NAMES, words, band)
        assert card.is_refused == (card.words == ())
        accepted += not card.is_refused
    # exactly 0.05 each, as the direction is one of a hundred that may change places
    assert accepted <= stats.binom.isf(1e-3, tries, 0.05)


def test_refused_words_leave_the_curve(head, translator, texts, band):
    never = RandomBand((0.0,) * len(band.low), band.median, band.high, band.ends)
    vector = null_directions(head, 1, seed=3)[0]
    card = direction_card(vector, translator, NAMES, centred_texts(texts), never, size=4)
    assert card.is_refused
    assert card.words == ()
    rows = card.as_rows(4)
    assert [(row["text"], row["coefficient"]) for row in rows] == [(None, None)] * 4
    assert [row["unexplained"] for row in rows] == list(card.unexplained[1:5])
    assert len(card.unexplained) == len(band.low) == 1 + WIDTH // 4


def test_the_gap_between_images_and_texts_takes_no_part(head, translator, texts, band):
    moved = centred_texts(texts.double() + 5 * texts[0])
    torch.testing.assert_close(moved, centred_texts(texts))
    nothing = torch.cat([texts, torch.zeros(2, WIDTH)])  # texts that mean nothing
    torch.testing.assert_close(centred_texts(nothing)[:TEXTS], centred_texts(texts))
    assert float(centred_texts(nothing)[TEXTS:].abs().max()) == 0


def test_a_direction_that_the_reference_does_not_see_is_refused(head, texts, band):
    blind = Translator(torch.eye(WIDTH) * (torch.arange(WIDTH) != 25), torch.zeros(WIDTH))
    vector = torch.zeros(WIDTH)
    vector[25] = 1
    with pytest.raises(UnitsError, match="does not see"):
        direction_card(vector, blind, NAMES, centred_texts(texts), band)


def test_the_band_is_of_many_draws_and_wider_where_fewer_texts_can_choose(band):
    assert DRAWS >= 50
    assert all(low <= mid <= high for low, mid, high in zip(band.low, band.median, band.high,
                                                            strict=True))  # fmt: skip
    assert band.median[0] == pytest.approx(1)
    assert all(later <= former for former, later in zip(band.high, band.high[1:], strict=False))


def looked_through(head, translator, texts, band, rows, count=6):
    return component_table(
        null_components(rows, head, count), rows + features(seed=9), head, translator,
        centred_texts(texts), band, "it cannot see",
    )  # fmt: skip


def test_the_components_that_have_words_are_those_with_a_planted_text(
    head, translator, texts, band
):
    rows = features(f25=3, f31=2)  # two features that texts lie along; what is left is noise
    table = looked_through(head, translator, texts, band, rows)
    assert [one.component for one in table.components] == [1, 2, 3, 4, 5, 6]
    assert {1, 2} <= set(table.with_words)
    assert table.first == 1
    for one, found in zip(table.components, null_components(rows, head, 6), strict=True):
        card = direction_card(found.vector, translator, NAMES, centred_texts(texts), band)
        assert one.has_words != card.is_refused
        assert one.unexplained == pytest.approx(card.unexplained[-1])
        assert one.random_below == sum(end <= one.unexplained for end in band.ends)
        assert one.has_words == (one.random_below < 5)
        assert one.share == found.share
    assert table.components[0].elsewhere == pytest.approx(table.components[0].share, rel=0.1)
    assert "2 of the first" in table.sentence
    assert "of 6 random directions 0.3 would on average, and as many or more" in table.sentence
    assert "Component 1 is the first of them that has words" in table.picked(1)
    assert "asked for" in table.picked(2)


def test_a_table_without_words_says_so_and_shows_the_first(head, translator, texts, band):
    never = RandomBand((0.0,) * len(band.low), band.median, band.high, (0.0,) * DRAWS)
    table = looked_through(head, translator, texts, never, features(f25=3))
    assert (table.with_words, table.first) == ((), 1)
    assert table.sentence.startswith("None of the first 6 components of what it cannot see has")
    assert "of 6 random directions 0.3 would" in table.sentence
    assert "Component 1 is the first of all" in table.picked(1)
    assert all(one.random_below == DRAWS for one in table.components)


def test_as_many_by_chance_is_what_drawing_shows():
    generator = torch.Generator().manual_seed(3)
    bound = torch.rand(40_000, DRAWS, generator=generator).sort(dim=1).values[:, 4:5]
    below = (torch.rand(40_000, 20, generator=generator) < bound).sum(dim=1)
    for found in (0, 1, 2, 5):
        share = float((below >= found).double().mean())
        assert as_many_by_chance(found, 20, 5, DRAWS) == pytest.approx(share, abs=0.01)
