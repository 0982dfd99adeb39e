"""Reports where float32 rounding, not the null space, sets the end of the steps."""

import io
from dataclasses import replace

import pytest
import torch
from PIL import Image

from sing_core.errors import LogitDriftError, SingError
from sing_core.files.images import decode_image
from sing_core.studies.photo import analyse_image, steer_image
from sing_core.studies.question import Question

PROMPT = "an image of a jellyfish"


@pytest.mark.slow
def test_a_wanted_score_that_only_rounding_forbids_is_said_beside_the_steps_that_remain(
    toy_bench, chelsea
):
    ask = {"model": "lite0", "prompt": PROMPT}
    limit = steer_image(
        toy_bench, chelsea, Question(**ask, epsilon=1.0, target_deg=None)
    ).supremum_deg
    report = analyse_image(toy_bench, chelsea, Question(**ask, target_deg=limit - 1e-4))
    sweep, target = report.sweep, report.sweep.target
    assert (target.reachable, target.index) == (False, None)
    assert (
        "float32 rounding moves the logits by more than a hundred-thousandth of the largest"
        in target.sentence
    )
    assert f"the largest step shown is ε = {sweep.epsilon[-1]:.3g}" in target.sentence
    assert report.index == len(sweep.epsilon) - 1 > 40
    assert max(sweep.max_logit_drift) <= 1e-5 * report.max_abs_logit
    with pytest.raises(SingError, match=r"^IS = .*° needs too long a step\. At a step of ε = "):
        steer_image(toy_bench, chelsea, Question(**ask, target_deg=limit - 1e-4))


@pytest.mark.slow
def test_a_flat_grey_photo_has_a_sweep(toy_bench):
    payload = io.BytesIO()
    Image.new("RGB", (300, 300), (128, 128, 128)).save(payload, "PNG")
    grey = decode_image(payload.getvalue())
    report = analyse_image(toy_bench, grey, Question(model="lite0", prompt=PROMPT))
    assert len(report.sweep.epsilon) > 40
    assert max(report.sweep.max_logit_drift) <= 1e-5 * report.max_abs_logit


def test_a_photo_whose_steps_are_all_rounding_keeps_its_facts(toy_bench, chelsea, monkeypatch):
    real = toy_bench.classifier("lite0")
    unseen = 1e-3 * real.linear.head.null_part(toy_bench.features("lite0", chelsea)).float()
    silent = replace(real, linear=replace(real.linear, bias=torch.zeros(1000)))
    monkeypatch.setattr(toy_bench, "classifier", lambda model: silent)
    monkeypatch.setattr(toy_bench, "features", lambda model, photo: unseen)
    report = analyse_image(toy_bench, chelsea, Question(model="lite0", prompt=PROMPT))
    assert report.sweep is None
    assert "by float32 rounding alone" in report.no_sweep_reason
    assert report.nullity == 280
    with pytest.raises(LogitDriftError):  # a part of null removal is not null removal
        analyse_image(toy_bench, chelsea, Question(model="lite0", prompt=PROMPT, mode="remove"))
