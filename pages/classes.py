"""Classes: which classes does a classifier keep something of in its null space?"""

import streamlit as st

from pages._view import pickers, state
from pages._view.tables import (
    asks,
    class_choices,
    classes,
    pick_images,
    steering,
)
from sing_core.errors import SingError
from sing_core.leakage import classes_answer
from sing_core.leakage.class_filter import NOTHING_LEFT, decided_first

state.enter("classes")
st.title("Which classes leak?", anchor=False)
st.caption(
    "For every image of a prepared set the null part of its feature is taken away; the table says, "
    "class by class, whether the meaning moved towards or away from the class itself."
)
state.say_in(st.container())  # what is wrong with a link stands above everything
answer = st.container()  # it is known last, and read first

# 1. Ask.
left, middle, right = st.columns(3)
with left:
    images = pick_images.pick_set("classes")
with middle:
    model = pickers.pick_model()
with right:
    versus = classes.pick_second_model(model)
part = asks.Part(stratum=pick_images.pick_stratum("classes", model, images))
only = classes.pick_filter()

# 2. Compute: one call per model.
try:
    with st.spinner("Reading the scores…"):
        rows = asks.class_rows(model, images, part)
        control = asks.name_control(model, images, part)
        second = asks.class_rows(versus, images, part) if versus else ()
except SingError as error:
    state.write_url()
    st.error(str(error), icon=":material/error:")
    st.stop()
shown = decided_first(only.kept(rows))

# 3. Show.
answer.markdown(classes_answer.summary(rows, control))
pick_images.show_images_note(model, images, part)
classes.show_notes(model)
if not shown:
    state.write_url()
    st.info(NOTHING_LEFT, icon=":material/search_off:")
    st.stop()
table, single = st.columns([8, 5], gap="large")
with single:
    chosen = classes.pick_class(shown)
    scores = classes.beside(chosen, shown, model, images, part)
    classes.show_class(chosen, scores[chosen.label], model, images)
    if chosen.contrast_p_adjusted is not None:
        class_choices.offer(chosen, model, images, part)
with table:
    classes.show_table(shown)
    other = classes.under(versus, scores, second, images, part) if versus else None
    figure = classes.show_violins(scores, other, (model, versus))
state.write_url()
if versus:
    classes.show_two_models((rows, second), (model, versus), images, part)
classes.offer(shown, figure, only, model, images, part)
steering.show_targets(chosen, model, images, part)
