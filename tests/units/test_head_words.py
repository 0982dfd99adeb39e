"""A head in words: planted texts are found first, and shuffled ones say less."""

from dataclasses import replace

import pytest
import torch

from sing_core.errors import UnitsError
from sing_core.maths.text_span import text_span
from sing_core.units import tokens
from sing_core.units.heads import HeadWords, head_words, photo_texts
from sing_core.units.moments import HeadMoments
from sing_core.units.stable_words import Word
from tests.units.photos import photo
from tests.units.texts import texts


@pytest.mark.slow
def test_a_planted_text_is_the_first_word_of_its_head_alone(inside, sums):
    labels, embeddings = texts(inside)
    into = inside.shares.head_maps[11, 4].double()  # (d, e)
    wanted = torch.linalg.lstsq(into, embeddings[17].double()[:, None]).solution[:, 0]
    swing = torch.linspace(-60, 60, len(sums))[torch.randperm(len(sums))]
    heads = sums.heads.clone()
    heads[:, 11, 4] += swing[:, None] * (wanted / wanted.norm()).float()
    planted = replace(sums, heads=heads)
    moments = HeadMoments.of(planted, inside.tower.identity)
    found = head_words(inside, moments, labels, embeddings, 11, 4, size=5)
    reach = into @ wanted
    nearest = int((embeddings.double() @ reach).abs().argmax())
    assert found.words[0].text == labels[nearest]
    assert found.words[0].stability == 1.0
    assert found.words[0].gain > 0.5
    usual = head_words(
        inside, HeadMoments.of(sums, inside.tower.identity), labels, embeddings, 11, 4, size=5
    )
    assert usual.words[0].gain < found.words[0].gain
    other = head_words(inside, moments, labels, embeddings, 11, 3, size=5)
    assert [word.text for word in other.words] == [
        word.text
        for word in head_words(
            inside, HeadMoments.of(sums, inside.tower.identity), labels, embeddings, 11, 3, size=5
        ).words
    ]


@pytest.mark.slow
def test_words_of_a_head_are_held_against_shuffled_texts_and_what_any_directions_could(
    inside, sums
):
    labels, embeddings = texts(inside)
    moments = HeadMoments.of(sums, inside.tower.identity)
    found = head_words(inside, moments, labels, embeddings, 11, 4, size=5)
    rows = moments.stand_ins(inside, 11, 4, list(range(8)))
    power = torch.linalg.eigvalsh(torch.cov(rows.mT, correction=0)).flip(0)
    assert found.bound == pytest.approx(float(power[:5].sum() / power.sum()), rel=1e-6)
    assert 0 < found.explained <= found.bound <= 1
    assert 0 < found.shuffled <= found.bound
    # Texts that are the head's own directions reach the bound; shuffled, they no longer do.
    axes = torch.linalg.svd(rows - rows.mean(dim=0), full_matrices=False)[2][:12].float()
    own = head_words(inside, moments, [f"axis {k}" for k in range(12)], axes, 11, 4, size=5)
    assert own.explained == pytest.approx(own.bound, rel=1e-3)
    assert own.shuffled < 0.8 * own.explained
    assert f"carry {100 * own.bound:.0f} % at most" in own.sentence
    assert f"shuffled embeddings up to {100 * own.shuffled:.0f} %" in own.sentence
    row = own.as_rows()[0]
    assert (row["rank"], row["shuffled"], row["bound"]) == (1, own.shuffled, own.bound)


def test_a_heads_sentence_leads_with_texts_that_return_and_marks_the_others():
    words = (Word(1, "loose", 0.5, 0.2), Word(2, "firm", 0.2, 0.9), Word(3, "also firm", 0.1, 0.5))
    said = HeadWords("L1.H1", words, 40, 0.1, 0.9).sentence
    assert "is first about “firm” and “also firm”" in said
    assert "2 of them return in at least half" in said
    assert [word.as_row()["unstable"] for word in words] == [True, False, False]
    chance = HeadWords("L1.H1", words, 40, 0.8, 0.9)
    assert not chance.beyond_chance
    assert chance.sentence.startswith("L1.H1 has no name beyond chance: 3 texts carry 80 % of what")
    assert "up to 80 %; “firm” and “also firm” come before others" in chance.sentence
    near = HeadWords("L1.H1", words, 40, 0.7977, 0.9)
    assert near.beyond_chance
    assert "3 texts carry 80.0 % of what it varies in" in near.sentence
    assert "shuffled embeddings up to 79.8 %" in near.sentence
    loose = HeadWords("L1.H1", words[:1], 40, 0.1, 0.9).sentence
    assert "has no name that these images settle" in loose
    assert "first about" not in loose


@pytest.mark.slow
def test_the_text_that_was_planted_in_a_photo_is_the_one_it_shows_most(inside, sums):
    labels, embeddings = texts(inside)
    moments = HeadMoments.of(sums, inside.tower.identity)
    plain = tokens.look_inside(inside, photo())
    span = text_span(moments.stand_ins(inside, 11, 4, list(range(8))), embeddings, 20)
    for sign, end in ((1, "most"), (-1, "least")):
        into = inside.shares.head_maps[11, 4].double()
        step = torch.linalg.lstsq(into, span.atoms[3][:, None]).solution[:, 0]
        heads = plain.parts.sums.heads.clone()
        heads[0, 11, 4] += (sign * 1000 * step).float()
        parts = replace(plain.parts, sums=replace(plain.parts.sums, heads=heads))
        found = photo_texts(
            replace(plain, parts=parts), moments, labels, embeddings, 11, 4, size=20
        )
        assert [one.end for one in found] == ["most", "least"]
        shown = {one.end: one for one in found}[end]
        assert shown.text == labels[span.chosen[3]]
        assert sign * shown.coefficient > 0


@pytest.mark.slow
def test_a_photos_coefficients_are_those_of_its_own_output_and_its_maps_add_up(inside, sums):
    labels, embeddings = texts(inside)
    moments = HeadMoments.of(sums, inside.tower.identity)
    seen = tokens.look_inside(inside, photo())
    most, least = photo_texts(seen, moments, labels, embeddings, 10, 2)
    span = text_span(moments.stand_ins(inside, 10, 2, list(range(8))), embeddings, 60)
    own = span.coefficients(inside.shares.heads(seen.parts.sums)[0, 10, 2])
    assert most.coefficient == pytest.approx(float(own.max()), rel=1e-4)
    assert least.coefficient == pytest.approx(float(own.min()), rel=1e-4)
    classes = torch.nn.functional.normalize(
        inside.vocabulary.embeddings[: inside.vocabulary.n_classes].double(), dim=-1
    )
    direction = embeddings[labels.index(most.text)].double() - classes.mean(dim=0)
    length = seen.output.double().norm()
    wanted = float(inside.shares.heads(seen.parts.sums)[0, 10, 2].double() @ direction / length)
    assert most.tokens.total == pytest.approx(wanted, abs=1e-5)
    rows = most.as_rows()
    assert len(rows) == 8 * 8 + 1
    assert sum(row["score"] for row in rows) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.slow
def test_words_of_another_network_or_of_no_head_are_refused(inside, sums):
    labels, embeddings = texts(inside)
    moments = HeadMoments.of(sums, "of other weights")
    with pytest.raises(UnitsError, match="other weights"):
        head_words(inside, moments, labels, embeddings, 0, 0)
    with pytest.raises(UnitsError, match="layers 0 to 11 with heads 0 to 5"):
        head_words(inside, moments, labels, embeddings, 12, 0)
