"""The Library's panel of image-text references: which there are, load one, let one go."""

import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from pages._view import loaders, pickers
from pages._view.library import actions, classifiers, getting
from pages._view.words.phrases import NOTHING, in_words
from sing_core.errors import SingError
from sing_core.models import registry
from sing_core.models.library import reference_is_here

_NAME_HELP = (
    "Choose a reference of the list, or type another: open_clip’s architecture and weights "
    "(ViT-B-16/datacomp_xl_s13b_b90k), a hub repository (hf-hub:owner/name), or a local folder "
    "(local-dir:/path/to/folder) with open_clip_config.json and its weights."
)
_LOAD_HELP = "Fetches the weights if they are not here, and embeds the vocabulary once."
_COLUMNS: dict[str, ColumnConfig | None] = {
    "name": st.column_config.TextColumn(),
    "licence": st.column_config.TextColumn(width=480),
}
_NEXT = (
    "{name} is loaded. Angles can be measured in it on all pages, for classifiers that have a "
    "translator into it: prepare a set of images below with the box ticked that fits one."
)
_CHOICE_NOTE = (
    "The reference in which sets are prepared below, and in which all pages measure. The reading "
    "changes nothing here; the other pages’ angles follow it."
)


def show() -> None:
    """Draw the references with their state, and the form that loads one or lets it go."""
    st.header("Image–text references", anchor=False)
    table = st.empty()
    known = {row.name: row for row in registry.all_references(loaders.settings())}
    chosen: str | None = st.selectbox(
        "Reference to load or unload",
        list(known),
        format_func=lambda name: known[name].title if name in known else name,
        accept_new_options=loaders.settings().typed_models,
        key="library.reference",
        help=_NAME_HELP,
    )
    name = chosen or next(iter(known))
    load, unload = classifiers.pick_action(_LOAD_HELP, "_reference")
    _act(name, load=load, unload=unload)
    how = getting.of_reference(known[name]) if name in known else ""
    if how:
        st.info(how, icon=":material/download:")
    table.dataframe(
        _rows(known), hide_index=True, key="library.references",
        column_config=classifiers.COLUMNS | _COLUMNS, placeholder=NOTHING,
    )  # fmt: skip
    pickers.pick_reference()
    st.caption(_CHOICE_NOTE)


def _act(name: str, *, load: bool, unload: bool) -> None:
    try:
        if unload:
            classifiers.unload(name)
        if load:
            waiting = f"Loading {in_words(name, 80)}; what is not here is fetched first…"
            with st.spinner(waiting), classifiers.fetching():
                actions.load_reference(name)
            st.success(_NEXT.format(name=in_words(name, 120)), icon=":material/check:")
    except SingError as error:
        st.error(in_words(str(error), 1000), icon=":material/error:")


def _rows(known: dict[str, registry.ReferenceEntry]) -> list[dict[str, object]]:
    loaded = {
        item.name: item.memory_bytes
        for item in loaders.bench().pool.contents()
        if item.kind == "reference"
    }
    rows: list[dict[str, object]] = [
        {
            "reference": row.title,
            "name": row.name,
            "state": classifiers.STATES[_state(row)],
            "licence": row.licence,
            "dimensions": row.dim,
            "in memory MB": classifiers.mb(loaded.get(row.name)),
            "source": row.source,
        }
        for row in known.values()
    ]
    typed = {name: size for name, size in loaded.items() if name not in known}
    return rows + [
        {
            "reference": name,
            "name": name,
            "state": classifiers.STATES["typed"],
            "licence": "as its owner states",
            "in memory MB": classifiers.mb(size),
            "source": "typed by its name",
        }
        for name, size in typed.items()
    ]


def _state(row: registry.ReferenceEntry) -> str:
    here = reference_is_here(row, loaders.settings())
    return ("ships" if row.ships else "fetched") if here else "missing"
