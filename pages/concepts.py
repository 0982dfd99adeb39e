"""Concepts: which words does a class move towards when its null part is taken away?"""

import streamlit as st

from pages._view import pickers, state
from pages._view.tables import asks, concept_choices, concepts, pick_images
from sing_core.errors import SingError
from sing_core.leakage import concepts_answer

state.enter("concepts")
st.title("Which concepts hide?", anchor=False)
st.caption(
    "Taking away what the last layer cannot see turns images towards some words and away from "
    "others. Here it is measured, and tested, for your own list of words."
)
state.say_in(st.container())  # what is wrong with a link stands above everything
answer = st.container()  # it is known last, and read first

# 1. Ask.
left, middle, right = st.columns(3)
with left:
    images = pick_images.pick_set("concepts")
with middle:
    model = pickers.pick_model()
    part = asks.Part(stratum=pick_images.pick_stratum("concepts", model, images))
try:
    rows = asks.class_rows(model, images, part)
except SingError as error:
    state.write_url()
    st.error(str(error), icon=":material/error:")
    st.stop()
with right:
    label = concepts.pick_class(rows)
asked = concepts.ask_concepts()

# 2. Compute: one call.
try:
    wanted = asked.parse()
    with st.spinner("Measuring every concept…"):
        bound = asked.bound_deg or None
        found, scale = asks.concept_rows(model, images, wanted, label, bound, part)
except SingError as error:
    state.write_url()
    st.error(str(error), icon=":material/error:")
    st.stop()

# 3. Show.
answer.markdown(concepts_answer.summary(found, whole=label is None))
for note in wanted.notes:
    st.warning(note, icon=":material/playlist_remove:")
concepts.show_notes(model, found, scale)
pick_images.show_images_note(
    model, images, part, None if label is None else concepts.kinds_of(found[0])
)
table, single = st.columns([3, 2], gap="large")
with single:
    chosen = concepts.pick_concept(found)
    of = "all classes" if label is None else next(row.label for row in rows if row.index == label)
    concepts.show_images(chosen, model, images, label, of, part)
    concept_choices.offer(chosen, asked, label, model, images, part)
with table:
    concepts.show_table(found)
    figure = concepts.show_figure(found, model, images, of)
concepts.offer(found, figure, asked, model, images, label, rows, part)
state.write_url()
