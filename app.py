"""SING Explorer: what can this classifier not see?"""

from pathlib import Path

import streamlit as st

from sing_core.errors import NoDeviceError

# A file of our own: Streamlit would fetch a Material icon for the tab from a server elsewhere.
ICON = Path(__file__).parent / "pages" / "_view" / "icon.svg"
st.set_page_config(page_title="SING Explorer", page_icon=ICON, layout="wide")

# The default leaves a fifth of a laptop's screen empty above the first line.
st.html("<style>.stMainBlockContainer { padding-top: 4.5rem; }</style>")

page = st.navigation(
    [
        st.Page("pages/explore.py", title="Explore", icon=":material/tune:", default=True),
        st.Page("pages/compare.py", title="Compare", icon=":material/balance:"),
        st.Page("pages/classes.py", title="Classes", icon=":material/category:"),
        st.Page("pages/concepts.py", title="Concepts", icon=":material/hub:"),
        st.Page("pages/validate.py", title="Validate", icon=":material/fact_check:"),
        st.Page("pages/library.py", title="Library", icon=":material/inventory_2:"),
        st.Page("pages/method.py", title="Method", icon=":material/menu_book:"),
    ],
    position="top",
)
try:
    page.run()
except NoDeviceError as error:  # no page can do anything then
    st.error(str(error), icon=":material/error:")
