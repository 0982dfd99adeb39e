"""Who wrote what is hidden over a whole set: the ledger beside that of one photo."""

from typing import Any

import streamlit as st

from pages._view import exports, loaders, state
from pages._view.tables import cells
from pages._view.tables.opened import kept
from pages._view.units import asks, found_asks
from pages._view.units.scene import Asked
from pages._view.words.phrases import in_words
from pages._view.words.units import UNIT_HELP
from sing_core.errors import SingError
from sing_core.files.digests import content_key
from sing_core.sets.chunks import SetFolder
from sing_core.sets.kinds import kinds_among, pooled
from sing_core.units import set_ledger

_COLUMNS: dict[str, Any] = {
    "unit": "unit",
    "null_share": st.column_config.TextColumn("of what is hidden [95 %]", width="medium"),
    "random_share": st.column_config.TextColumn("of random directions, as many"),
    "beyond": st.column_config.TextColumn("the first less the second [95 %]", width="medium"),
}
_SPANS = {
    "null_share": ("low", "high", "+.1%"), "beyond": ("beyond_low", "beyond_high", "+.1%"),
}  # fmt: skip
_HOW = (
    "Each image’s own shares add up to 100 %; this is their mean, every class alike. A unit that "
    "writes much of anything has a large share of random subspaces too: the last column is what it "
    "has beyond that."
)


def show(asked: Asked) -> None:
    """Draw the choice of a set whose photographs are here, and its ledger."""
    try:
        folders = found_asks.sets_here()
        folder = _pick_set(folders) if folders else None
        if folder is not None:
            _show(asked, folder, _pick_class())
    except SingError as error:
        st.error(str(error), icon=":material/error:")


def _pick_set(folders: dict[str, SetFolder]) -> SetFolder | None:
    st.subheader("Over many photographs", anchor=False)
    state.receive("over", "units.over", "", ["", *folders].__contains__, "photographs")
    if st.session_state["units.over"] not in folders:
        st.session_state["units.over"] = ""
    chosen = st.selectbox(
        "Ledger of a set", ["", *folders], format_func=lambda name: name or "none",
        key="units.over", persist_state="session", width=360, help=UNIT_HELP["over"],
    )  # fmt: skip
    state.publish("over", chosen or "", "")
    return folders.get(chosen or "")


def _pick_class() -> str:
    labels = loaders.class_labels()
    state.receive("of", "units.of", "", ["", *labels].__contains__, "a class")
    name = st.selectbox(
        "Class", ["", *labels], format_func=lambda label: label or "all images", key="units.of",
        persist_state="session", width=360,
    )  # fmt: skip
    state.publish("of", name or "", "")
    return name or ""


def _show(asked: Asked, folder: SetFolder, class_name: str) -> None:
    """Draw the ledger of a set that was shown to the network.

    Raises:
        SingError: the images cannot be read, or there is none of the class.
    """
    name = in_words(folder.facts.name, 64)
    if found_asks.still_to_do(asked, folder):
        st.info(
            f"The photographs of {name} were not shown to this network yet. The question “What "
            "does a head find?” has the button for it.",
            icon=":material/inventory_2:",
        )
        return
    with st.spinner("Adding up what every unit wrote…"):
        found, note = _ledger(asked, folder, class_name)
    st.markdown(f"**{found.sentence}** {note}")
    rows = found.as_rows()
    st.dataframe(
        cells.spoken_table(rows, spans=_SPANS, numbers={"random_share": "+.1%"}), hide_index=True,
        column_order=list(_COLUMNS), column_config=_COLUMNS, key="units.over_table",
    )  # fmt: skip
    st.caption(f"{_HOW} In the command, IMAGES stands for the set’s.")
    options = [("--images", "IMAGES"), ("--class", class_name), ("--top", str(len(rows) or 1))]
    command = " ".join([asked.command_of_set("ledger", options), *asked.variant.options])
    exports.offer_table("units.over", rows, command)


def _ledger(asked: Asked, folder: SetFolder, class_name: str) -> tuple[set_ledger.SetLedger, str]:
    """Return the ledger of a set, and in words what of the head decides.

    Raises:
        SingError: see ``set_ledger``.
    """
    inside = asks.inside_of(asked)
    recorded = found_asks.recorded(asked, folder, lambda progress: None).recorded

    def ask() -> tuple[set_ledger.SetLedger, str]:
        loaders.rest()
        sums, images, where = set_ledger.part_of_recorded(recorded, class_name)
        kinds = pooled(kinds_among(folder.facts, (row.name for row in images)))
        where += f" ({kinds})" if kinds else ""
        variant = inside.variant_for(set_ledger.mean_output(inside, sums), asked.variant)
        names = ", ".join(inside.labels[place] for place in variant.classes)
        note = variant.sentence + (f" They are {names}." if names else "")
        linear = inside.deciding(variant)
        return set_ledger.set_ledger(inside, sums, images, linear, where), note

    digests = [row.digest for row in recorded.images]
    state_now = asks.state_of(asked.model, asked.reference)
    key = content_key("set ledger", state_now, repr(asked.variant), class_name, *digests)
    found: tuple[set_ledger.SetLedger, str] = kept(key, ask)
    return found
