"""SING Explorer: what can this classifier not see?"""

import streamlit as st

st.set_page_config(page_title="SING Explorer", page_icon=":material/visibility_off:", layout="wide")

# The default leaves a fifth of a laptop's screen empty above the first line.
st.html("<style>.stMainBlockContainer { padding-top: 4.5rem; }</style>")

page = st.navigation(
    [
        st.Page("pages/explore.py", title="Explore", icon=":material/tune:", default=True),
        st.Page("pages/method.py", title="Method", icon=":material/menu_book:"),
    ],
    position="top",
)
page.run()
