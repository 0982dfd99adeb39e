"""The null space in words: a planted attribute comes first, beside random subspaces as large."""

from dataclasses import replace

import pytest
import torch

from sing_core.errors import ImageSetError
from sing_core.maths.head_variants import WHOLE_HEAD, HeadVariant
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.translator import Translator
from sing_core.units.set_part import part_of_set
from sing_core.units.set_words import words_of_set
from sing_core.units.words import beyond_chance, null_words, sentence


@pytest.fixture(scope="module")
def planted():
    """A head that reads the first ten of forty features; texts along single features."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.zeros(10, 40)
    weight[:, :10] = torch.randn(10, 10, generator=generator)
    features = torch.randn(200, 40, generator=generator) * 0.1
    features[:, 25] += 3 * torch.randn(200, generator=generator)  # hidden
    features[:, 4] += 5 * torch.randn(200, generator=generator)  # read
    translator = Translator(torch.eye(40), torch.zeros(40))
    return features, LinearHead.from_weight(weight), translator


def test_a_planted_null_attribute_is_the_first_word_of_the_null_space(planted):
    features, linear, translator = planted
    names = [f"text {k}" for k in range(40)]
    null, principal, random = null_words(features, linear, translator, names, torch.eye(40), size=3)
    assert (null.words[0].text, principal.words[0].text) == ("text 25", "text 4")
    assert null.words[0].stability == 1.0
    assert null.words[0].gain > 0.9
    assert null.dim == random.dim == 30
    low, high = random.shares
    assert null.share < low <= random.share <= high < 1
    assert low < high, "one random subspace is not the next"
    least, most = random.explained_of_all
    assert null.explained < least <= random.explained <= most
    said = sentence((null, principal, random), "this set")
    ends = f"less than in any of 19 random subspaces as large ({100 * least:.1f} to "
    assert ends in said
    assert f"{100 * null.share:.1f} % of what varies in meaning, less than in any of 19" in said
    row, other = random.as_rows()[0], null.as_rows()[0]
    assert (row["variance_low"], row["explained_high"]) == (low, most)
    assert (other["variance_low"], other["explained"]) == (None, null.explained)
    assert "“text 25”" in said
    assert said.startswith("The texts say no more of what is hidden than of random subspaces: no w")
    assert "first about" not in said
    assert "for free" not in said


def test_texts_are_words_only_above_every_random_subspace(planted):
    features, linear, translator = planted
    names = [f"text {k}" for k in range(40)]
    found = null_words(features, linear, translator, names, torch.eye(40), size=3)
    for most, beyond in ((found[0].explained, False), (found[0].explained - 1e-6, True)):
        band = replace(found[2], explained_of_all=(0.1, most))
        said = sentence((*found[:2], band), "this set")
        assert beyond_chance((*found[:2], band)) is beyond
        assert said.startswith("What is hidden of this set is first about") is beyond
        assert ("no words. Of what is hidden of this set 3 texts, “text 25”" in said) is not beyond


def test_few_images_are_said_to_leave_little_and_kinds_stand_in_every_row(planted):
    features, linear, translator = planted
    names = [f"text {k}" for k in range(40)]
    found = null_words(
        features[:16], linear, translator, names, torch.eye(40), size=10, kinds="2 a and 14 bs"
    )
    assert {row["images"] for part in found for row in part.as_rows()} == {16}
    assert {row["kinds"] for part in found for row in part.as_rows()} == {"2 a and 14 bs"}
    assert (
        " 16 images span at most 15 dimensions there: 10 texts carry much of so few for free."
    ) in sentence(found, "it")


def test_a_null_space_that_has_more_of_the_meaning_than_random_ones_is_said_to(planted):
    features, linear, translator = planted
    hidden = features.clone()
    hidden[:, 4] *= 0.02
    names = [f"text {k}" for k in range(40)]
    found = null_words(hidden, linear, translator, names, torch.eye(40), size=3)
    assert found[0].share > found[2].shares[1]
    assert "of what varies in meaning, more than in any of 19 random" in sentence(found, "it")
    same = replace(found[0], share=sum(found[2].shares) / 2)
    assert "in meaning, within what 19 random" in sentence((same, *found[1:]), "it")


def test_shuffled_texts_explain_less_than_planted_ones(planted):
    features, linear, translator = planted
    names = [f"text {k}" for k in range(40)]
    generator = torch.Generator().manual_seed(1)
    shuffled = torch.nn.functional.normalize(torch.randn(40, 40, generator=generator), dim=-1)
    own = null_words(features, linear, translator, names, torch.eye(40), size=1)[0]
    other = null_words(features, linear, translator, names, shuffled, size=1)[0]
    assert other.words[0].gain < 0.6 * own.words[0].gain


def test_an_empty_null_space_and_too_few_images_are_said(real_bench, planted):
    features, linear, translator = planted
    with pytest.raises(ImageSetError, match="at least 4"):
        null_words(features[:3], linear, translator, ["a"], torch.eye(40)[:1], where="Cats")
    whole = LinearHead.from_weight(torch.eye(40))
    found = null_words(features, whole, translator, ["a", "b"], torch.eye(40)[:2])
    assert found[0].words == ()
    assert "Nothing of it is hidden" in sentence(found, "it")
    asked = real_bench, "embedded", "vits", "mini", WHOLE_HEAD, ["a"], torch.eye(512)[:1]
    with pytest.raises(ImageSetError, match="no null space"):
        words_of_set(*asked)


@pytest.mark.slow
def test_a_class_of_a_set_is_named_and_others_are_refused(real_bench):
    vocabulary = real_bench.vocabulary("mini")
    names = vocabulary.labels[:100]
    embeddings = torch.nn.functional.normalize(vocabulary.embeddings[:100].float(), dim=-1)
    asked = real_bench, "embedded", "lite0", "mini", HeadVariant(), names, embeddings
    found, said = words_of_set(*asked, class_name="goldfish", size=2)
    assert [part.subspace for part in found] == ["null", "principal", "random"]
    assert "“goldfish” (16 images) to EfficientNet-Lite0" in said
    assert {row["kinds"] for part in found for row in part.as_rows()} == {""}, "one kind alone"
    whole = part_of_set(real_bench, "embedded", "lite0", "")
    pooled = "800 full photographs and 3,200 64-pixel images, pooled"
    assert whole.where == f"the set embedded (4,000 images: {pooled})"
    with pytest.raises(ImageSetError, match="no class of ImageNet"):
        words_of_set(*asked, class_name="unicorns of old")
    with pytest.raises(ImageSetError, match="No prepared set"):
        words_of_set(real_bench, "nowhere", *asked[2:])
