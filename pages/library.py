"""Library: which classifiers and references are there, which are here, and what do they take?"""

import streamlit as st

from pages._view import state
from pages._view.library import actions, classifiers, prepare, references
from pages._view.words.phrases import in_words
from sing_core.errors import SingError

state.enter("library")
st.title("Which classifiers are there?", anchor=False)
rows = actions.library()
st.markdown(classifiers.ready(rows))
st.caption(
    "Those that ship, those of the paper, and any other. Loading one says how much its last layer "
    "leaves out."
)

# 1. Ask.
name = classifiers.pick_name()
wants_load, wants_unload = classifiers.pick_action(
    classifiers.LOAD_HELP, wanted=classifiers.is_wanted(name, rows)
)

# 2. Compute: load and describe one head, or let one go.
head = None
try:
    if wants_unload:
        classifiers.unload(name)
    if wants_load:
        waiting = f"Loading {name}; what is not here is fetched first…"
        with st.spinner(waiting), classifiers.fetching():
            head = actions.load(name)
except SingError as error:
    st.error(in_words(str(error), 1000), icon=":material/error:")

# 3. Show.
classifiers.show_how(name)
if head is not None:
    classifiers.show_head(head)
memory = st.container()
table = st.container()
references.show()
with memory:  # only now is it known what was loaded
    classifiers.show_memory()
prepare.show()
with table:  # a translator may have been fitted meanwhile
    classifiers.show_classifiers(actions.library())
state.write_url()
