"""Library: which classifiers and references are there, which are here, and what do they take?"""

import streamlit as st

from pages._view import library_views, prepare_panel, reference_panel, state, stock
from pages._view.wording import in_words
from sing_core.errors import SingError

state.enter("library")
st.title("Which classifiers are there?", anchor=False)
st.caption(
    "Those that ship, those of the paper, and any other: load one to see how much its last layer "
    "leaves out."
)

# 1. Ask.
name = library_views.pick_name()
wants_load, wants_unload = library_views.pick_action(library_views.LOAD_HELP)

# 2. Compute: load and describe one head, or let one go.
head = None
try:
    if wants_unload:
        library_views.unload(name)
    if wants_load:
        waiting = f"Loading {name}; what is not here is fetched first…"
        with st.spinner(waiting), library_views.fetching():
            head = stock.load(name)
except SingError as error:
    st.error(in_words(str(error), 1000), icon=":material/error:")

# 3. Show.
if head is not None:
    library_views.show_head(head)
memory = st.container()
table = st.container()
reference_panel.show()
with memory:  # only now is it known what was loaded
    library_views.show_memory()
prepare_panel.show()
with table:  # a translator may have been fitted meanwhile
    library_views.show_classifiers(stock.library())
state.write_url()
