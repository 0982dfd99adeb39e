"""Where an answer stands: nothing of another question's is left while the new one is computed.

The browser keeps what stood in a place until something else stands there. So a new question is
answered in the other place of two, and the one that was used before is emptied at once.
"""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

Pair = tuple[DeltaGenerator, DeltaGenerator]
_SHOWN, _TURN = "evidence.shown", "evidence.turn"
WAITING = "The answer is being computed; it will stand here."


def two() -> Pair:
    """Return two places, both empty; what stood there is gone when a place is not filled again."""
    return st.empty(), st.empty()


def take_turn(question: tuple[object, ...]) -> bool:
    """Return whether ``question`` is another than the one before; if so, places change."""
    before = st.session_state.get(_SHOWN)
    st.session_state[_SHOWN] = question
    is_new = before != question
    st.session_state[_TURN] = (st.session_state.get(_TURN, 0) + is_new) % 2
    return is_new


def own(pair: Pair) -> DeltaGenerator:
    """Return the place of ``pair`` in which the answer stands."""
    return pair[st.session_state[_TURN]].container()


def other(pair: Pair) -> DeltaGenerator:
    """Return the place of ``pair`` in which nothing stands any longer."""
    return pair[1 - st.session_state[_TURN]]
