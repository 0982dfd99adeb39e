"""Scores of what ships, compared with those that a person has looked at.

After a change of weights, of preprocessing or of the maths:

    SING_REGENERATE_GOLDEN=1 .venv/bin/python -m pytest tests/golden

then review the difference of ``tests/golden/scores.json`` like code.
"""

import json
import os
from pathlib import Path

import pytest

from sing_core.files.images import decode_image
from sing_core.files.samples import sample_bytes
from sing_core.models.references import space_id
from sing_core.settings import Settings
from sing_core.studies.photo import analyse_image
from sing_core.studies.question import Question
from tests import toy

GOLDEN = Path(__file__).with_name("scores.json")
COMMAND = "SING_REGENERATE_GOLDEN=1 .venv/bin/python -m pytest tests/golden"
PROMPT = "an image of a jellyfish"
MODELS, PHOTOS, MODES = (
    ("lite0", "lite1", "lite2"),
    ("chelsea", "coffee", "rocket"),
    ("steer", "remove"),
)


def measured(bench, model, photo, mode):
    report = analyse_image(
        bench,
        decode_image(sample_bytes(photo)),
        Question(model=model, prompt=PROMPT, mode=mode, steps=5, marks_deg=()),
    )
    sweep, nearest = report.sweep, report.sweep.concepts[1:]
    return {
        "top1": report.top5_before[0].label,
        "null_energy": report.null_energy,
        "epsilon": list(sweep.epsilon),
        "image_score_deg": list(sweep.image_score_deg),
        "attribute_score_deg": list(sweep.attribute_score_deg),
        "nearest": min(nearest, key=lambda concept: concept.angle_deg[report.index]).label,
    }


@pytest.mark.slow
def test_the_scores_of_the_embedded_models_are_those_that_were_reviewed():
    settings = Settings()
    bench = toy.make_bench(settings)
    found = {
        f"{model} {photo} {mode}": measured(bench, model, photo, mode)
        for model in MODELS
        for photo in PHOTOS
        for mode in MODES
    }
    found = {"space_id": space_id("mini", settings), "prompt": PROMPT, "scores": found}
    if os.environ.get("SING_REGENERATE_GOLDEN"):
        GOLDEN.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")
    assert GOLDEN.is_file(), f"There are no golden scores yet: run {COMMAND}"
    golden = json.loads(GOLDEN.read_text("utf-8"))
    assert golden["space_id"] == found["space_id"], f"mini's head was trained anew: run {COMMAND}"
    assert golden["prompt"] == PROMPT
    assert golden["scores"].keys() == found["scores"].keys()
    for name, expected in golden["scores"].items():
        for field, value in expected.items():
            other = found["scores"][name][field]
            close = value if isinstance(value, str) else pytest.approx(value, rel=1e-4, abs=1e-3)
            assert other == close, f"{name}, {field}: review and run {COMMAND}"
