"""Talk: which scenes are there, in which order, and are they ready for a stage?"""

import streamlit as st

from pages._view import state
from pages._view.talk import asked, panels, stage

asked.remember()
state.enter("talk")
if stage.is_asked():
    stage.show()
    st.stop()
st.title("What will you show?", anchor=False)
st.caption(
    "Scenes are questions with their pictures, recorded: a stage plays them without computing "
    "anything, and without network."
)

# 1. Ask.
panels.show_readiness()
panels.pick_order()

# 2. Show.
panels.show_saving()
panels.show_exports()
state.write_url()
