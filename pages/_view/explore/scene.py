"""Explore in one viewport: where its parts stand, each with its height before it is filled.

Heights that the browser is told with the element itself hold from the first paint; those of the
style sheet hold once the part of Streamlit that draws HTML is loaded, which is asked for first.
"""

from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

_HEAD = """<style>
.explore-head { display: flex; flex-wrap: wrap; gap: 0 1.5rem; align-items: baseline; }
.explore-head h1 { font-size: 1.5rem; line-height: 2rem; margin: 0; padding: 0; }
.explore-head p { margin: 0; font-size: 0.9375rem; }
.explore-head .to-slider:not(:focus) { position: absolute; clip-path: inset(50%); }
body:not(:has(.st-key-explore-scrubber)) .to-slider { display: none; }
.st-key-explore-scrubber, .st-key-explore_no_prompt { min-height: 43.5rem; }
@media (max-width: 640px) {
  .st-key-explore_head, :has(> .st-key-explore_head) { height: 5rem !important; }
  .explore-head h1 { font-size: 1.375rem; white-space: nowrap; }
  .st-key-explore_choices > [data-testid="stHorizontalBlock"] { gap: 0.75rem; }
  .st-key-explore_choices [data-testid="stColumn"] { min-width: 0; flex: 1 1 41%; }
  .st-key-explore_choices [data-testid="stColumn"]:nth-child(1) { flex: 1 1 46%; }
  .st-key-explore_choices [data-testid="stColumn"]:nth-child(3) { flex: 1 1 60%; }
  .st-key-explore_choices [data-testid="stColumn"]:nth-child(4) { flex: 1 1 25%; }
  .st-key-explore-photo_picker [data-has-shortcut] > :has([data-testid="stIconMaterial"]) {
    display: none;
  }
  .st-key-explore-photo_picker p { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .st-key-explore-scrubber, .st-key-explore_no_prompt { min-height: 50.25rem; }
}
</style>
<div class="explore-head">
  <a class="to-slider" href="#slider">Go to the slider</a>
  <h1>What can this classifier not see?</h1>
  <p>Move what its last layer ignores: the meaning drifts, its answer stands still.</p>
</div>"""
_HEAD_PX, _CHOICE_PX = 40, 68
_WIDTHS = (1.0, 1.0, 2.0, 0.55)
# A button has no label above it and stands on the line of the others' boxes.
_WHERE: tuple[Literal["top", "bottom"], ...] = ("bottom", "top", "top", "bottom")


def show_head() -> None:
    """Draw the question that the page answers, and how."""
    with st.container(height=_HEAD_PX, border=False, key="explore_head"):
        st.html(_HEAD)


def lay_out() -> tuple[list[DeltaGenerator], DeltaGenerator]:
    """Return the places of the choices, the last of which refines the others, and of the scene."""
    columns = st.container(key="explore_choices").columns(_WIDTHS)
    places = [
        # As high as a labelled choice from the start, before the browser knows what that is.
        column.container(height=_CHOICE_PX, border=False, vertical_alignment=where)
        for column, where in zip(columns, _WHERE, strict=True)
    ]
    return places, st.container(key="explore_scene")
