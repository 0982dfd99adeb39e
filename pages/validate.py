"""Validate: is the null space null, and does the translator say what the reference would?"""

import streamlit as st

from pages._view import head_panel, state, validations, widgets
from sing_core.errors import SingError

state.enter("validate")
st.title("Can these numbers be trusted?", anchor=False)
st.caption(
    "Where the head’s rank is cut, what three kinds of steps of one length do to the logits, and "
    "how near a translated feature comes to the reference’s own embedding."
)

# 1. Ask.
left, middle, right = st.columns([2, 2, 1])
with left:
    model = widgets.pick_model("validate")
    reference = widgets.pick_reference()
with middle:
    source = validations.pick_source()
with right:
    seed = validations.pick_seed()
state.write_url()

# 2. Compute: one call, one frozen result, one place where errors become words.
try:
    with st.spinner("Perturbing the features…"):
        found = validations.validation(model, reference, source, seed)
except SingError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()

# 3. Show.
validations.show_facts(found)
left, right = st.columns(2, gap="large")
with left:
    validations.show_spectrum(found.spectrum)
    validations.show_thresholds(model)
with right:
    validations.show_perturbations(found.perturbations)
validations.show_translator(found)
try:
    validations.show_comparison()
except SingError as error:
    st.warning(str(error), icon=":material/warning:")
head_panel.show()
validations.offer(found, source, seed)
