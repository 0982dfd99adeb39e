"""The stage: the player of a talk, fed by the server; what the audience asks is answered live."""

import streamlit as st

from pages._view import loaders
from pages._view.talk import live
from pages._view.talk.asked import link_of_scene
from sing_core.talk import bundle
from sing_core.talk.script import readiness

_HTML, _CSS, _SCRIPT = bundle.player_parts()
_PLAYER = st.components.v2.component("sing_player", html=_HTML, css=_CSS, js=_SCRIPT)
# Nothing of the page around the stage may be seen, and nothing may pop up over it.
_BARE = """<style>
html, body, .stApp { background: #0b0e12 !important; overflow: hidden !important; }
header, [data-testid=stStatusWidget], [data-testid=stToolbar], [data-testid=stDialog],
[data-testid=stConnectionStatus] { display: none !important; }
</style>"""


def is_asked() -> bool:
    """Whether the address asks for the stage, or for the speaker's window."""
    return "stage" in st.query_params


def show() -> None:
    """Draw the stage, or the speaker's window where the address says ``stage=notes``."""
    st.html(_BARE)
    found = readiness(loaders.settings())
    if not found.recordings:
        st.error("No scene of the talk is recorded yet: open Talk.", icon=":material/slideshow:")
        return
    view = "notes" if st.query_params["stage"] == "notes" else "stage"
    data = {
        "view": view,
        "live": True,
        "scene": st.query_params.get("scene", ""),
        "ready": found.sentence,
        "out": "./",
        "scenes": [one.payload | {"link": link_of_scene(one.scene)} for one in found.recordings],
    }
    _PLAYER(key=f"talk.{view}", data=data)
    if view == "stage":
        live.answer()
