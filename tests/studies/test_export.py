"""Arrays for other tools: the rows that were asked for, in their order, with what they are of."""

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from sing_core.errors import PromptError, UnknownNameError, UnsupportedImageError
from sing_core.files.images import decode_image
from sing_core.studies.export import write_embeddings, write_export, write_features
from tests.toy import DIM, seeded


def facts(path):
    with safe_open(path, "pt") as file:
        return file.metadata()


@pytest.mark.slow
def test_features_are_those_that_the_scores_are_made_of(toy_bench, photos, tmp_path):
    out = tmp_path / "features.safetensors"
    row = write_features(toy_bench, [photos[1], photos[0], photos[1]], "lite0", out)
    found = load_file(out)
    own = [toy_bench.features("lite0", decode_image(p.read_bytes())) for p in photos]
    for place, expected in enumerate((own[1], own[0], own[1])):
        torch.testing.assert_close(found["features"][place], expected, rtol=1e-4, atol=1e-4)
    classifier = toy_bench.classifier("lite0")
    logits = found["features"] @ classifier.linear.weight.mT + classifier.linear.bias
    torch.testing.assert_close(found["logits"], logits, rtol=1e-4, atol=1e-4)
    assert facts(out) == {"model": "lite0"}
    assert row == {"out": str(out), "model": "lite0", "features": [3, 1280], "logits": [3, 1000]}


@pytest.mark.slow
def test_a_bad_file_among_good_ones_costs_no_older_result(toy_bench, photos, tmp_path):
    out, bad = tmp_path / "out.safetensors", tmp_path / "bad.jpg"
    bad.write_bytes(photos[0].read_bytes()[:2_000])
    out.write_bytes(b"the older result")
    for write, rest in ((write_features, ("lite0",)), (write_embeddings, (["a dog"], "mini"))):
        with pytest.raises(UnsupportedImageError):
            write(toy_bench, [photos[0], bad], *rest, out)
    with pytest.raises(PromptError):
        write_embeddings(toy_bench, [], ["a dog", " "], "mini", out)
    with pytest.raises(UnknownNameError):
        write_export(toy_bench, "lite9", "mini", out)
    assert out.read_bytes() == b"the older result"


def test_embeddings_are_of_the_images_and_then_of_the_texts(toy_bench, photos, tmp_path):
    out = tmp_path / "embeddings.safetensors"
    row = write_embeddings(toy_bench, photos, ["a  red\tdog", "blue"], "mini", out)
    images = toy_bench.pool.reference("mini").embed_images(
        [decode_image(path.read_bytes()).image for path in photos]
    )
    texts = torch.stack([seeded("a red dog", DIM), seeded("blue", DIM)])
    assert torch.equal(load_file(out)["embeddings"], torch.cat([images, texts]))
    assert facts(out) == {"space_id": toy_bench.pool.reference("mini").space_id}
    assert row["embeddings"] == [4, DIM]


def test_more_images_than_one_batch_keep_their_order(toy_bench, chelsea, tmp_path):
    paths = []
    for place in range(18):
        paths.append(tmp_path / f"{place}.png")
        chelsea.image.crop((place, 0, place + 40, 40)).save(paths[-1])
    out = tmp_path / "embeddings.safetensors"
    write_embeddings(toy_bench, paths, [], "mini", out)
    found = load_file(out)["embeddings"]
    for place in (0, 15, 16, 17):
        write_embeddings(toy_bench, [paths[place]], [], "mini", out)
        assert torch.equal(load_file(out)["embeddings"][0], found[place])


@pytest.mark.slow
def test_an_export_is_the_head_its_null_space_and_the_translator(toy_bench, tmp_path):
    out = tmp_path / "lite0.safetensors"
    write_export(toy_bench, "lite0", "mini", out)
    found = load_file(out)
    classifier, translator = toy_bench.classifier("lite0"), toy_bench.translator("lite0", "mini")
    assert torch.equal(found["head.weight"], classifier.linear.weight)
    assert torch.equal(found["head.bias"], classifier.linear.bias)
    assert torch.equal(found["translator.weight"], translator.weight)
    assert torch.equal(found["translator.bias"], translator.bias)
    assert found["null_basis"].dtype == torch.float64
    moved = found["head.weight"].double() @ found["null_basis"]
    assert float(moved.abs().max()) < 1e-6 * float(found["head.weight"].abs().max())
    assert facts(out) == {
        "model": "lite0",
        "model_digest": classifier.entry.weights_digest,
        "space_id": translator.space_id,
    }
