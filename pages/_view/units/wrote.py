"""Who wrote it? The ledger of a photo: a map of all units, and one of them more closely."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._view import exports, state
from pages._view.tables import cells
from pages._view.units import asks, one_unit, over_set, pictures, scene
from pages._view.units.figures import unit_cells, unit_map
from pages._view.units.scene import Asked
from pages._view.words.phrases import in_words, number, size
from pages._view.words.units import UNIT_HELP
from sing_core.units.ledger import Ledger
from sing_core.units.places import place_of


class _Colour(NamedTuple):
    title: str
    form: str
    signed: bool


_COLOURS = {
    "null_share": _Colour("share of what is hidden", ".1%", signed=True),
    "score": _Colour("score along the prompt", ".3f", signed=True),
    "norm": _Colour("length of what it writes", ".2f", signed=False),
}
_HOW = (
    "The output is the sum of what the embedding, all heads and all MLPs write, after the last "
    "LayerNorm has been shared out among them. The share of what is hidden is the part of each "
    "unit along the null part, over its square length: shares add up to 1, and a unit that writes "
    "against the others has less than 0. The score is its share of the cosine to the prompt. AS "
    "and IS are those of leaving its hidden part out: no logit that decides moves."
)
_COLUMNS: dict[str, Any] = {
    "unit": "unit",
    "null_share": st.column_config.TextColumn("of what is hidden"),
    "null_fraction": st.column_config.TextColumn("of it hidden"),
    "score": st.column_config.TextColumn("score"),
    "norm": st.column_config.TextColumn("length"),
    "attribute_score_deg": st.column_config.TextColumn("AS °"),
    "image_score_deg": st.column_config.TextColumn("IS °"),
}
_NUMBERS = {
    "null_share": "+.1%", "null_fraction": ".1%", "score": "+.4f", "norm": ".3f",
    "attribute_score_deg": "+.3f", "image_score_deg": ".3f",
}  # fmt: skip

choose = scene.pick_deciding


def show(answer: DeltaGenerator, asked: Asked) -> None:
    """Compute and draw the ledger of a photo.

    Raises:
        SingError: see ``asks.ledger_of``.
    """
    with st.spinner("Taking the photo apart…"):
        found = asks.ledger_of(asked)
        note = asks.deciding(asked)[1]
    answer.markdown(f"**{found.sentence}**")
    answer.markdown(
        f"Scores are along “{in_words(found.prompt, 300)}”. All units together miss the network’s "
        f"own output by {size(found.residual, 1)} of it. {note}"
    )
    tower = asks.inside_of(asked).tower
    shape = (len(tower.layers), tower.heads)
    left, right = st.columns((1.0, 1.5))
    with left:
        unit = _pick_unit(found, shape)
    with right:
        by = _pick_colour()
    left, right = st.columns((1.2, 1.0), gap="medium")
    with left:
        figure = _show_map(found, unit, by, shape)
        _show_tokens(asked)
    with right:
        one_unit.show(asked, found, unit, shape)
    _show_table(asked, found)
    figure.update_layout(title=_COLOURS[by].title)
    exports.offer("units", found.as_rows(), figure, _commands(asked, found))
    over_set.show(asked)


def _commands(asked: Asked, found: Ledger) -> str:
    top = ("--top", str(len(found.names)))
    whole = asked.deciding_command("ledger", [asked.prompt_option, top])
    return f"{whole}\n{asked.deciding_command('units', [asked.prompt_option])} --tokens"


def _show_tokens(asked: Asked) -> None:
    """Draw which tokens of the photo wrote what is hidden, whatever the prompt."""
    found = asks.hidden_tokens_of(asked)
    if found is None:
        return
    pixels = asks.seen_by(asks.inside_of(asked), asked.photo.image)
    on_photo = number(100 * float(found.heat.sum()), ".0f")
    pictures.show(
        st.container(),
        pictures.overlay(pixels, found.heat, float(found.heat.abs().max())),
        f"Which patches wrote what is hidden, whatever the prompt: {on_photo} % of it is theirs",
    )
    st.markdown(
        f"**What patches wrote of what is hidden lies {place_of(found.heat).words}.** With the "
        f"heads shared out over the tokens that they read, patches wrote {on_photo} % of it, the "
        f"class token {number(100 * found.prefix, '.0f')} %, embedding and MLPs "
        f"{number(100 * found.others, '.0f')} %: 100 % together. Orange wrote it, blue wrote "
        "against it. No text has a part in this."
    )


def _show_map(found: Ledger, unit: str, by: str, shape: tuple[int, int]) -> go.Figure:
    """Draw the map of all units; return it."""
    values = [row[by] for row in found.as_rows()[: len(found.names)]]
    colour = _COLOURS[by]
    figure = unit_map(
        values, found.names, shape, unit, title="", form=colour.form, signed=colour.signed
    )
    order = [found.names[place] for *_, place in unit_cells(*shape)]
    st.plotly_chart(
        figure, key="units.map", config=exports.FIGURE_CONFIG, on_select=_follow(order),
        selection_mode="points",
        alt=f"Each unit’s {colour.title}: layers down, heads and MLPs across. {found.sentence}",
    )  # fmt: skip
    st.caption(
        f"Colour: {colour.title}. The embedding, which has no place on the map, has "
        f"{number(values[0], colour.form)}. A click chooses a unit, as the box above does."
    )
    return figure


def _show_table(asked: Asked, found: Ledger) -> None:
    rows = found.as_rows()[: len(found.names)]
    rows.sort(key=lambda row: -row["null_share"])
    st.dataframe(
        cells.spoken_table(rows, numbers=_NUMBERS), hide_index=True, column_order=list(_COLUMNS),
        column_config=_COLUMNS, key="units.table",
    )  # fmt: skip
    st.caption(f"{_HOW} In the command, {scene.FILE} stands for the photo’s file.")


def _pick_unit(found: Ledger, shape: tuple[int, int]) -> str:
    """Draw the choice of a unit; return it: without one, the head that wrote most."""
    heads = shape[0] * shape[1]
    first = found.names[1 + int(found.shares.share[1 : 1 + heads].argmax())]
    offered = ["", *found.names]
    state.receive("unit", "units.unit", "", offered.__contains__, "a unit")
    if st.session_state["units.unit"] not in offered:
        st.session_state["units.unit"] = ""
    unit = st.selectbox(
        "Unit", offered, format_func=lambda name: name or f"{first}, the head that wrote most",
        key="units.unit", persist_state="session", help=UNIT_HELP["unit"],
    )  # fmt: skip
    state.publish("unit", unit or "", "")
    return unit or first


def _pick_colour() -> str:
    state.receive("by", "units.by", "null_share", _COLOURS.__contains__, "a colour of the map")
    by = st.radio(
        "Colour", list(_COLOURS), format_func=lambda name: _COLOURS[name].title, key="units.by",
        horizontal=True, persist_state="session",
    )  # fmt: skip
    state.publish("by", by, "null_share")
    return by


def _follow(order: Sequence[str]) -> Callable[[], None]:
    """Return what a click on the map does: it moves the box; ``order`` names its points."""

    def clicked() -> None:
        points = st.session_state["units.map"].selection.points
        if points:
            st.session_state["units.unit"] = order[points[0]["point_index"]]

    return clicked
