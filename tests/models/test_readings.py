"""Both readings of a reference by its name alone: what they share, and what they never share."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import normalize

from sing_core.errors import StaleArtefactError, UnknownNameError, WeightsUnavailableError
from sing_core.maths.centre import Centre
from sing_core.models import registry
from sing_core.models.centred_reference import CentredReference
from sing_core.models.doctor import examine
from sing_core.models.library import readings_here, survey
from sing_core.models.readings import (
    find_centre,
    own_centre_path,
    shipped_centre_path,
)
from sing_core.models.references import space_id
from sing_core.models.workbench import fitted_path
from sing_core.models.zero_shot import ZeroShotBench
from sing_core.settings import Settings
from sing_core.studies.photo import analyse_image
from sing_core.studies.question import Question
from tests import toy

CENTRED = "centred:mini"


@pytest.fixture
def settings(toy_assets, tmp_path):
    """The toy assets with a cache of their own, so that no centre of another test is found."""
    return Settings(assets_dir=toy_assets, cache_dir=tmp_path / "cache")


@pytest.fixture
def bench(settings, toy_reference):
    return toy.make_bench(settings)


@pytest.fixture
def centre(settings):
    return find_centre("mini", space_id("mini", settings), settings)


@pytest.mark.parametrize(
    "name",
    [
        "mini",
        "local-dir:/models/x:centred",
        "local-dir:/models/centred:",
        "hf-hub:owner/name@v1",
        "ViT-L-14-quickgelu/openai",
    ],
)
def test_whatever_a_name_holds_its_reading_stands_in_front(name):
    assert (registry.base_of(name), registry.is_centred(name)) == (name, False)
    read = registry.in_reading(name, centred=True)
    assert (registry.base_of(read), registry.is_centred(read)) == (name, True)
    assert registry.in_reading(read, centred=True) == read
    assert registry.in_reading(read, centred=False) == name


def test_every_reading_is_a_space_of_its_own(settings, centre):
    raw, read = space_id("mini", settings), space_id(CENTRED, settings)
    assert read == centre.space_id
    assert read.startswith(raw)
    assert read != raw


def test_both_readings_share_one_network_and_its_memory(bench):
    raw, read = bench.pool.reference("mini"), bench.pool.reference(CENTRED)
    assert isinstance(read, CentredReference)
    assert read.raw is raw
    assert bench.pool.loaded == ("mini",)
    assert bench.pool.unload(CENTRED)
    assert bench.pool.loaded == ()


def test_images_and_texts_are_read_less_their_means(bench, centre, chelsea):
    raw, read = bench.pool.reference("mini"), bench.pool.reference(CENTRED)
    image, batch = raw.embed_images([chelsea.image]), raw.preprocess(chelsea.image)[None]
    torch.testing.assert_close(read.embed_images([chelsea.image]), image - centre.image)
    torch.testing.assert_close(read.embed_batch(batch), raw.embed_batch(batch) - centre.image)
    assert torch.equal(read.preprocess(chelsea.image)[None], batch)
    texts = normalize(raw.embed_texts(["red", "a dog"]), dim=1)
    torch.testing.assert_close(read.embed_texts(["red", "a dog"]), texts - centre.text)
    assert read.note_on("red") == raw.note_on("red")


def test_the_bench_reads_translator_vocabulary_and_prompts_in_one_space(bench, centre):
    vocabulary, raw = bench.vocabulary(CENTRED), bench.vocabulary("mini")
    translator, own = bench.translator("lite0", CENTRED), bench.translator("lite0", "mini")
    assert vocabulary.space_id == translator.space_id == bench.pool.reference(CENTRED).space_id
    assert (vocabulary.labels, vocabulary.prompts) == (raw.labels, raw.prompts)
    torch.testing.assert_close(vocabulary.embeddings, centre.texts(raw.embeddings))
    torch.testing.assert_close(translator.bias, own.bias - centre.image)
    assert own.space_id == raw.space_id
    for prompt in (raw.prompts[3], "something new"):
        found = bench.text_embedding(CENTRED, prompt, vocabulary)
        expected = centre.texts(bench.text_embedding("mini", prompt, raw))
        torch.testing.assert_close(found, expected)
    assert bench.prompt_note(CENTRED, "something new", vocabulary) == ""


def test_one_translator_serves_both_readings_and_results_follow_the_centre(bench, settings):
    assert fitted_path(settings, "lite0", CENTRED) == fitted_path(settings, "lite0", "mini")
    assert bench.translator_path("lite0", CENTRED) == bench.translator_path("lite0", "mini")
    assert not bench.is_own("lite0", CENTRED)
    state = bench.translator_state("lite0", CENTRED)
    assert state != bench.translator_state("lite0", "mini")
    assert space_id(CENTRED, settings) in state
    assert [row.has_translator for row in survey(bench, CENTRED)] == [
        row.has_translator for row in survey(bench, "mini")
    ]


@pytest.mark.slow
def test_a_question_in_the_reading_holds_the_logits_and_the_bound(bench, chelsea):
    raw = analyse_image(bench, chelsea, Question("lite0", "a red dog", "remove"))
    read = analyse_image(bench, chelsea, Question("lite0", "a red dog", "remove", CENTRED))
    assert read.space_id != raw.space_id
    assert read.top5_before == raw.top5_before
    for score, angle in zip(
        read.sweep.attribute_score_deg, read.sweep.image_score_deg, strict=True
    ):
        assert abs(score) <= angle + 1e-9
    assert read.sweep.image_score_deg[-1] != raw.sweep.image_score_deg[-1]
    assert not read.shares_tower
    assert analyse_image(bench, chelsea, Question("lite2", "red", "remove", CENTRED)).shares_tower


def test_a_text_head_in_the_reading_says_what_centred_angles_say(bench, centre, chelsea):
    classes = ["red", "a dog", "a cup"]
    zero_shot = ZeroShotBench(bench, CENTRED, classes)
    logits = zero_shot.linear.logits(zero_shot.features("zero-shot", chelsea))
    raw = bench.pool.reference("mini")
    image = normalize(centre.images(raw.embed_images([chelsea.image])), dim=1)[0]
    texts = centre.texts(raw.embed_texts([f"an image of a {name}" for name in classes]))
    torch.testing.assert_close(logits, 100 * normalize(texts, dim=1) @ image, atol=1e-3, rtol=1e-4)
    assert zero_shot.translator("zero-shot", CENTRED).space_id == centre.space_id
    assert zero_shot.entry.licence == registry.find_reference("mini", bench.settings).licence


def test_without_a_centre_there_is_a_sentence_that_says_how_to_get_one(settings, tmp_path):
    with pytest.raises(WeightsUnavailableError, match=r"prepare --images FOLDER .*--embed"):
        find_centre("local-dir:/models/x", "local-0", settings)
    with pytest.raises(WeightsUnavailableError, match=r"sing_core\.making centres"):
        find_centre("mini", "mini-trained-anew", settings)
    assert readings_here("mini", settings) == ("mini", CENTRED)
    assert readings_here("ViT-B-32/laion2b_s34b_b79k", settings) == ("ViT-B-32/laion2b_s34b_b79k",)


def test_a_reference_is_centred_once(bench, settings):
    with pytest.raises(UnknownNameError, match="centred once"):
        space_id(f"centred:{CENTRED}", settings)
    with pytest.raises(UnknownNameError, match="No image-text reference is called"):
        space_id("centred:no such thing", settings)


def test_a_centre_of_this_machine_serves_a_space_that_the_shipped_one_does_not_fit(
    settings, centre
):
    own = replace(centre, raw_space_id="mini-trained-anew", image=centre.image + 1)
    own.save(own_centre_path(settings, "mini"))
    assert find_centre("mini", "mini-trained-anew", settings).space_id == own.space_id
    assert find_centre("mini", space_id("mini", settings), settings).space_id == centre.space_id


def test_a_centre_that_is_replaced_is_read_again_and_a_damaged_one_is_said(settings, centre):
    path = own_centre_path(settings, "local-dir:/models/x")
    for shift in (0.0, 1.0):
        Centre(centre.image + shift, centre.text, "local-0").save(path)
        found = find_centre("local-dir:/models/x", "local-0", settings)
        assert torch.equal(found.image, centre.image + shift)
    path.write_bytes(b"no centre")
    with pytest.raises(StaleArtefactError, match="cannot be read"):
        find_centre("local-dir:/models/x", "local-0", settings)
    assert shipped_centre_path(settings, CENTRED).is_file()


@pytest.mark.slow
def test_doctor_says_whether_the_reading_can_be_had(settings):
    rows = {row["check"]: row for row in examine(settings)}
    assert rows[f"reference {CENTRED}"]["ok"]
    assert rows[f"reference {CENTRED}"]["detail"] == space_id(CENTRED, settings)
