"""The images of a set, a page of them at a time; one is chosen, and opened in Explore.

Where the photographs are on this machine they are shown as a grid. Where they are not, a table
names them, and what the set holds of one can be opened all the same: said before it is pressed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages._view import exports, state
from pages._view.gallery import Tile, gallery
from pages._view.tables import cells, originals
from pages._view.words.help import HELP
from pages._view.words.phrases import NOTHING, degrees, in_words
from sing_core.errors import SingError

Image = Mapping[str, Any]
PAGE = 24
_SCORE = "attribute_score_deg"
_SORTS: dict[str, tuple[str, Callable[[Image], float]]] = {
    "set": ("As the set lists them", lambda image: image["row"]),
    "towards": ("AS, towards first", lambda image: -image[_SCORE]),
    "away": ("AS, away first", lambda image: image[_SCORE]),
    "moved": ("IS, largest first", lambda image: -image["image_score_deg"]),
}
_COLUMNS = {
    "name": st.column_config.TextColumn("image"),
    "attribute_score_deg": st.column_config.NumberColumn("AS °"),
    "image_score_deg": st.column_config.NumberColumn("IS °", format="%.1f"),
    "feasible_image_score_deg": st.column_config.NumberColumn(
        "feasible", format="%.1f", help=HELP["feasible_removal"]
    ),
    "top1": st.column_config.TextColumn("decision", width="medium"),
    "directed_score_deg": None,
    "average_score_deg": None,
    "angle_before": None,
}
_AS_BUTTON = """<style>.st-key-{key} a {{
  border: 1px solid color-mix(in srgb, currentColor 40%, transparent); padding: 0.375rem 0.75rem;
}}</style>"""
_ELSEWHERE = (
    "The photographs of the set {images} are not on this machine: it holds their features and "
    "scores. An image opens in Explore by its stored feature, without its photo."
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Images to browse.

    Attributes:
        page: whose widgets these are.
        model: classifier that the scores are of; ``images`` the set.
        what: what they are images of.
        prompt: what Explore is asked about one of them.
    """

    page: str
    model: str
    images: str
    what: str
    prompt: str

    def key(self, name: str) -> str:
        """Return the key of a widget."""
        return f"{self.page}.{name}"


def show(shelf: Shelf, found: Sequence[Image]) -> None:
    """Draw the images, a page at a time, and the button that opens the chosen one."""
    try:
        here = originals.are_here(shelf.images)
    except SingError as error:
        st.error(str(error), icon=":material/error:")
        return
    if not here:
        st.caption(_ELSEWHERE.format(images=in_words(shelf.images, 64)))
    ordered = sorted(found, key=_SORTS[_pick_sort(shelf)][1])
    above = st.container()  # the button stands above what it opens
    chosen = _show_grid(shelf, ordered) if here else _show_table(shelf, ordered)
    with above:
        _offer(shelf, *chosen)


def _pick_sort(shelf: Shelf) -> str:
    key = shelf.key("sort")
    state.receive("sort", key, "set", _SORTS.__contains__, "an order of images")
    sort = st.selectbox(
        "Order of the images", list(_SORTS), format_func=lambda name: _SORTS[name][0], key=key,
        persist_state="session",
    )  # fmt: skip
    state.publish("sort", sort, "set")
    return sort


def _show_grid(shelf: Shelf, ordered: Sequence[Image]) -> tuple[Image, bool]:
    """Draw the photographs; return the chosen image and whether its photograph is there."""
    first = _pick_page(shelf, len(ordered))
    shown = ordered[first : first + PAGE]
    with st.spinner("Reading the photographs…"):
        copies = originals.small_copies(shelf.images, shown)
    tiles = [_tile(image, copies.get(image["row"], "")) for image in shown]
    key = shelf.key("image")
    rows = [image["row"] for image in shown]
    before: Any = st.session_state.get(key)
    row = gallery(
        tiles, before if before in rows else rows[0], name=f"Images of {shelf.what}",
        key=shelf.key("grid"),
    )  # fmt: skip
    st.session_state[key] = row
    if len(copies) < len(shown):
        st.caption(f"Of {len(shown) - len(copies)} of these the photograph is no longer there.")
    return shown[rows.index(row)], row in copies


def _tile(image: Image, src: str) -> Tile:
    said = f"AS {degrees(image[_SCORE])}"
    return Tile(image["row"], src, f"{image['name']}, seen as {image['top1']}", said, image["top1"])


def _pick_page(shelf: Shelf, total: int) -> int:
    """Draw the buttons of pages where one is too small; return the place of the first image."""
    key = shelf.key("first")
    of = shelf.key("first_of")
    if st.session_state.get(of) != (shelf.images, shelf.what):
        st.session_state[key] = 0
    st.session_state[of] = (shelf.images, shelf.what)
    last = (total - 1) // PAGE * PAGE
    first: int = min(st.session_state.get(key, 0), last)
    if not last:
        return 0

    def go(to: int) -> None:
        st.session_state[key] = to

    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Before", key=shelf.key("before"), icon=":material/chevron_left:",
            disabled=first == 0, on_click=go, args=(first - PAGE,),
        )  # fmt: skip
        st.button(
            "Next", key=shelf.key("next"), icon=":material/chevron_right:",
            disabled=first >= last, on_click=go, args=(first + PAGE,),
        )  # fmt: skip
        st.caption(f"{first + 1:,} to {min(first + PAGE, total):,} of {total:,}")
    return first


def _show_table(shelf: Shelf, ordered: Sequence[Image]) -> tuple[Image | None, bool]:
    """Draw the scores; return the image that is ticked."""
    file, names = rows_of_one_file([image["name"] for image in ordered])
    if file:
        st.caption(f"The images are rows of {in_words(file, 64)}.")
    rows = [
        {column: image[column] for column in _COLUMNS if column in image} | {"name": name}
        for image, name in zip(ordered, names, strict=True)
    ]
    event = st.dataframe(
        cells.spoken_table(rows, numbers={_SCORE: "+.3f"}),
        hide_index=True,
        key=shelf.key("images"),
        on_select="rerun",
        selection_mode="single-row",
        column_config=_COLUMNS,
        placeholder=NOTHING,
        height=exports.height_of(len(ordered)),
    )
    ticked = [ordered[place] for place in event.selection.rows if place < len(ordered)]
    return (ticked[0] if ticked else None), False


def rows_of_one_file(names: Sequence[str]) -> tuple[str, list[str]]:
    """Return the file that all ``names`` ("file#row") are rows of and "#row" of each.

    "" and the names as they are, where they are not rows of a single file.
    """
    parts = [name.rpartition("#") for name in names]
    files = {file for file, _, _ in parts}
    if len(files) != 1 or "" in files:
        return "", list(names)
    return files.pop(), [f"#{row}" for _, _, row in parts]


def _offer(shelf: Shelf, image: Image | None, here: bool) -> None:
    """Draw the link that opens the chosen image; it says what will be opened."""
    if image is None:
        st.caption("Tick an image to open its stored feature in Explore.")
        return
    file, _, row = str(image["name"]).rpartition("#")
    name = f"image {in_words(row, 12)}" if file else in_words(row, 60)
    label = f"Open {name if here else f'the stored feature of {name}'} in Explore"
    asked = originals.explore_link(shelf.model, shelf.images, image, shelf.prompt)
    with st.container(key=shelf.key("open")):
        st.html(_AS_BUTTON.format(key=shelf.key("open").replace(".", "-")))
        st.page_link(
            "pages/explore.py", label=label, icon=":material/tune:", query_params=asked,
            help=None if here else HELP["stored_feature"],
        )  # fmt: skip
