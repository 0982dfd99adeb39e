"""Explore: one photo, one classifier, one prompt: what moves while the logits stand still?"""

import streamlit as st

from pages._view import loaders, pickers, state
from pages._view.explore import head_choice, panels, renders, uploads
from pages._view.explore.question import Asked
from pages._view.words.phrases import in_words
from sing_core.errors import SingError
from sing_core.studies.question import Question

state.enter("explore")
renders.rest()
st.title("What can this classifier not see?", anchor=False)
st.caption(
    "Move a photo’s feature where the classifier’s last layer cannot look: the meaning drifts, the "
    "logits stand still."
)

# 1. Ask.
left, right = st.columns([1, 2], gap="large")
with left:
    photo = uploads.pick_photo()
with right:
    wide, narrow = st.columns([3, 1], vertical_alignment="bottom")
    with wide:
        model = pickers.pick_model()
    with narrow:
        variant = head_choice.pick_variant(model)
    reference = pickers.pick_reference()
    mode = pickers.pick_mode()
    panels.receive_step()
    renders.receive()
    try:
        labels = loaders.class_labels()
    except SingError as error:
        st.error(str(error), icon=":material/error:")
        state.write_url()
        st.stop()
    wide, narrow = st.columns([3, 1])
    with wide:
        prompt = pickers.pick_prompt(labels)
    with narrow:
        target_deg = pickers.pick_target()
if photo is None:
    state.write_url()
    st.info("Choose a sample or upload a photo to begin.", icon=":material/image:")
    with left:
        panels.show_storage()
    st.stop()
with left:
    panels.show_photo(photo)

# 2. Compute: one call, one frozen result, one place where errors become words.
asked = Asked(
    photo, Question(model, prompt, mode, reference, target_deg=target_deg, variant=variant)
)
panels.settle_step(asked)
state.write_url()
report = None
try:
    with st.spinner("Measuring the photo…"):
        report = asked.ask_something()
except SingError as error:
    st.error(str(error), icon=":material/error:")
with left:  # only now is it known whether everything could be kept
    panels.show_storage()
if report is None:
    st.stop()

# 3. Show.
with right:
    panels.show_facts(report)
if asked.prompt_fault:
    st.error(asked.prompt_fault, icon=":material/error:")
    st.stop()
if report.prompt_note:
    st.warning(in_words(report.prompt_note, 400), icon=":material/content_cut:")
if report.sweep is None:
    st.warning(report.no_sweep_reason, icon=":material/visibility:")
    panels.show_decision(report)
    st.stop()
panels.show_sweep(asked)
