"""The panels of the Compare page: verdicts, joint plot, controls, pairs, steering."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from pages._view import commands, exports, loaders, pickers, state
from pages._view.tables import asks, figures
from pages._view.words.help import HELP
from pages._view.words.phrases import NOTHING, in_words, interval
from sing_core.errors import SingError
from sing_core.leakage.classes import ClassRow
from sing_core.leakage.comparison import ModelRow, PairRow

_MEASURES = {
    "image_score_deg": "IS",
    "attribute_score_deg": "AS",
    "abs_attribute_score_deg": "|AS|",
}
_COUNTS = {
    "n": "images",
    "classes": "classes",
    "nullity": "null space",
    "feature_dim": "feature dimensions",
}
_INTERVALS = {
    "image_score": ("IS °", "image_score"),
    "attribute_score": ("AS °", "attribute_score"),
    "abs_attribute_score": ("|AS| °", "attribute_score"),
    "ratio": ("IS / |AS|", "ratio"),
    "dim_image_score": ("IS °, equal dimension", "controls"),
    "dim_abs_attribute_score": ("|AS| °, equal dimension", "controls"),
    "dim_ratio": ("IS / |AS|, equal dimension", "controls"),
    "energy_image_score": ("IS °, equal energy", "controls"),
    "energy_abs_attribute_score": ("|AS| °, equal energy", "controls"),
    "energy_ratio": ("IS / |AS|, equal energy", "controls"),
    "above_dim": ("|AS| ° above equal dimension", "controls"),
    "above_energy": ("|AS| ° above equal energy", "controls"),
}


def pick_models(images: str) -> list[str]:
    """Draw the picker of classifiers that the set has scores of; return at least one."""
    try:
        there = asks.scored_models(images)
    except SingError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()
    if not there:
        state.write_url()
        st.info(
            f"No classifier has scores of {images} in {in_words(loaders.reference(), 120)}: choose "
            "another set or reference, or prepare it in the Library.",
            icon=":material/inventory_2:",
        )
        st.stop()
    state.receive(
        "models", "compare.models_text", ",".join(there),
        lambda text: not {*there}.isdisjoint(text.split(",")), "classifiers",
    )  # fmt: skip
    linked = [m for m in st.session_state["compare.models_text"].split(",") if m in there] or there
    if st.session_state.get("compare.models_shown") != linked:
        st.session_state["compare.models"] = linked
    titles = loaders.models()
    chosen = st.multiselect(
        "Classifiers", there, key="compare.models", format_func=lambda name: titles[name].title
    )
    if not chosen:
        st.caption("None is chosen: all are compared.")
    chosen = [name for name in there if name in chosen] or there
    text = ",".join(chosen)
    st.session_state["compare.models_text"] = text
    st.session_state["compare.models_shown"] = chosen
    state.publish("models", text, ",".join(there))
    return chosen


def show_verdicts(rows: Sequence[ModelRow]) -> None:
    """Say for every model whether it leaks more than its size explains."""
    for row in rows:
        st.markdown(f"- {verdict(row, loaders.models()[row.model].title)}")
    pickers.show_reference_note(loaders.reference())
    for row in rows:
        if row.shares_tower:
            pickers.show_tower_note(row.model, loaders.reference())


def verdict(row: ModelRow, title: str) -> str:
    """Return one model in words, against the random subspace that removes as much."""
    size = f"{row.nullity} of {row.feature_dim} dimensions"
    if row.nullity == 0:
        return f"**{title}** ({size}) has no null space: there is nothing to take away."
    start = f"**{title}** ({size}): |AS| {interval(row.abs_attribute_score)}"
    if row.above_energy.low is None:
        return f"{start}; against a random subspace: **not decided**."
    more = f"the difference is {interval(row.above_energy, signed=True)}"
    if not row.above_energy.decided:
        return f"{start}; against a random subspace that removes as much **not decided**; {more}."
    word = "more" if row.above_energy.estimate > 0 else "less"
    return f"{start}; **{word}** than a random subspace that removes as much; {more}."


def show_joint(classes: Mapping[str, Sequence[ClassRow]], rows: Sequence[ModelRow]) -> go.Figure:
    """Draw AS × IS; return the figure."""
    st.subheader("AS × IS", anchor=False, help=HELP["joint"])
    figure = figures.joint(classes, rows)
    st.plotly_chart(
        figure,
        key="compare.joint",
        config=exports.FIGURE_CONFIG,
        alt="Mean AS and mean IS of every class, with an ellipse per classifier.",
    )
    return figure


def show_controls(rows: Sequence[ModelRow]) -> None:
    """Draw |AS| beside the two random-subspace controls."""
    st.subheader("Beyond its size?", anchor=False, help=HELP["controls"])
    st.plotly_chart(
        figures.against_controls(rows),
        key="compare.controls",
        config=exports.FIGURE_CONFIG,
        alt="Mean |AS| of null removal and of two random-subspace controls, with intervals.",
    )


def show_table(rows: Sequence[ModelRow]) -> None:
    """Draw the table of models."""
    st.subheader("The numbers", anchor=False, help=HELP["ratio"])
    shown = columns()
    st.dataframe(
        exports.frame_of([row.as_row() for row in rows]),
        hide_index=True,
        column_config=shown,
        column_order=list(shown),
        placeholder=NOTHING,
        key="compare.table",
    )


def columns() -> dict[str, ColumnConfig]:
    """Return the table's columns in the words of a person; the exports keep their short names."""
    shown: dict[str, ColumnConfig] = {"model": st.column_config.TextColumn(pinned=True)}
    for name, (label, term) in _INTERVALS.items():
        for end, words in (("", ""), ("_low", ": from"), ("_high", ": to")):
            shown[name + end] = st.column_config.NumberColumn(
                label + words, format="%.3f", help=HELP["interval" if end else term]
            )
    shown |= {name: st.column_config.NumberColumn(label) for name, label in _COUNTS.items()}
    shown["shares_tower"] = st.column_config.CheckboxColumn("shares tower")
    return shown


def show_pairs(pairs: Sequence[PairRow]) -> None:
    """Draw the paired differences."""
    if not pairs:
        return
    st.subheader("Differences on the same images", anchor=False)
    for pair in pairs:
        measure = _MEASURES[pair.measure]
        said = "**not decided**" if pair.verdict == "not decided" else f"**{pair.verdict}**"
        st.markdown(
            f"- {measure}, {pair.first} − {pair.second}: "
            f"{interval(pair.difference, signed=True)}: {said}."
        )


def offer(rows: Sequence[ModelRow], figure: go.Figure, models: list[str], images: str) -> None:
    """Draw the downloads and the command."""
    start = commands.of_set("compare", models, images)
    command = f"{start}\n{start} --paired"
    exports.offer("compare", [row.as_row() for row in rows], figure, command)
