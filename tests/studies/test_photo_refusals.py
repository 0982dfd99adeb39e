"""What cannot be asked, and heads that hide nothing: sentences."""

import dataclasses
import math

import pytest
import torch

from sing_core.errors import (
    LogitDriftError,
    PromptError,
    SingError,
    TranslatorMismatchError,
    UnknownNameError,
    WeightsUnavailableError,
)
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.translator import Translator
from sing_core.settings import Settings
from sing_core.studies.photo import analyse_image, steer_image
from sing_core.studies.question import Question
from tests import toy

PROMPT = "an image of a jellyfish"


def with_head(classifier, **changed):
    linear = dataclasses.replace(classifier.linear, **changed)
    return dataclasses.replace(classifier, linear=linear)


def test_a_classifier_without_a_null_space_has_a_sentence_and_no_sweep(
    toy_bench, chelsea, monkeypatch
):
    real = toy_bench.classifier("lite0")
    full = HeadDecomposition(torch.eye(1280, dtype=torch.float64), torch.ones(1280), 0.0)
    whole = with_head(real, head=full)
    monkeypatch.setattr(toy_bench, "classifier", lambda model: whole)
    for mode in ("steer", "remove"):
        report = analyse_image(
            toy_bench, chelsea, Question(model="lite0", prompt=PROMPT, mode=mode)
        )
        assert report.sweep is None
        assert report.nullity == 0
        assert report.no_sweep_reason.startswith("EfficientNet-Lite0 has no null space")
        assert report.top5_before == report.top5_after
    with pytest.raises(SingError, match="null space"):
        steer_image(
            toy_bench, chelsea, Question(model="lite0", prompt=PROMPT, epsilon=1.0, target_deg=None)
        )


def test_a_pair_that_moves_the_logits_gets_no_score(toy_bench, chelsea, monkeypatch):
    real = toy_bench.classifier("lite0")
    own = real.linear.head
    shifted = HeadDecomposition(own.principal_basis[:, 1:], own.singular_values, 0.0)
    wrong = with_head(real, head=shifted)
    monkeypatch.setattr(toy_bench, "classifier", lambda model: wrong)
    with pytest.raises(LogitDriftError, match="The logits moved by"):
        analyse_image(toy_bench, chelsea, Question(model="lite0", prompt=PROMPT))


@pytest.mark.parametrize("epsilon", [math.nan, math.inf, -math.inf, 1e30])
def test_a_step_that_no_number_survives_is_an_error_in_words(toy_bench, chelsea, epsilon):
    with pytest.raises(SingError):
        steer_image(
            toy_bench,
            chelsea,
            Question(model="lite0", prompt=PROMPT, epsilon=epsilon, target_deg=None),
        )


def test_what_cannot_be_asked_is_refused_in_words(toy_bench, chelsea):
    def ask(**changed):
        return analyse_image(
            toy_bench, chelsea, Question(**{"model": "lite0", "prompt": PROMPT, **changed})
        )

    for changed in ({"mode": "fly"}, {"steps": 1}):
        with pytest.raises(SingError, match="at least two steps"):
            ask(**changed)
    for name in ("lite9", "../../etc/passwd", "x" * 5000):
        with pytest.raises(UnknownNameError, match="There are: lite0, lite1, lite2") as caught:
            ask(model=name)
        assert len(str(caught.value)) < 210
        with pytest.raises(UnknownNameError):
            ask(reference=name)
    with pytest.raises(PromptError):
        ask(prompt="  ")
    for both in ({"target_deg": None}, {"epsilon": 1.0, "target_deg": 3.0}):
        with pytest.raises(SingError, match="either a step or"):
            steer_image(toy_bench, chelsea, Question(model="lite0", prompt=PROMPT, **both))


def test_a_translator_of_other_weights_or_none_is_refused(
    toy_assets, toy_reference, chelsea, tmp_path
):
    folder = toy.make_assets(tmp_path / "assets")
    bench = toy.make_bench(Settings(assets_dir=folder))
    path = folder / "translators" / "lite0--mini.safetensors"
    own = Translator.load(path)
    dataclasses.replace(own, model_digest="0" * 64).save(path)
    with pytest.raises(TranslatorMismatchError, match="weights"):
        analyse_image(bench, chelsea, Question(model="lite0", prompt=PROMPT))
    path.unlink()
    with pytest.raises(WeightsUnavailableError, match=r"lite0--mini\.safetensors was looked for"):
        analyse_image(bench, chelsea, Question(model="lite0", prompt=PROMPT))
