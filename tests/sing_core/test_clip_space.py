"""The open_clip adapter: identity of a space, raw embeddings, the order of rows."""

import pytest
import torch

from sing_core.clip_space import Reference, load_reference, space_id
from sing_core.errors import UnknownNameError, WeightsUnavailableError
from sing_core.settings import Settings
from tests import toy


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


def tokens_of(prompts):
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
    assert together.shape == (4, 384)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    untrimmed = mini.model.encode_text(mini.tokenise(prompts))
    torch.testing.assert_close(together, untrimmed, rtol=1e-4, atol=1e-5)
    images = mini.embed_images([chelsea.image, rocket.image])
    assert images.shape == (2, 384)
    assert images.dtype == torch.float32
    assert not bool(torch.isclose(torch.linalg.vector_norm(images, dim=-1), torch.ones(2)).all())
    texts = mini.embed_texts(["an image of a cat", "an image of a rocket"])
    assert torch.cosine_similarity(images[:, None], texts[None], dim=-1).argmax(1).tolist() == [
        0,
        1,
    ]
