"""The panels of the Library page: what to load, memory, classifiers."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

from pages._view import loaders
from pages._view.library import actions, getting
from pages._view.words.help import HELP
from pages._view.words.phrases import NOTHING, be, count, in_words, percent
from sing_core.files.hub_progress import watching
from sing_core.models import registry
from sing_core.models.device import torch_device
from sing_core.models.library import LibraryRow
from sing_core.studies.heads import HeadReport

STATES = {
    "ships": "ships with the app",
    "fetched": "on this machine",
    "missing": "not here",
    "typed": "typed by its name",
}
_MB = 2**20

NAME_HELP = (
    "Choose a classifier of the list, or type another: a timm name with its tag "
    "(resnet18.a1_in1k), a hub repository (hf-hub:owner/name), or a local file "
    "(architecture@/path/to/weights.safetensors; architecture:256@… for inputs of 256 pixels)."
)
_FIRST = (
    "Come here for another one: choose it below and press Load. To have Compare, Classes and "
    "Concepts measure your own photographs, prepare them as an image set at the bottom."
)
LOAD_HELP = "Fetches the weights if they are not here, and checks that W f + b is the logits."
NON_COMMERCIAL = (
    "**{title}** may not be used commercially: its weights are under {licence}. Check that your "
    "use is covered before you load them."
)
MISSING_NOTE = (
    "Not here: choose it above, and the page says how to get it. What ships needs no network."
)
TRANSLATOR_NOTE = (
    "Where there is no translator into {reference}, the null space can be measured, and Explore "
    "can score photos once a translator has been fitted."
)


def pick_name() -> str:
    """Draw the box for a classifier's name, open for typed ones where that is allowed."""
    entries = {entry.name: entry for entry in registry.catalogue(loaders.settings())}
    chosen: str | None = st.selectbox(
        "Classifier",
        list(entries),
        format_func=lambda name: entries[name].title if name in entries else name,
        accept_new_options=loaders.settings().typed_models,
        key="library.name",
        help=NAME_HELP,
    )
    name = chosen or next(iter(entries))
    entry = entries.get(name)
    if entry is not None and entry.non_commercial:
        text = NON_COMMERCIAL.format(title=entry.title, licence=entry.licence)
        st.warning(text, icon=":material/gavel:")
    if entry is not None and entry.note:
        st.info(f"**{entry.title}**: {entry.note}", icon=":material/info:")
    return name


def ready(rows: Sequence[LibraryRow]) -> str:
    """Say how many classifiers can be used as they are, and what there is to do on this page."""
    here = sum(row.state != "missing" and row.has_translator for row in rows)
    if not here:
        return f"**No classifier is ready on this machine yet.** {_FIRST}"
    are = f"{count(here, 'classifier')} {be(here)} ready"
    return f"**{are}: choose one on Explore; nothing has to be loaded first.** {_FIRST}"


def is_wanted(name: str, rows: Sequence[LibraryRow]) -> bool:
    """Whether Load is what to do next: of one that is here, every page loads it by itself."""
    return not any(row.entry.name == name and row.state in ("ships", "fetched") for row in rows)


def pick_action(load_help: str, ending: str = "", *, wanted: bool = False) -> tuple[bool, bool]:
    """Draw the two buttons, whose keys have an ``ending``; return whether to load and to unload.

    ``wanted``: loading is what to do next.
    """
    with st.container(horizontal=True):
        load = st.button(
            "Load", type="primary" if wanted else "secondary", icon=":material/download:",
            key=f"library.load{ending}", help=load_help,
        )  # fmt: skip
        unload = st.button(
            "Unload", icon=":material/eject:", key=f"library.unload{ending}",
            help="Frees its memory; its weights stay on the disk.",
        )  # fmt: skip
    return load, unload


def unload(name: str) -> None:
    """Let go of a classifier or a reference, and say so."""
    if actions.unload(name):
        st.success(f"{in_words(name, 120)} is unloaded.", icon=":material/eject:")
    else:
        st.info(f"Nothing called {in_words(name, 120)} was in memory.", icon=":material/eject:")


@contextmanager
def fetching() -> Iterator[None]:
    """Draw how much of a file has come while something is fetched."""
    place, context = st.empty(), get_script_run_ctx()

    def see(name: str, there: int, total: int) -> None:
        add_script_run_ctx(threading.current_thread(), context)
        of = f" of {total / _MB:,.0f}" if total else ""
        share = min(1.0, there / total) if total else 0.0
        place.progress(share, f"{name}: {there / _MB:,.0f}{of} MB")

    try:
        with watching(see):
            yield
    finally:
        place.empty()


def show_how(name: str) -> None:
    """Say how to get a classifier of the table that is not on this machine."""
    entry = registry.find_model(name, loaders.settings())
    if entry is not None and (how := getting.of_classifier(entry)):
        st.info(how, icon=":material/download:")


def show_head(head: HeadReport) -> None:
    """Draw what was found in the head of a classifier that was just loaded."""
    share = head.nullity / head.feature_dim
    st.success(
        f"{head.title} is loaded: {head.nullity} of its {head.feature_dim} feature directions "
        f"({percent(share)}) move none of its {head.classes} logits.",
        icon=":material/check:",
    )
    for note in loaders.bench().pool.backbone(head.model).notes:
        st.info(note, icon=":material/rule:")
    if head.nullity == 0:
        st.warning(head.sentence, icon=":material/visibility:")


def show_memory() -> None:
    """Draw how much of the memory budget is taken, and where the networks compute."""
    pool = loaders.bench().pool
    taken, budget = sum(item.memory_bytes for item in pool.contents()), pool.budget_bytes
    device = torch_device(loaders.settings())
    where = "on CUDA" if device == "cuda" else "on the CPU; a CUDA device would be used if present"
    st.progress(
        min(1.0, taken / budget),
        text=f"Loaded: {taken / _MB:,.0f} MB of {budget / _MB:,.0f} MB, {where}.",
    )
    if taken > budget:
        st.caption(
            "What was loaded last is larger than the budget by itself; everything else was let go."
        )


def show_classifiers(rows: tuple[LibraryRow, ...]) -> None:
    """Draw the table of classifiers."""
    st.header("Classifiers", anchor=False)
    st.dataframe(
        [_cells(row) for row in rows],
        hide_index=True,
        key="library.table",
        column_config=COLUMNS,
        placeholder=NOTHING,
    )
    if any(row.state == "missing" for row in rows):
        st.caption(MISSING_NOTE)
    for row in rows:
        if row.entry.note:
            st.caption(f"**{row.entry.title}**: {row.entry.note}")
    reference = in_words(loaders.reference_title(loaders.reference()), 120)
    st.caption(TRANSLATOR_NOTE.format(reference=reference))


# Where a column is None, it is there for whoever wants it: in the table's own menu.
COLUMNS = {
    "name": st.column_config.TextColumn(width=305),
    "licence": st.column_config.TextColumn(width=300),
    "features": st.column_config.NumberColumn(help=HELP["feature"]),
    "top-1 %": st.column_config.NumberColumn(
        format="%.1f", help="ImageNet-1k accuracy as published; nobody measured it here."
    ),
    "on disk MB": None,
    "in memory MB": st.column_config.NumberColumn("memory MB", format="%.0f"),
    "null space": st.column_config.NumberColumn(
        help="Dimensions that move no logit, out of the features; expected until it is loaded."
    ),
    "translator": st.column_config.TextColumn(
        help="Whether its features can be compared with words."
    ),
    "classes": None,
    "source": None,
}


def _cells(row: LibraryRow) -> dict[str, object]:
    entry = row.entry
    return {
        "classifier": entry.title,
        "name": entry.name,
        "state": STATES[row.state],
        "licence": f"{entry.licence}{' · non-commercial' if entry.non_commercial else ''}",
        "features": entry.feature_dim,
        "null space": entry.nullity,
        "classes": entry.classes,
        "top-1 %": entry.top1_percent,
        "on disk MB": mb(row.disk_bytes),
        "in memory MB": mb(row.memory_bytes),
        "translator": "yes" if row.has_translator else NOTHING,
        "source": entry.source,
    }


def mb(size: int | None) -> float | None:
    """Return ``size`` bytes in MB, for a table; None where there is none."""
    return None if size is None else size / _MB
