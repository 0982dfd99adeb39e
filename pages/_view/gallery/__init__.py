"""A grid of small pictures of which one is chosen, by a click or by the arrow keys."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st

_FOLDER = Path(__file__).parent
_MOUNT = st.components.v2.component(
    "sing_gallery",
    html='<fieldset class="gallery"><legend class="unseen"></legend></fieldset>',
    css=(_FOLDER / "gallery.css").read_text(encoding="utf-8"),
    js=(_FOLDER / "gallery.mjs").read_text(encoding="utf-8"),
)


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of the grid; texts are shown as text, never as HTML.

    Attributes:
        row: which one it is.
        src: the picture as a ``data:`` URL; "" where it cannot be shown.
        alt: what it is, for who does not see it.
        line: what is said below it; ``more`` a second, quieter line.
    """

    row: int
    src: str
    alt: str
    line: str
    more: str = ""


def gallery(tiles: Sequence[Tile], chosen: int, *, name: str, key: str) -> int:
    """Draw ``tiles``, of which ``chosen`` is marked; return the row that was chosen last.

    ``name`` says what the pictures are of.
    """
    rows = [tile.row for tile in tiles]
    of = f"{name} {rows}"
    clicked = (st.session_state.get(key) or {}).get("chosen") or {}  # of the browser's last message
    if clicked.get("of") == of and clicked.get("row") in rows:
        chosen = clicked["row"]
    data = {"tiles": [asdict(tile) for tile in tiles], "chosen": chosen, "name": name, "of": of}
    _MOUNT(key=key, data=data, on_chosen_change=_rerun_only)
    return chosen


def _rerun_only() -> None:
    """Registers ``chosen`` as a state of the component; the rerun itself is the effect."""
