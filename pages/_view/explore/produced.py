"""The drawer that says how much of a step a network could produce, where no picture says it."""

import streamlit as st
import torch

from pages._view import loaders
from pages._view.explore.question import Asked
from pages._view.words.phrases import percent
from pages._view.words.pictures import FEASIBLE_STEP_NOTE, NEAREST_NOTE
from sing_core.errors import SingError
from sing_core.studies import strips
from sing_core.studies.photo import feasible_image_score
from sing_core.studies.subject import Subject

_NO_STEP = "The step is 0: move the slider, and what can be produced of it is said here."
_ANY_STEP = (
    "This network’s features have negative entries: it has no last ReLU that would rule a step "
    "out, and which of them it can produce is not known."
)


def show(asked: Asked, epsilon: float) -> None:
    """Solve for the furthest step of this length that a network can produce; say where it is."""
    if epsilon <= 0:
        st.caption(_NO_STEP)
        return
    try:
        with st.spinner("Looking for the furthest step that a network can produce…"):
            said = _said(asked, epsilon)
    except SingError as error:
        st.info(str(error), icon=":material/rule_settings:")
        return
    st.markdown(said)


def _said(asked: Asked, epsilon: float) -> str:
    subject = Subject.of(loaders.bench(), asked.photo, asked.question)
    if bool((subject.features < 0).any()):
        return _ANY_STEP
    strip = strips.at_steps(subject, [epsilon], feasible=True)
    lost = strip.infeasible_share or (0.0,)
    step = torch.tensor([epsilon], dtype=torch.float64)
    asked_for = subject.line.walk(subject.classifier.linear, step).features
    nearest = feasible_image_score(subject, asked_for)
    furthest = FEASIBLE_STEP_NOTE.format(
        cut=percent(lost[0]),
        is_=strip.image_score_deg[0],
        as_=strip.attribute_score_deg[0],
        drift=strip.max_logit_drift[0],
    )
    return furthest if nearest is None else f"{furthest} {NEAREST_NOTE.format(is_=nearest)}"
