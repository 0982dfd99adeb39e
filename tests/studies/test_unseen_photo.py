"""A photograph that a translator was fitted from is asked about through the fit without it."""

import dataclasses

import pytest
import torch

from sing_core.files.digests import sha256_of_bytes
from sing_core.maths.folds import FOLDS, Folds, fold_of
from sing_core.studies.question import Question
from sing_core.studies.subject import Subject
from sing_core.studies.validation import validate
from tests.toy import seeded

ASKED = Question("lite0", "an image of a jellyfish")


def with_stand_ins(translator, digests):
    shape = translator.weight.shape
    weights = [seeded(f"fold {fold}", *shape) / 30 for fold in range(FOLDS)]
    nothing = [torch.zeros(shape[0])] * FOLDS
    folds = Folds.of(weights, nothing, [torch.zeros(shape[1])] * FOLDS, digests)
    return dataclasses.replace(translator, folds=folds)


@pytest.fixture
def serve(toy_bench, monkeypatch):
    """Have the bench serve its translator with stand-ins for the images of these digests."""
    plain = toy_bench.translator("lite0", "mini")

    def call(*digests):
        found = with_stand_ins(plain, digests)
        monkeypatch.setattr(toy_bench, "translator", lambda model, reference: found)
        return found

    return call


@pytest.mark.slow
def test_a_photo_of_the_fit_is_scored_by_its_stand_in_and_a_new_one_by_the_whole(
    toy_bench, chelsea, serve
):
    whole = serve(sha256_of_bytes(b"another photograph"))
    assert Subject.of(toy_bench, chelsea, ASKED).translator is whole
    whole = serve(chelsea.digest)
    used = Subject.of(toy_bench, chelsea, ASKED).translator
    assert torch.equal(used.weight, whole.folds.fit(fold_of(chelsea.digest))[0])
    assert used.space_id == whole.space_id


@pytest.mark.slow
def test_validate_measures_a_photo_of_the_fit_by_its_stand_in(toy_bench, chelsea, serve):
    def cosine():
        (found,) = validate(toy_bench, [("cat", chelsea)], model="lite0").cosine
        return found

    serve(sha256_of_bytes(b"another photograph"))
    new = cosine()
    whole = serve(chelsea.digest)
    own = cosine()
    weight, bias = whole.folds.fit(fold_of(chelsea.digest))
    guess = toy_bench.features("lite0", chelsea) @ weight.mT + bias
    true = toy_bench.pool.reference("mini").embed_images([chelsea.image])[0]
    expected = torch.cosine_similarity(guess, true, dim=0)
    assert own == pytest.approx(float(expected), abs=1e-5)
    assert own != pytest.approx(new, abs=1e-3)
