"""Compare: which classifier hides meaning in its null space, beyond what its size explains?"""

import streamlit as st

from pages._view import state
from pages._view.tables import asks, compare, deciding, orders, pick_images, steering
from sing_core.errors import SingError

state.enter("compare")
st.title("Which classifier leaks?", anchor=False)
st.caption(
    "Taking away what its last layer cannot see moves an image nearer to its own class, or further "
    "from it: that much meaning leaks. All are asked of the same images; every class counts once."
)
answer = st.container()  # it is known last, and read first

# 1. Ask.
left, right = st.columns([1, 2])
with left:
    images = pick_images.pick_set("compare")
with right:
    models = compare.pick_models(images)
    stratum = pick_images.pick_stratum("compare", models[0], images)
    chosen = deciding.pick_deciding(models, images, stratum)
state.write_url()

# 2. Compute: what was never asked before, then one call per table.
try:
    with st.spinner("Comparing…"):
        deciding.score(models, images, chosen)
        rows = asks.model_rows(models, images, chosen.part)
        pairs = asks.pair_rows(models, images, chosen.part)
        classes = {model: asks.class_rows(model, images, chosen.part) for model in models}
except SingError as error:
    st.error(str(error), icon=":material/error:")
    st.stop()

# 3. Show.
with answer:
    compare.show_answer(rows, pairs)
deciding.show_note(chosen)
pick_images.show_images_note(models[0], images, chosen.part)
compare.show_verdicts(rows)
left, right = st.columns(2, gap="large")
with left:
    figure = compare.show_joint(classes, rows)
with right:
    compare.show_controls(rows)
compare.show_table(rows)
compare.show_ratios(rows)
compare.show_pairs(pairs)
orders.offer(models, images, chosen.part, chosen.options)
compare.offer(rows, figure, models, images, chosen)
steering.show_steering(models, images, chosen, classes[models[0]])
