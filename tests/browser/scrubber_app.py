"""Mounts the scrubber on a synthetic sweep, for the browser tests; ?case= picks an edge."""

import math
import re
from typing import Any

import streamlit as st

from pages._view.scrubber import scrubber
from sing_core.maths.linear_head import DRIFT_BUDGET
from sing_core.studies.question import MARKS_DEG

STEPS = 81
LARGEST = 12.3
MARKUP = "<img src=x onerror=alert(1)> <b>fox</b>"
LONG = "an image of a red fox that runs over a field of snow on a very cold morning in January"
PICTURE = (
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'>"
    "<rect width='1' height='1' fill='{colour}'/></svg>"
)
WORDS = re.split(
    r",\s+",
    """tabby cat, lynx, red fox, a grey-scale photograph, blurred, tiger cat, bright, Persian cat,
    close-up, a dark photograph, snow, window shade, remote control, far away, green, sofa,
    a very long concept that nobody could ever read in one narrow column without an ellipsis,
    Siamese cat, yellow, space heater, sharp, paper towel, quilt, wool, night, candle, blue,
    television, striped, plastic bag, carton, hamper, mouse, orange, red, noisy, desk, bow tie""",
)


def drifts(case: str, epsilon: list[float]) -> list[float]:
    """Rounding only; the cases about the budget start on it and leave it with the first step."""
    if case in ("drifting", "generous", "silent"):
        return [DRIFT_BUDGET * LARGEST * (1 + value) for value in epsilon]
    return [2e-7 * (1 + value / 8) for value in epsilon]


def synthetic_sweep(case: str, turn: int) -> dict[str, Any]:
    """Smooth curves in degrees that look like a steering sweep; ``turn`` gives another sweep."""
    steps = {"single": 1, "empty": 0}.get(case, STEPS)
    epsilon = [0.1 * step for step in range(steps)]
    reach = 22.0 if case == "unreachable" else 62.0 - 6.0 * turn
    bend = 2.8 if case == "steep" else 4.2  # the marks of small angles stand close together
    image = [reach * math.tanh(value / bend) for value in epsilon]
    for mark in MARKS_DEG:  # a real sweep has a step exactly there
        passed = next((step for step, score in enumerate(image) if score >= mark), None)
        if passed is not None:
            image[passed] = mark
    attribute = [0.72 * score * math.cos(score / 45.0) for score in image]
    prompt = {"html": MARKUP, "long": LONG}.get(case, "an image of a red fox")
    concepts = [{"label": prompt, "kind": "prompt", "angle_deg": [78 - s for s in attribute]}]
    for place, word in enumerate([] if case == "bare" else WORDS):
        start, pull = 66.0 + 0.55 * place, 9.0 * math.sin(1.7 * place + turn)
        angles = [
            start - pull * value / 8 - 0.1 * score
            for value, score in zip(epsilon, image, strict=True)
        ]
        kind = "attribute" if place % 3 == 0 else "class"
        concepts.append({"label": word, "kind": kind, "angle_deg": angles})
    if case == "nan":
        image = [math.nan if step % 2 else score for step, score in enumerate(image)]
        concepts[1]["angle_deg"] = [math.nan] * steps
    wanted = next((step for step, score in enumerate(image) if score >= 40.0), None)
    sentence = (
        f"The IS cannot reach 40° in the null space: it stays below {reach:.1f}°."
        if wanted is None
        else ""
    )
    return {
        "sweep_id": f"{case}-{turn}",
        "mode": "remove" if case == "frames" else "steer",
        "prompt": prompt,
        "epsilon": epsilon,
        "image_score_deg": image,
        "attribute_score_deg": attribute,
        "average_score_deg": [0.1 * score for score in image],
        "feature_norm": 15.5918,
        "max_logit_drift": drifts(case, epsilon),
        "max_abs_logit": LARGEST,
        "drift_budget": {"generous": 0.25, "silent": None}.get(case, DRIFT_BUDGET),
        "concepts": [] if case == "bare" else concepts,
        "index": min(20 + 10 * turn, max(0, steps - 1)),
        "target": {
            "image_score_deg": 40.0,
            "reachable": wanted is not None,
            "index": wanted,
            "sentence": sentence,
        },
        "before": {"label": "Egyptian cat", "probability": 0.71},
        "after": {"label": "tabby cat", "probability": 0.5, "index": 1},
        "photo": PICTURE.format(colour="teal"),
        "photo_note": "The first of 3 frames is used." if case == "frames" else "",
        "pictures": "drawing 44 %",
        "feasible_deg": 20.0 if case == "frames" else None,
        "prompt_rank": [40 - step // 3 for step in range(steps)],
        "concept_count": 1_268,
        "frames": [
            {"index": step, "src": PICTURE.format(colour=colour), "badge": badge}
            for step, colour, badge in (
                (0, "blue", ""),
                (40, "red", "not what was asked: 60°"),
                (80, "green", ""),
            )
            if case == "frames"
        ],
        "help": {
            "image_score": "Angle between the translated original and its equivalent (eq. 8).",
            "attribute_score": "How much nearer the equivalent is to the prompt (eq. 7).",
            "logit_drift": "Largest absolute difference of any logit.",
            "pictures": "What a feature means, drawn.",
            "epsilon": "Length of the step inside the null space, in units of the feature norm.",
        },
    }


st.set_page_config(layout="wide")
st.session_state.setdefault("turn", 0)
if st.button("Next sweep", key="next"):
    st.session_state["turn"] += 1
case_name = st.query_params.get("case", "plain")
released = scrubber(synthetic_sweep(case_name, st.session_state["turn"]), key="scrubber")
st.session_state["runs"] = st.session_state.get("runs", 0) + 1
st.text(f"server ε = {released}; runs = {st.session_state['runs']}")
