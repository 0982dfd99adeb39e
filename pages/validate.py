"""Validate: is the null space null, and does the translator say what the reference would?"""

import streamlit as st

from pages._view import loaders, pickers, state
from pages._view.validate import heads, losses, panels, sources
from pages._view.validate.answer import answer
from sing_core.errors import SingError

state.enter("validate")
st.title("Can these numbers be trusted?", anchor=False)
st.caption(
    "Where the head’s rank is cut, what three kinds of steps of one length do to the logits, and "
    "how near a translated feature comes to the reference’s own embedding."
)
told = st.container()  # it is known last, and read first

# 1. Ask.
left, middle, right = st.columns([2, 2, 1])
with left:
    model = pickers.pick_model("validate")
    reference = pickers.pick_reference()
with middle:
    source = sources.pick_source()
with right:
    seed = sources.pick_seed()
state.write_url()

# 2. Compute: one call, one frozen result, one place where errors become words.
try:
    with st.spinner("Perturbing the features…"):
        found = sources.validation(model, reference, source, seed)
except SingError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()

# 3. Show.
told.markdown(answer(found, loaders.models()[model].title))
panels.show_facts(found)
left, right = st.columns(2, gap="large")
with left:
    panels.show_spectrum(found.spectrum)
    panels.show_thresholds(model)
with right:
    panels.show_perturbations(found.perturbations)
panels.show_translator(found)
try:
    panels.show_comparison()
except SingError as error:
    st.warning(str(error), icon=":material/warning:")
losses.offer()
heads.show()
panels.offer(found, source, seed)
