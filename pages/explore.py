"""Explore: one photo, one classifier, one prompt: what moves while the logits stand still?"""

import streamlit as st

from pages._view import explorer, head_choice, loaders, renders, state, uploads, widgets
from sing_core.errors import SingError

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
        model = widgets.pick_model()
    with narrow:
        variant = head_choice.pick_variant(model)
    reference = widgets.pick_reference()
    mode = widgets.pick_mode()
    explorer.receive_step()
    renders.receive()
    try:
        labels = loaders.class_labels()
    except SingError as error:
        st.error(str(error), icon=":material/error:")
        state.write_url()
        st.stop()
    wide, narrow = st.columns([3, 1])
    with wide:
        prompt = widgets.pick_prompt(labels)
    with narrow:
        target_deg = widgets.pick_target()
if photo is None:
    state.write_url()
    st.info("Choose a sample or upload a photo to begin.", icon=":material/image:")
    with left:
        explorer.show_storage()
    st.stop()
with left:
    explorer.show_photo(photo)

# 2. Compute: one call, one frozen result, one place where errors become words.
question = explorer.Question(photo, model, reference, prompt, mode, target_deg, variant)
explorer.settle_step(question)
state.write_url()
report = None
try:
    with st.spinner("Measuring the photo…"):
        report = question.ask_something()
except SingError as error:
    st.error(str(error), icon=":material/error:")
with left:  # only now is it known whether everything could be kept
    explorer.show_storage()
if report is None:
    st.stop()

# 3. Show.
with right:
    explorer.show_facts(report)
if question.prompt_fault:
    st.error(question.prompt_fault, icon=":material/error:")
    st.stop()
if report.sweep is None:
    st.warning(report.no_sweep_reason, icon=":material/visibility:")
    explorer.show_decision(report)
    st.stop()
explorer.show_sweep(question)
