"""Karlo's pictures: equal to the stock pipeline's, equal for equal embeddings, stoppable."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from diffusers.pipelines.deprecated.unclip import UnCLIPImageVariationPipeline
from transformers import CLIPTextModelWithProjection, CLIPTokenizer

from sing_core.errors import (
    DeviceMemoryError,
    RenderCancelledError,
    RenderError,
    ShapeError,
    TranslatorMismatchError,
    ZeroVectorError,
)
from sing_core.pictures.karlo import renderer as karlo_module
from sing_core.pictures.karlo.prompt import EmptyPrompt
from sing_core.pictures.karlo.renderer import SPACE_ID, match_norm
from sing_core.pictures.karlo.sampler import enlarge
from sing_core.pictures.karlo.unclip import SharedNoise
from sing_core.pictures.protocol import Renderer, never_stop
from sing_core.pictures.watch import Watch
from tests import tiny_karlo

LARGE = tiny_karlo.LARGE_PX


def enlarged(renderer, draft, rows=None):
    """The large pictures before they are rounded to bytes, in [0, 1] as the stock pipeline's."""
    small = draft.pictures if rows is None else draft.pictures[rows]
    noise = SharedNoise(draft.request.seed, state=draft.noise_state)
    watch = Watch((0,), 1, None, never_stop, 0)
    steps = renderer.default_steps[1]
    pictures = enlarge(renderer.networks, small, steps=steps, noise=noise, watch=watch)
    return (pictures * 0.5 + 0.5).clamp(0, 1).permute(0, 2, 3, 1)


def stock_pipeline(folder, networks):
    """The deprecated pipeline on the same weights, put together by hand: its loader fails."""
    pipeline = UnCLIPImageVariationPipeline(
        decoder=networks.decoder,
        text_encoder=CLIPTextModelWithProjection.from_pretrained(folder / "text_encoder"),
        tokenizer=CLIPTokenizer.from_pretrained(folder / "tokenizer"),
        text_proj=networks.text_proj,
        feature_extractor=None,
        image_encoder=tiny_karlo.image_encoder(),
        super_res_first=networks.super_res_first,
        super_res_last=networks.super_res_last,
        decoder_scheduler=tiny_karlo.schedulers()[0],
        super_res_scheduler=tiny_karlo.schedulers()[1],
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="module")
def stock(built_karlo, networks):
    return stock_pipeline(built_karlo, networks)


@pytest.fixture(scope="module")
def stock_prompt(stock):
    """What the stock pipeline's text tower says of a batch of three empty prompts."""
    with torch.inference_mode():
        found = stock._encode_prompt([""] * 3, torch.device("cpu"), 1, False)
    return EmptyPrompt(*(part[:1].clone() for part in found))


@pytest.mark.slow
def test_the_empty_prompt_is_the_stock_pipelines(networks, stock_prompt):
    own = networks.empty_prompt
    torch.testing.assert_close(own.embedding, stock_prompt.embedding, rtol=0, atol=1e-6)
    torch.testing.assert_close(own.states, stock_prompt.states, rtol=0, atol=1e-6)
    assert torch.equal(own.mask, stock_prompt.mask)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("guidance", "steps"), [(8.0, (4, 3)), (1.0, (4, 3)), (3.5, (6, 2)), (8.0, (25, 7))]
)
def test_pictures_are_the_stock_pipelines_to_1e_5(karlo, stock, stock_prompt, ask, guidance, steps):
    rows, seed = tiny_karlo.embeddings(3), 11
    expected = stock(
        image_embeddings=rows,
        generator=[torch.Generator().manual_seed(seed) for _ in rows],
        decoder_num_inference_steps=steps[0],
        super_res_num_inference_steps=steps[1],
        decoder_guidance_scale=guidance,
        output_type="np",
    ).images
    # The same text embedding: a batch of three prompts differs from one by 2e-7, and a random
    # network at guidance 8 makes 2e-4 of that in 25 steps.
    own = replace(
        karlo,
        networks=replace(karlo.networks, empty_prompt=stock_prompt),
        guidance=guidance,
        default_steps=steps,
    )
    request = ask(rows, seed=seed, size=LARGE)
    found = enlarged(own, own.draft(request)).numpy()
    assert np.abs(found - expected).max() <= 1e-5
    frames = own.render(request).frames
    assert np.array_equal(frames, np.round(found * 255).astype(np.uint8))
    assert expected.std() > 0.1  # there is something to compare


@pytest.mark.slow
@pytest.mark.parametrize("size", [tiny_karlo.SMALL_PX, LARGE])
def test_equal_embeddings_in_one_batch_give_identical_pictures(karlo, ask, size):
    rows = tiny_karlo.embeddings(2)[[0, 1, 0, 0]]
    frames = karlo.render(ask(rows, size=size)).frames
    assert frames.shape == (4, size, size, 3)
    assert frames.dtype == np.uint8
    assert np.array_equal(frames[0], frames[2])
    assert np.array_equal(frames[0], frames[3])
    assert not np.array_equal(frames[0], frames[1])


@pytest.mark.slow
def test_a_picture_does_not_depend_on_its_neighbours(karlo, ask):
    rows = tiny_karlo.embeddings(5)
    together = karlo.draft(ask(rows, size=LARGE))
    for i in (0, 3):
        alone = karlo.draft(ask(rows[i : i + 1], size=LARGE))
        assert (alone.pictures[0] - together.pictures[i]).abs().max() <= 1e-4
        far = enlarged(karlo, alone)[0] - enlarged(karlo, together)[i]
        assert far.abs().max() <= 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("largest", [1, 2, 3])
def test_the_size_of_the_batches_does_not_show(karlo, ask, largest):
    request = ask(tiny_karlo.embeddings(5), size=LARGE)
    whole = karlo.draft(request).pictures
    told = []
    parts = replace(karlo, max_batch=largest)
    assert (parts.draft(request).pictures - whole).abs().max() <= 1e-4
    parts.render(request, on_progress=told.append)
    assert {len(at.rows) for at in told} <= set(range(1, largest + 1))
    assert {row for at in told for row in at.rows} == set(range(5))


@pytest.mark.slow
def test_seeds_guidance_steps_and_embeddings_change_the_pictures(karlo, ask):
    rows = tiny_karlo.embeddings(1)
    base = karlo.render(ask(rows)).frames
    assert np.array_equal(karlo.render(ask(rows)).frames, base)
    others = (
        karlo.render(ask(rows, seed=1)).frames,
        karlo.render(ask(rows, steps=(5,))).frames,
        karlo.render(ask(tiny_karlo.embeddings(1, seed=1))).frames,
        replace(karlo, guidance=3.0).render(ask(rows)).frames,
        replace(karlo, guidance=1.0).render(ask(rows)).frames,
    )
    for other in others:
        assert np.abs(base.astype(int) - other).max() > 2


@pytest.mark.slow
def test_enlarging_some_rows_of_a_draft_is_rendering_them(karlo, ask):
    rows = tiny_karlo.embeddings(4)
    draft = karlo.draft(ask(rows))
    assert draft.frames.shape == (4, tiny_karlo.SMALL_PX, tiny_karlo.SMALL_PX, 3)
    assert np.array_equal(draft.frames, karlo.render(ask(rows)).frames)
    found = karlo.finish(draft, rows=(2, 0))
    whole = karlo.render(ask(rows, size=LARGE))
    assert np.abs(found.frames.astype(int) - whole.frames[[2, 0]]).max() <= 1
    assert found.facts["size"] == whole.facts["size"] == LARGE
    for wrong in ((), (4,), (-1,)):
        with pytest.raises(RenderError, match="rows 0 to 3"):
            karlo.finish(draft, rows=wrong)


@pytest.mark.slow
def test_each_step_is_told_and_the_small_picture_comes_before_the_large_one(karlo, ask):
    told = []
    small = replace(karlo, preview_every=2).render(ask(size=LARGE), on_progress=told.append)
    assert [at.step for at in told] == list(range(1, 8))
    assert {at.steps for at in told} == {7}
    assert {at.rows for at in told} == {(0, 1, 2)}
    previews = {at.step: at.preview for at in told if at.preview is not None}
    assert set(previews) == {2, 4}
    assert previews[4].shape == (3, tiny_karlo.SMALL_PX, tiny_karlo.SMALL_PX, 3)
    assert np.array_equal(previews[4], karlo.draft(ask()).frames)
    assert small.frames.shape[1] == LARGE


@pytest.mark.slow
@pytest.mark.parametrize("after", [0, 2, 4, 6])
def test_a_rendering_stops_before_the_next_step(karlo, ask, after):
    told = []
    with pytest.raises(RenderCancelledError, match=f"after {after} of 7 steps"):
        karlo.render(
            ask(size=LARGE), on_progress=told.append, should_stop=lambda: len(told) >= after
        )
    assert len(told) == after


@pytest.mark.slow
def test_an_error_in_the_listener_is_not_swallowed(karlo, ask):
    def fail(at):
        raise KeyError(at.step)

    with pytest.raises(KeyError):
        karlo.render(ask(), on_progress=fail)


def test_embeddings_of_another_space_are_refused_whatever_their_width(karlo, ask):
    assert karlo.space_id == SPACE_ID
    with pytest.raises(TranslatorMismatchError, match=f"karlo draws .*“{SPACE_ID}”.*“mini-ab”"):
        karlo.render(ask(space_id="mini-ab"))


def test_what_karlo_cannot_draw_is_refused_in_words(karlo, ask):
    rows = tiny_karlo.embeddings(2)
    unit = torch.nn.functional.normalize(rows, dim=1)
    with pytest.raises(ShapeError, match="width 32, got 31"):
        karlo.render(ask(rows[:, 1:]))
    with pytest.raises(RenderError, match="16 or 32 px"):
        karlo.render(ask(size=64))
    with pytest.raises(RenderError, match="normalised"):
        karlo.render(ask(unit))
    with pytest.raises(RenderError, match="two stages"):
        karlo.render(ask(steps=(2, 2, 2)))
    told = []
    with pytest.raises(RenderError, match="between 2 and 1000"):
        karlo.render(ask(steps=(4, 1), size=LARGE), on_progress=told.append)
    assert told == []


def test_the_norm_is_that_of_the_original(karlo, ask):
    original, equivalents = tiny_karlo.embeddings(1)[0], tiny_karlo.embeddings(4, seed=1) * 7
    found = match_norm(equivalents, original)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found.norm(dim=1), original.double().norm().expand(4))
    cosine = torch.nn.functional.cosine_similarity(found, equivalents.double())
    torch.testing.assert_close(cosine, torch.ones(4, dtype=torch.float64))
    torch.testing.assert_close(match_norm(original, original), original.double())
    with pytest.raises(ShapeError):
        match_norm(equivalents[:, :3], original)
    for wrong in (torch.zeros(32), torch.full((32,), float("nan"))):
        with pytest.raises(ZeroVectorError):
            match_norm(wrong[None], original)
        with pytest.raises(ZeroVectorError):
            match_norm(equivalents, wrong)


@pytest.mark.slow
def test_short_memory_halves_the_batch_then_becomes_a_sentence(karlo, ask, monkeypatch):
    request, real, sizes = ask(tiny_karlo.embeddings(5)), karlo_module.decode, []
    expected = karlo.render(request).frames

    def short(limit):
        def decode(networks, embeddings, **rest):
            sizes.append(len(embeddings))
            if len(embeddings) > limit:
                raise torch.OutOfMemoryError("out of memory")
            return real(networks, embeddings, **rest)

        monkeypatch.setattr(karlo_module, "decode", decode)

    short(2)
    assert np.abs(karlo.render(request).frames.astype(int) - expected).max() <= 1
    assert sizes == [5, 3, 2, 2, 1]
    short(0)
    with pytest.raises(DeviceMemoryError, match="too little memory for one picture"):
        karlo.render(request)


def test_the_identity_covers_weights_and_recipe(karlo):
    own: Renderer = karlo
    assert own.sizes == (tiny_karlo.SMALL_PX, LARGE)
    assert own.rows_are_independent
    others = {
        karlo.identity,
        replace(karlo, guidance=4.0).identity,
        replace(karlo, default_steps=(5, 3)).identity,
        replace(karlo, networks=replace(karlo.networks, weights_id="other")).identity,
        replace(karlo, networks=replace(karlo.networks, dtype=torch.float16)).identity,
    }
    assert len(others) == 5
    assert replace(karlo, max_batch=1, preview_every=1).identity == karlo.identity


@pytest.mark.slow
def test_the_facts_say_what_made_the_picture(karlo, ask):
    small, large = (karlo.render(ask(seed=5, size=size)).facts for size in karlo.sizes)
    assert small["weights_id"] == karlo.networks.weights_id
    assert (small["decoder_steps"], small["super_res_steps"]) == (4, 0)
    assert (large["decoder_steps"], large["super_res_steps"]) == (4, 3)
    assert (large["seed"], large["guidance"], large["dtype"]) == (5, 8.0, "float32")
