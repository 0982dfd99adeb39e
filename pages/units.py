"""Units: who inside a transformer wrote what its head cannot see, and where on the photo?"""

import streamlit as st

from pages._view import state
from pages._view.units import direction, found, front, where, words, wrote
from sing_core.errors import SingError

ASKED = {
    "wrote": "Who wrote what it cannot see?",
    "where": "Where is it?",
    "front": "What stands in front?",
    "found": "What does a head find?",
    "words": "What is hidden, in words?",
    "direction": "What is one hidden direction?",
}
PANELS = {
    "wrote": wrote, "where": where, "front": front, "found": found, "words": words,
    "direction": direction,
}  # fmt: skip

_A_SUM = (
    "A transformer’s output is a sum: the embedding, every attention head and every MLP add their "
    "part, token by token. Each part splits into what the last layer reads and what it cannot see."
)
_ANY = (
    "Any classifier can be asked: the features of a set’s images split into what the last layer "
    "reads and what it cannot see, and texts describe what varies there."
)

state.enter("units")
title = st.empty()  # the question that is chosen below
said = st.empty()
answer = st.container()  # it is known last, and read first

# 1. Ask.
state.receive("ask", "units.ask", "wrote", ASKED.__contains__, "a question")
asked = st.selectbox(
    "Question", list(ASKED), format_func=ASKED.__getitem__, key="units.ask",
    persist_state="session", width=360,
)  # fmt: skip
state.publish("ask", asked, "wrote")
title.title(ASKED[asked], anchor=False)
said.caption(_ANY if asked in ("words", "direction") else _A_SUM)
panel = PANELS[asked]

# 2. Compute and 3. show: one call, one place where errors become words.
try:
    chosen = panel.choose(answer)
    if chosen is not None:
        panel.show(answer, chosen)
except SingError as error:
    answer.error(str(error), icon=":material/error:")
state.write_url()
