"""The null space of the reference itself: its own words as head, the identity as translator."""

import io

import pytest
import torch
from PIL import Image

from sing_core.files.samples import SAMPLES, sample_bytes
from sing_core.maths.head_variants import HeadVariant


@pytest.fixture(scope="module")
def outputs(inside):
    """Embeddings of the sample photos."""
    photos = [Image.open(io.BytesIO(sample_bytes(sample.name))) for sample in SAMPLES]
    batch = torch.stack([inside.prepare(photo.convert("RGB")) for photo in photos])
    return inside.tower.output(batch)


@pytest.mark.slow
def test_no_answer_changes_without_the_null_part_but_how_sure_it_is_does(inside, outputs):
    head = inside.classifier.linear.head
    assert head.nullity > 0
    kept = head.remove_null(outputs)
    before, after = inside.logits(outputs), inside.logits(kept)
    assert bool((before.argmax(dim=-1) == after.argmax(dim=-1)).all()), "on every sample photo"
    factors = outputs.norm(dim=-1) / kept.norm(dim=-1)
    assert bool((factors > 1.0001).all())
    # Cosines of one image all grow by one factor.
    torch.testing.assert_close(after, before * factors[:, None], rtol=1e-3, atol=1e-3)
    surer = after.softmax(dim=-1).amax(dim=-1) > before.softmax(dim=-1).amax(dim=-1)
    assert bool(surer.all())


@pytest.mark.slow
def test_no_answer_among_the_classes_that_decide_changes_either(inside, outputs):
    for output in outputs:
        variant = inside.variant_for(output, HeadVariant())
        linear = inside.deciding(variant)
        chosen = list(variant.classes)
        kept = linear.head.remove_null(output)
        before, after = (inside.logits(one)[chosen] for one in (output, kept))
        assert int(before.argmax()) == int(after.argmax())
        assert chosen[int(before.argmax())] == int(inside.logits(output).argmax())


@pytest.mark.slow
def test_what_meaning_is_read_from_is_the_embedding_itself(inside, outputs):
    torch.testing.assert_close(inside.translator.apply(outputs), outputs.double())
