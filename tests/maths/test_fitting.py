"""Fitting from images: what is seen, how it is split, and what the file says."""

import dataclasses
import io

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from sing_core.errors import ShapeError, UnsupportedImageError
from sing_core.files.digests import digest_of_set, sha256_of_bytes
from sing_core.files.images import decode_image
from sing_core.maths.fitting import PairedRows, fit
from sing_core.maths.folds import fold_of
from sing_core.maths.nonlinear import NonlinearTranslator
from sing_core.maths.training import Recipe
from sing_core.maths.translator import Translator
from sing_core.sets.image_sets import open_image_set
from sing_core.sets.paired_rows import see


def rows_of(n=200, m=12, d=5, noise=0.01):
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.standard_normal((n, m))).float()
    matrix = torch.from_numpy(np.random.default_rng(9).standard_normal((m, d))).float()
    z = x @ matrix + 1 + noise * torch.from_numpy(rng.standard_normal((n, d))).float()
    digests = tuple(sha256_of_bytes(f"{i}".encode()) for i in range(n))
    return PairedRows(x, z, ("",) * n, digests, "weights", "space")


def test_the_split_is_by_content_whatever_the_order():
    rows = rows_of(100)
    parts = rows.split()
    assert [len(part) for part in parts] == [80, 10, 10]
    assert sorted(torch.cat(parts).tolist()) == list(range(100))
    order = torch.randperm(100)
    moved = PairedRows(
        rows.features[order], rows.embeddings[order], rows.labels,
        tuple(rows.digests[i] for i in order), "", "",
    )  # fmt: skip
    for part, other in zip(parts, moved.split(), strict=True):
        assert {rows.digests[i] for i in part} == {moved.digests[i] for i in other}


def test_a_copy_of_an_image_is_never_on_another_side():
    rows = rows_of(100)
    twice = PairedRows(
        rows.features.repeat(2, 1), rows.embeddings.repeat(2, 1), rows.labels * 2,
        rows.digests * 2, "", "",
    )  # fmt: skip
    sides = [{twice.digests[i] for i in part} for part in twice.split()]
    assert not sides[0] & sides[1]
    assert not (sides[0] | sides[1]) & sides[2]


def test_too_few_images_are_refused():
    with pytest.raises(ShapeError, match="at least 20 different images, these are 19"):
        rows_of(19).split()


def test_a_linear_map_is_found_again_and_the_file_says_what_it_is(tmp_path):
    rows = rows_of()
    found = fit(rows, model="lite0")
    assert found.cosine.estimate > 0.999
    assert found.r2 > 0.999
    assert found.n == (200, 200, 200)
    path = tmp_path / "t.safetensors"
    found.translator.save(path)
    with safe_open(path, "pt") as file:
        facts = file.metadata()
    assert facts["model"] == "lite0"
    assert (facts["model_digest"], facts["space_id"]) == ("weights", "space")
    assert facts["detail.data"] == digest_of_set(rows.digests)
    assert float(facts["detail.lambda"]) > 0
    assert (facts["detail.images"], facts["detail.folds"]) == ("200", "5")
    assert float(facts["detail.cosine"]) == found.cosine.estimate
    assert float(facts["detail.r2"]) == found.r2
    again = Translator.load(path)
    torch.testing.assert_close(again.apply(rows.features), found.translator.apply(rows.features))


def test_the_measures_of_a_linear_fit_are_of_images_that_their_translator_did_not_see():
    """Targets of no meaning: the fit finds its own rows again, and its file does not boast."""
    rng = torch.Generator().manual_seed(3)
    rows = rows_of(150, m=100)
    random = dataclasses.replace(rows, embeddings=torch.randn(150, 5, generator=rng))
    found = fit(random, model="lite0")
    assert abs(found.cosine.estimate) < 0.15
    assert found.r2 < 0.05
    x, y = random.features, random.embeddings.double()
    for fold in range(5):
        inside = torch.tensor([fold_of(digest) == fold for digest in random.digests])
        weight, bias = found.translator.folds.fit(fold)
        own = torch.cosine_similarity(x[inside] @ weight.mT + bias, y[inside].float(), dim=-1)
        assert abs(float(own.mean())) < 0.35


def test_lambdas_follow_the_scale_of_the_features():
    rows = rows_of(100, m=60, noise=10.0)
    scaled = dataclasses.replace(rows, features=100 * rows.features)
    small, large = (float(fit(r, model="m").translator.details["lambda"]) for r in (rows, scaled))
    assert large / small == pytest.approx(1e4, rel=1e-5)
    with pytest.raises(UnsupportedImageError, match="no difference"):
        fit(dataclasses.replace(rows, features=torch.ones_like(rows.features)), model="m")


def test_too_few_images_for_a_linear_fit_are_refused():
    with pytest.raises(ShapeError, match="at least 20 different images, these are 12"):
        fit(rows_of(12), model="m")


def test_a_network_can_be_fitted_instead(tmp_path):
    recipe = Recipe(learning_rate=3e-3, epochs=3, hidden=8, batch=32)
    found = fit(rows_of(), model="lite0", architecture="mlp3", loss="both", recipe=recipe)
    path = tmp_path / "t.safetensors"
    found.translator.save(path)
    again = NonlinearTranslator.load(path)
    assert (again.model, again.space_id, again.details["loss"]) == ("lite0", "space", "both")
    assert "lambda" not in again.details


def image(seed):
    payload = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(payload, "PNG")
    return payload.getvalue()


@pytest.mark.slow
def test_every_image_is_seen_by_both_networks(toy_bench, tmp_path):
    files = [image(seed) for seed in range(18)]
    for place, payload in enumerate(files):
        path = tmp_path / f"{'ab'[place // 9]}/{place:02d}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(payload)
    images = open_image_set(tmp_path)
    seen, problems = [], []
    rows = see(
        toy_bench, images, model="lite0", reference="mini", problems=problems,
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert (seen, problems) == ([(16, 18), (18, 18)], [])
    for place in (0, 17):
        photo = decode_image(files[place])
        own = toy_bench.features("lite0", photo)
        torch.testing.assert_close(rows.features[place], own, rtol=1e-4, atol=1e-4)
        space = toy_bench.pool.reference("mini")
        (expected,) = space.embed_batch(space.preprocess(photo.image)[None])
        torch.testing.assert_close(rows.embeddings[place], expected, rtol=1e-4, atol=1e-4)
        assert rows.digests[place] == photo.digest
    assert rows.labels == ("a",) * 9 + ("b",) * 9
    assert rows.model_digest == toy_bench.entry("lite0").weights_digest
    assert rows.space_id == toy_bench.pool.reference("mini").space_id
