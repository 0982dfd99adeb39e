"""SING Explorer: what can this classifier not see?"""

from pathlib import Path

import streamlit as st
from pydantic import ValidationError

from pages._view import loaders, sent_files
from sing_core.errors import NoDeviceError
from sing_core.files.surroundings import is_of_machine, os_refusal
from sing_core.settings import refusal

VIEW = Path(__file__).parent / "pages" / "_view"
# A file of our own: Streamlit would fetch a Material icon for the tab from a server elsewhere.
st.set_page_config(page_title="SING Explorer", page_icon=VIEW / "icon.svg", layout="wide")

st.html(VIEW / "page.css")

# The stage of a talk has no menu, and opens at any page's address: the link is short.
ON_STAGE = "stage" in st.query_params
talk = st.Page("pages/talk.py", title="Talk", icon=":material/slideshow:", default=ON_STAGE)
page = st.navigation(
    [talk]
    if ON_STAGE
    else [
        st.Page("pages/explore.py", title="Explore", icon=":material/tune:", default=True),
        st.Page("pages/compare.py", title="Compare", icon=":material/balance:"),
        st.Page("pages/classes.py", title="Classes", icon=":material/category:"),
        st.Page("pages/concepts.py", title="Concepts", icon=":material/hub:"),
        st.Page("pages/units.py", title="Units", icon=":material/account_tree:"),
        st.Page("pages/evidence.py", title="Evidence", icon=":material/gavel:"),
        st.Page("pages/validate.py", title="Validate", icon=":material/fact_check:"),
        talk,
        st.Page("pages/library.py", title="Library", icon=":material/inventory_2:"),
        st.Page("pages/method.py", title="Method", icon=":material/menu_book:"),
    ],
    position="hidden" if ON_STAGE else "top",
)
try:
    sent_files.settle(loaders.settings())
    loaders.rest()
    page.run()
    loaders.warm_up()
except NoDeviceError as error:  # no page can do anything then
    st.error(str(error), icon=":material/error:")
except ValidationError as error:  # of the settings: nothing else is validated this way
    st.error(refusal(error), icon=":material/error:")
except OSError as error:
    if not is_of_machine(error):
        raise
    st.error(os_refusal(error), icon=":material/error:")
