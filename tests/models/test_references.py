"""The open_clip adapter: identity of a space, raw embeddings, the order of rows."""

import json

import pytest
import torch
from safetensors.torch import save_file

from sing_core.errors import ReferenceMismatchError, UnknownNameError, WeightsUnavailableError
from sing_core.models.references import OPENAI_VIT_L14, Reference, load_reference, space_id
from sing_core.pictures.karlo.renderer import SPACE_ID
from sing_core.settings import Settings
from tests import toy
from tests.tiny_clip import EVA02, SIGLIP, small_tokeniser, tiny_clip


class Counting:
    """A text tower whose embedding of a prompt is its tokens, padded to length 6."""

    def __init__(self):
        self.batches = []

    def encode_text(self, tokens):
        self.batches.append(tuple(tokens.shape))
        return torch.nn.functional.pad(tokens, (0, 6 - tokens.shape[1])).float()


class Pooling(Counting):
    """The same, saying that it masks padding, as open_clip's Hugging Face towers do."""

    class text:
        pooler = object()


def tokens_of(prompts, context_length=None):
    rows = torch.zeros(len(prompts), 6, dtype=torch.long)
    for row, prompt in zip(rows, prompts, strict=True):
        row[: len(prompt)] = torch.tensor([ord(c) for c in prompt])
    return rows


@pytest.mark.parametrize("tower", [Counting, Pooling])
def test_rows_come_back_in_the_order_of_the_prompts(tower):
    model = tower()
    reference = Reference("r", "s", model, None, tokens_of, "cpu")
    prompts = ["abcdef"[: 1 + (i * 7) % 6] for i in range(150)]
    found = reference.embed_texts(prompts)
    assert torch.equal(found, tokens_of(prompts).float())
    assert not found.is_inference()
    assert sum(batch[0] for batch in model.batches) == 150
    assert max(batch[0] for batch in model.batches) <= 64
    # Only a tower that masks padding may be given fewer columns.
    assert (min(batch[1] for batch in model.batches) < 6) == (tower is Pooling)


def test_the_space_is_named_after_the_trained_head(tmp_path):
    settings = Settings(assets_dir=toy.make_assets(tmp_path / "assets"))
    first = space_id("mini", settings)
    assert first.startswith("mini-")
    head = settings.assets_dir / "mini" / "head.safetensors"
    head.write_bytes(head.read_bytes() + b"!")
    assert space_id("mini", settings) != first
    head.unlink()
    with pytest.raises(WeightsUnavailableError, match=r"head\.safetensors was looked for"):
        space_id("mini", settings)
    with pytest.raises(UnknownNameError, match="No image-text reference is called “clip”"):
        space_id("clip", settings)


@pytest.mark.slow
def test_mini_embeds_texts_and_photos_raw_and_alike_alone_or_together(chelsea, rocket):
    mini = load_reference("mini", Settings())
    prompts = ["a cat", "an image of a very long description of a space rocket", "red", "a dog"]
    together = mini.embed_texts(prompts)
    alone = torch.cat([mini.embed_texts([prompt]) for prompt in prompts])
    assert together.shape == (4, 512)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    untrimmed = mini.model.encode_text(mini.tokenise(prompts))
    torch.testing.assert_close(together, untrimmed, rtol=1e-4, atol=1e-5)
    images = mini.embed_images([chelsea.image, rocket.image])
    assert images.shape == (2, 512)
    assert images.dtype == torch.float32
    assert not bool(torch.isclose(torch.linalg.vector_norm(images, dim=-1), torch.ones(2)).all())
    texts = mini.embed_texts(["an image of a cat", "an image of a rocket"])
    assert torch.cosine_similarity(images[:, None], texts[None], dim=-1).argmax(1).tolist() == [
        0,
        1,
    ]


def test_an_open_clip_name_is_architecture_and_weights():
    settings = Settings()
    assert (
        space_id("ViT-B-32/laion2b_s34b_b79k", settings) == "open_clip-ViT-B-32-laion2b_s34b_b79k"
    )
    assert space_id(OPENAI_VIT_L14.name, settings) == SPACE_ID == OPENAI_VIT_L14.space_id
    assert space_id("hf-hub:somebody/a-model", settings) == "open_clip-hf-hub:somebody/a-model"
    for name in ("ViT-B-32", "ViT-X-99/openai", "../ViT-B-32/openai"):
        with pytest.raises(UnknownNameError, match="No image-text reference"):
            space_id(name, settings)
    with pytest.raises(UnknownNameError, match=r"no weights “nobody” for ViT-B-32; it has: openai"):
        space_id("ViT-B-32/nobody", settings)


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("ViT-L-14/openai", "ViT-L-14-quickgelu/openai"),
        ("ViT-B-32/openai", "ViT-B-32-quickgelu/openai"),
    ],
)
def test_weights_of_the_other_gelu_are_refused_before_anything_is_fetched(name, better):
    for ask in (space_id, load_reference):
        with pytest.raises(ReferenceMismatchError, match=f"trained with QuickGELU.*Use {better}"):
            ask(name, Settings())


def test_weights_that_cannot_be_fetched_are_a_sentence(monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsUnavailableError, match="network is switched off"):
        load_reference("ViT-B-32/laion2b_s34b_b79k", Settings())


@pytest.mark.slow
def test_a_local_folder_is_a_reference_through_the_same_adapter(tmp_path, chelsea):
    model = tiny_clip(tmp_path / "tiny", 0)
    name = f"local-dir:{tmp_path / 'tiny'}"
    found = load_reference(name, Settings(device="cpu"))
    first = found.space_id
    assert first == space_id(name, Settings())
    assert first.startswith("local-")
    assert str(tmp_path) not in first
    texts = found.embed_texts(["a dog", "a much longer prompt about a dog"])
    direct = model.encode_text(found.tokenise(["a dog", "a much longer prompt about a dog"]))
    torch.testing.assert_close(texts, direct.detach(), rtol=1e-4, atol=1e-5)
    images = found.embed_images([chelsea.image])
    assert images.shape == (1, 16)
    assert float((torch.linalg.vector_norm(images) - 1).abs()) > 1e-3
    tiny_clip(tmp_path / "tiny", 1)
    assert space_id(name, Settings()) != first


@pytest.mark.slow
@pytest.mark.parametrize("kind", [EVA02, SIGLIP], ids=["EVA02-CLIP", "SigLIP"])
def test_other_towers_fit_the_same_adapter(kind, tmp_path, chelsea):
    import open_clip

    preprocess = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic"}
    written = {"model_cfg": kind, "preprocess_cfg": preprocess}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(written))
    small_tokeniser(tmp_path)
    torch.manual_seed(0)
    own = {name: value for name, value in kind.items() if name != "custom_text"}
    model = open_clip.CustomTextCLIP(**own).eval()
    save_file(model.state_dict(), tmp_path / "open_clip_model.safetensors")
    found = load_reference(f"local-dir:{tmp_path}", Settings(device="cpu"))
    prompts = ["a red dog", "a cat", "a blue cat"]
    together = found.embed_texts(prompts)
    assert together.shape == (3, kind["embed_dim"])
    for prompt, row in zip(prompts, together, strict=True):
        torch.testing.assert_close(found.embed_texts([prompt])[0], row, rtol=1e-4, atol=1e-5)
    direct = model.encode_text(found.tokenise(prompts)).detach()
    torch.testing.assert_close(together, direct, rtol=1e-4, atol=1e-5)
    assert float((together[0] - together[1]).abs().max()) > 1e-3
    seen = found.embed_images([chelsea.image])
    picture = found.preprocess(chelsea.image)[None]
    torch.testing.assert_close(seen, model.encode_image(picture).detach(), rtol=1e-4, atol=1e-5)


def test_a_folder_that_is_no_reference_and_damaged_weights_are_sentences(tmp_path):
    with pytest.raises(WeightsUnavailableError, match="“nowhere” is not an open_clip model"):
        space_id(f"local-dir:{tmp_path / 'nowhere'}", Settings())
    tiny_clip(tmp_path / "tiny", 0)
    path = tmp_path / "tiny" / "open_clip_model.safetensors"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(WeightsUnavailableError, match="is damaged, cut short or no safetensors"):
        load_reference(f"local-dir:{tmp_path / 'tiny'}", Settings(device="cpu"))


@pytest.mark.slow
def test_weights_of_another_name_are_the_ones_that_run(tmp_path):
    """As open_clip's own training leaves them: ``epoch_3.pt``, in a state dict of a wrapper."""
    model = tiny_clip(tmp_path / "tiny", 0)
    usual = tmp_path / "tiny" / "open_clip_model.safetensors"
    name = f"local-dir:{tmp_path / 'tiny'}"
    before = load_reference(name, Settings(device="cpu"))
    usual.unlink()
    wrapped = {f"module.{key}": value for key, value in model.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": wrapped}, tmp_path / "tiny" / "epoch_3.pt")
    after = load_reference(name, Settings(device="cpu"))
    prompts = ["a dog", "a red cat"]
    torch.testing.assert_close(after.embed_texts(prompts), before.embed_texts(prompts))
    assert after.space_id != before.space_id, "another file is another identity"


def test_which_of_several_weights_files_is_meant_is_asked(tmp_path):
    tiny_clip(tmp_path / "tiny", 0)
    folder = tmp_path / "tiny"
    weights = folder / "open_clip_model.safetensors"
    (folder / "epoch_1.safetensors").write_bytes(weights.read_bytes())
    name = f"local-dir:{folder}"
    first = space_id(name, Settings())  # the usual name wins
    (folder / "epoch_1.safetensors").write_bytes(b"changed")
    assert space_id(name, Settings()) == first, "a file that is not loaded changes nothing"
    weights.rename(folder / "epoch_2.safetensors")
    for ask in (space_id, load_reference):
        with pytest.raises(WeightsUnavailableError, match=r"2 weights files.*which is meant"):
            ask(name, Settings(device="cpu"))


@pytest.mark.parametrize("missing", ["text_projection", "visual.conv1.weight"])
def test_weights_that_fill_the_network_in_part_are_refused(missing, tmp_path):
    model = tiny_clip(tmp_path / "tiny", 0)
    kept = {key: value for key, value in model.state_dict().items() if key != missing}
    save_file(kept, tmp_path / "tiny" / "open_clip_model.safetensors")
    with pytest.raises(WeightsUnavailableError, match="cannot be loaded"):
        load_reference(f"local-dir:{tmp_path / 'tiny'}", Settings(device="cpu"))


def test_a_file_that_is_no_checkpoint_is_a_sentence(tmp_path):
    tiny_clip(tmp_path / "tiny", 0)
    (tmp_path / "tiny" / "open_clip_model.safetensors").unlink()
    for payload in (b"", b"no weights", b"\x80\x02.", b"\x80\x02}.", b"\x80\x02]."):
        (tmp_path / "tiny" / "epoch_3.pt").write_bytes(payload)
        with pytest.raises(WeightsUnavailableError, match="cannot be loaded"):
            load_reference(f"local-dir:{tmp_path / 'tiny'}", Settings(device="cpu"))
