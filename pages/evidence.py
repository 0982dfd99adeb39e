"""Evidence: what would a sceptic ask of a null space, and what do the images of a set answer?"""

import streamlit as st

from pages._view import pickers, state
from pages._view.evidence import alarms, choices, pairs, places, planted, probe, translators
from pages._view.tables import pick_images
from sing_core.errors import SingError

ASKED = {
    "probe": "Is it in there at all?",
    "pairs": "Are there real equivalents?",
    "alarms": "Does it matter?",
    "choices": "Does it survive other choices?",
    "planted": "Does it find what was planted?",
    "translators": "Does the translator decide what is seen?",
}
PANELS = {
    "probe": probe, "pairs": pairs, "alarms": alarms, "choices": choices, "planted": planted,
    "translators": translators,
}  # fmt: skip
SAID = {
    "probe": "What a linear probe reads from the hidden part of a set’s features.",
    "pairs": "Whether two photographs of a set differ in nearly nothing but what is hidden.",
    "alarms": "Whether the hidden part of an image warns of anything that goes wrong with it.",
    "choices": "What is left of the other pages’ claims under other defensible choices.",
    "planted": "Whether a thing that was put into photographs is found in what is hidden.",
    "translators": "What translators of other architectures make of the same features.",
}

state.enter("evidence")
title = st.empty()  # the question that is chosen below
said = st.empty()
above = places.two()  # what is known last is read first

# 1. Ask.
left, middle, right = st.columns(3)
with left:
    images = pick_images.pick_set("evidence")
with middle:
    model = pickers.pick_model()
with right:
    state.receive("ask", "evidence.ask", "probe", ASKED.__contains__, "a question")
    asked = st.selectbox(
        "Question", list(ASKED), format_func=ASKED.__getitem__, key="evidence.ask",
        persist_state="session",
    )  # fmt: skip
    state.publish("ask", asked, "probe")
title.title(ASKED[asked], anchor=False)
said.caption(SAID[asked])
panel = PANELS[asked]
chosen = panel.choose(model, images)
state.write_url()

# 2. Compute and 3. show: one call, one place where errors become words.
is_new, below = places.take_turn((asked, model, images, chosen)), places.two()
answer, waiting = places.own(above), places.other(above)
if is_new:
    waiting.markdown(f"*{places.WAITING}*")
with places.own(below):
    try:
        panel.show(answer, model, images, chosen)
    except SingError as error:
        answer.error(str(error), icon=":material/error:")
waiting.empty()
