"""Library: which classifiers are there, which are on this machine, and what do they take?"""

import streamlit as st

from pages._view import library_views, loaders, prepare_panel, state
from sing_core.errors import SingError

state.enter("library")
st.title("Which classifiers are there?", anchor=False)
st.caption(
    "Those that ship, those of the paper, and any other: load one to see how much its last layer "
    "leaves out."
)

# 1. Ask.
name = library_views.pick_name()
wants_load, wants_unload = library_views.pick_action()

# 2. Compute: load and describe one head, or let one go.
head = None
try:
    if wants_unload:
        loaders.unload(name)
    if wants_load:
        waiting = f"Loading {name}; what is not here is fetched first…"
        with st.spinner(waiting), library_views.fetching():
            head = loaders.load(name)
except SingError as error:
    st.error(str(error), icon=":material/error:")

# 3. Show.
if head is not None:
    library_views.show_head(head)
library_views.show_memory()
library_views.show_classifiers(loaders.library())
library_views.show_references()
prepare_panel.show()
