"""Compare: which classifier hides meaning in its null space, beyond what its size explains?"""

import streamlit as st

from pages._view import compare_views, leakage, state, steering_views
from sing_core.errors import SingError

state.enter("compare")
st.title("Which classifier leaks?", anchor=False)
st.caption(
    "Null removal over the same images under several classifiers, beside the size of their null "
    "spaces and beside random subspaces of the same size. Every class counts once."
)

# 1. Ask.
left, right = st.columns([1, 2])
with left:
    images = leakage.pick_set("compare")
with right:
    models = compare_views.pick_models(images)
state.write_url()

# 2. Compute: one call per table.
try:
    with st.spinner("Comparing…"):
        rows = leakage.model_rows(models, images)
        pairs = leakage.pair_rows(models, images)
        classes = {model: leakage.class_rows(model, images) for model in models}
except SingError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()

# 3. Show.
compare_views.show_verdicts(rows)
left, right = st.columns(2, gap="large")
with left:
    figure = compare_views.show_joint(classes, rows)
with right:
    compare_views.show_controls(rows)
compare_views.show_table(rows)
compare_views.show_pairs(pairs)
compare_views.offer(rows, figure, models, images)
steering_views.show_steering(models, images)
