"""A number input and its query parameter: a link sets the input, the input writes the link."""

from dataclasses import dataclass

import streamlit as st

from pages._view import state


@dataclass(frozen=True, slots=True)
class LinkedNumber:
    """A number that a link carries.

    Call ``receive`` before the input of ``key`` is drawn and ``publish`` after it.

    Attributes:
        name: of the query parameter.
        key: of the number input.
        default: what a page shows that was asked for nothing; the link leaves it out.
        bounds: the least and the greatest number that a link may ask for.
        what: the number in words, for the sentence that answers a link that cannot be used.
        whole: whether only whole numbers will do.
    """

    name: str
    key: str
    default: float
    bounds: tuple[float, float]
    what: str
    whole: bool = False

    def receive(self) -> float:
        """Set the input where the link changed, or where it is drawn anew.

        Returns the number that counts as long as the input is empty.
        """
        before = st.session_state.get(self._text)
        first = self._written(self.default)
        state.receive(self.name, self._text, first, self._usable, self.what)
        linked: str = st.session_state[self._text]
        if linked != before or self.key not in st.session_state:
            st.session_state[self.key] = self._read(linked)
        state.reassert(self.key)
        return self._read(linked)

    def publish(self, value: float | None) -> float:
        """Note that ``write_url`` shall write ``value``; None, of an empty input, is the last one.

        Returns the number that counts.
        """
        text = st.session_state[self._text] if value is None else self._written(value)
        st.session_state[self._text] = text
        state.publish(self.name, text, self._written(self.default))
        return self._read(text)

    @property
    def _text(self) -> str:
        """Key of what the link says: it outlives the input, which another page takes away."""
        return f"{self.key}_text"

    def _usable(self, text: str) -> bool:
        usable = state.is_number(*self.bounds)(text)
        return usable and (not self.whole or float(text).is_integer())

    def _read(self, text: str) -> float:
        return int(float(text)) if self.whole else float(text)

    def _written(self, value: float) -> str:
        return f"{value:.10g}"
