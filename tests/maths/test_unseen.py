"""A stored translator says of any image whether it saw it, and which stand-in did not."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from sing_core.errors import ShapeError, StaleArtefactError
from sing_core.files.digests import sha256_of_bytes
from sing_core.maths.cross_fit import cross_fit, moments_by_fold
from sing_core.maths.folds import FOLDS, OUTSIDE, Folds, fold_of, folds_of
from sing_core.maths.ridge import Moments
from sing_core.maths.translator import Translator
from sing_core.maths.unseen import Unseen, unseen_by

M, D = 12, 5


def digests_of(count, start=0):
    return [sha256_of_bytes(str(place).encode()) for place in range(start, start + count)]


def rows(count, noise, seed=0, m=M, d=D):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(count, m, generator=generator, dtype=torch.float64) + 1
    matrix = torch.randn(m, d, generator=generator, dtype=torch.float64)
    y = x @ matrix + noise * torch.randn(count, d, generator=generator, dtype=torch.float64)
    return x, y


def fitted(count=200, noise=1.0, **sizes):
    x, y = rows(count, noise, **sizes)
    digests = digests_of(count)
    crossed = cross_fit(moments_by_fold(x, y, folds_of(digests)))
    return crossed, crossed.translator(digests), x, y, digests


def test_images_of_the_fit_have_the_fold_of_their_file_and_others_have_none():
    _, whole, *_ = fitted()
    digests = digests_of(300)
    places = whole.folds.place(digests)
    assert places[:200].tolist() == [fold_of(digest) for digest in digests[:200]]
    assert places[200:].tolist() == [OUTSIDE] * 100


def test_each_image_goes_through_the_fit_that_never_saw_it_and_strangers_through_the_whole():
    crossed, whole, x, _, digests = fitted()
    strangers = digests_of(30, start=500)
    order = torch.randperm(230, generator=torch.Generator().manual_seed(1))
    everyone = [(digests + strangers)[place] for place in order]
    features = torch.cat([x, torch.randn(30, M, dtype=torch.float64)])[order]
    z = Unseen.of(whole, everyone).apply(features)
    for row, place in enumerate(order.tolist()):
        if place < 200:
            exact = crossed.translators[fold_of(digests[place])].apply(features[row])
            torch.testing.assert_close(z[row], exact, rtol=0.02, atol=0.05)
            single = unseen_by(whole, everyone[row]).apply(features[row])
            torch.testing.assert_close(z[row], single)
        else:
            torch.testing.assert_close(z[row], whole.apply(features[row]))


@given(seed=st.integers(0, 99), m=st.integers(4, 40), spread=st.floats(1e-3, 1e3))
@settings(max_examples=30)
def test_rounding_keeps_the_mean_feature_in_place_and_turns_little(seed, m, spread):
    generator = torch.Generator().manual_seed(seed)
    weights = spread * torch.randn(FOLDS, D, m, generator=generator, dtype=torch.float64)
    biases = torch.randn(FOLDS, D, generator=generator, dtype=torch.float64)
    means = torch.randn(FOLDS, m, generator=generator, dtype=torch.float64)
    folds = Folds.of(list(weights), list(biases), list(means), digests_of(9))
    for fold in range(FOLDS):
        weight, bias = (part.double() for part in folds.fit(fold))
        step = weights[fold].abs().amax(dim=1, keepdim=True) / 127
        assert bool(((weight - weights[fold]).abs() <= 0.501 * step).all())
        exact = weights[fold] @ means[fold] + biases[fold]
        scale = float(weights[fold].abs().max()) * m
        torch.testing.assert_close(weight @ means[fold] + bias, exact, rtol=1e-5, atol=1e-6 * scale)


def test_what_was_in_the_fit_of_a_fold_does_not_reach_its_stand_in():
    _, whole, x, y, digests = fitted()
    changed = y.clone()
    inside = folds_of(digests) == 2
    changed[inside] = 50 * torch.randn(int(inside.sum()), D, dtype=torch.float64)
    again = cross_fit(moments_by_fold(x, changed, folds_of(digests))).translator(digests)
    same = again.folds.fit(2)[0], whole.folds.fit(2)[0]
    torch.testing.assert_close(*same, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(again.weight, whole.weight)


def test_without_over_fit_what_saw_the_images_and_what_did_not_agree():
    _, whole, x, _, digests = fitted(20_000, 0.3)
    inside, outside = whole.apply(x), Unseen.of(whole, digests).apply(x)
    assert float(torch.cosine_similarity(inside, outside, dim=-1).min()) > 0.999


def test_with_over_fit_what_did_not_see_them_does_as_well_as_on_new_images():
    """Half as many features as images, and noise: the whole fit praises itself."""
    x, y = rows(5_300, 12.0, m=150)
    digests = digests_of(300)
    moments = moments_by_fold(x[:300], y[:300], folds_of(digests))
    whole = cross_fit(moments).translator(digests)

    def cosine(guess, true):
        return float(torch.cosine_similarity(guess, true, dim=-1).mean())

    seen = cosine(whole.apply(x[:300]), y[:300])
    unseen = cosine(Unseen.of(whole, digests).apply(x[:300]), y[:300])
    fresh = cosine(whole.apply(x[300:]), y[300:])
    assert seen > fresh + 0.1
    assert unseen == pytest.approx(fresh, abs=0.06)


def test_an_empty_fold_is_no_obstacle():
    x, y = rows(60, 1.0)
    folds = torch.arange(60) % 4
    crossed = cross_fit(moments_by_fold(x, y, folds))
    assert crossed.translators[4] is crossed.whole
    assert len(crossed.translators) == len(crossed.means) == FOLDS
    with pytest.raises(ShapeError, match="at least three folds"):
        cross_fit([Moments.of(x, y), None, Moments.of(x, y), None, None])


def test_a_file_holds_the_stand_ins_to_the_last_bit_and_old_files_have_none(tmp_path):
    _, whole, x, _, digests = fitted()
    whole = dataclasses.replace(whole, model="m", space_id="s")
    whole.save(tmp_path / "t")
    found = Translator.load(tmp_path / "t")
    unseen = [Unseen.of(one, digests).apply(x) for one in (found, whole)]
    assert torch.equal(*unseen)
    assert found.digests == whole.digests
    bare = dataclasses.replace(whole, folds=None)
    assert bare.digests != whole.digests
    bare.save(tmp_path / "old")
    assert Translator.load(tmp_path / "old").folds is None
    assert torch.equal(Unseen.of(bare, digests).apply(x), bare.apply(x))


def test_a_file_whose_stand_ins_were_changed_or_lost_is_refused(tmp_path):
    _, whole, *_ = fitted()
    path = tmp_path / "t"
    whole.save(path)
    with safe_open(path, "pt") as file:
        facts = file.metadata()
    tensors = load_file(path)
    save_file(tensors | {"folds.biases": tensors["folds.biases"] + 1}, path, facts)
    with pytest.raises(StaleArtefactError, match="not those that were saved"):
        Translator.load(path)
    del tensors["folds.images"]
    save_file(tensors, path, facts)
    with pytest.raises(StaleArtefactError, match="lacks a tensor"):
        Translator.load(path)


def test_what_does_not_fit_together_is_refused():
    _, whole, x, _, digests = fitted()
    with pytest.raises(ShapeError, match="as many features"):
        Unseen.of(whole, digests[:3]).apply(x)
    with pytest.raises(ShapeError, match="same widths"):
        dataclasses.replace(whole, weight=torch.randn(D, M + 1))
    with pytest.raises(ShapeError, match="without a fold"):
        dataclasses.replace(whole.folds, scales=torch.ones(FOLDS, D + 1))
