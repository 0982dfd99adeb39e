"""The panels of the Compare page: verdicts, joint plot, controls, pairs, steering."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
import streamlit as st
from streamlit.elements.lib.column_types import ColumnConfig

from pages._view import commands, exports, loaders, pickers, state
from pages._view.tables import asks, cells, figures
from pages._view.tables.deciding import Deciding
from pages._view.words.help import HELP
from pages._view.words.phrases import NOTHING, in_words, interval
from sing_core.errors import SingError
from sing_core.leakage import compare_answer
from sing_core.leakage.classes import ClassRow
from sing_core.leakage.comparison import ModelRow
from sing_core.leakage.differences import PairRow
from sing_core.leakage.measures import MEASURES

_ENDS = ("_low", "_high")
_COUNTS = {
    "nullity": "null space",
    "feature_dim": "features",
    "n": "images",
}
_SHOWN = {
    "abs_attribute_score": ("|AS| °", "attribute_score"),
    "above_energy": ("over random °", "controls"),
    "image_score": ("IS °", "image_score"),
    "feasible_image_score_deg": ("feasible IS °", "feasible_removal"),
    "attribute_score": ("AS °", "attribute_score"),
    "ratio": ("IS / |AS|", "ratio"),
}
# There for whoever wants them: in the table's own menu, and in the files.
_FOLDED = (
    "above_dim",
    "above_principal",
    "dim_image_score",
    "dim_abs_attribute_score",
    "dim_ratio",
    "energy_image_score",
    "energy_abs_attribute_score",
    "energy_ratio",
    "principal_image_score",
    "principal_abs_attribute_score",
)
_SIGNED = {"attribute_score", "above_dim", "above_energy", "above_principal"}
_BARS = (
    "The thick bar decides: it is the interval of the verdict against random subspaces that remove "
    "as much, laid around the mean of their draws, and holds the spread of draws and of classes. A "
    "null space whose line lies to the right of it hides more than they do, to the left less; "
    "inside it, that is not decided."
)
_PLACES = (
    "“Over random” is |AS| beyond random subspaces that remove as much. The place among these "
    "counts from the smallest |AS|: 1 lies below all of them."
)
_UNKNOWN = "The link also asks for {names}, which has no scores here; the others are compared."


def pick_models(images: str) -> list[str]:
    """Draw the picker of classifiers that the set has scores of; return at least one."""
    try:
        there = asks.scored_models(images)
    except SingError as error:
        st.error(str(error), icon=":material/error:")
        st.stop()
    if not there:
        state.write_url()
        reference = in_words(loaders.reference_title(loaders.reference()), 120)
        st.info(
            f"No classifier has scores of {images} in {reference}: choose another set or "
            "reference, or prepare it in the Library.",
            icon=":material/inventory_2:",
        )
        st.stop()
    followed = state.receive(
        "models", "compare.models_text", ",".join(there),
        lambda text: not {*there}.isdisjoint(text.split(",")), "classifiers",
    )  # fmt: skip
    asked = (state.linked("models") or "").split(",")
    unknown = [name for name in asked if name and name not in there]
    if followed and unknown and not {*there}.isdisjoint(asked):
        _say_unknown(unknown)
    named = dict.fromkeys(st.session_state["compare.models_text"].split(","))  # each once
    linked = [m for m in named if m in there] or there
    if st.session_state.get("compare.models_shown") != linked:
        st.session_state["compare.models"] = linked
    chosen = st.multiselect(
        "Classifiers", there, key="compare.models", format_func=loaders.titles().__getitem__
    )
    if not chosen:
        st.caption("None is chosen: all are compared.")
    chosen = [name for name in there if name in chosen] or there
    text = ",".join(chosen)
    st.session_state["compare.models_text"] = text
    st.session_state["compare.models_shown"] = chosen
    state.publish("models", text, ",".join(there))
    return chosen


def _say_unknown(unknown: Sequence[str]) -> None:
    names = ", ".join(f"“{in_words(name, 60)}”" for name in unknown[:5])
    st.warning(_UNKNOWN.format(names=names), icon=":material/link_off:")


def show_answer(rows: Sequence[ModelRow], pairs: Sequence[PairRow]) -> None:
    """Say which classifier leaks most, by how much and how surely."""
    st.markdown(compare_answer.answer(rows, pairs, loaders.titles()))


def show_verdicts(rows: Sequence[ModelRow]) -> None:
    """Say for every model whether it leaks more than its size explains."""
    with st.expander("Each classifier against random subspaces", icon=":material/rule:"):
        titles = loaders.titles()
        st.markdown("\n".join(f"- {verdict(row, titles[row.model])}" for row in rows))
    pickers.show_reference_note(loaders.reference())
    for row in rows:
        if row.shares_tower:
            pickers.show_tower_note(row.model, loaders.reference())


def verdict(row: ModelRow, title: str) -> str:
    """Return one model in words, against random subspaces that remove as much."""
    size = f"{row.nullity:,} of {row.feature_dim:,} dimensions"
    if row.nullity == 0:
        return (
            f"**{title}** ({size}) has no null space: there is nothing to take away. Let fewer "
            f"than {row.feature_dim:,} classes decide, and it has one: choose them above."
        )
    start = f"**{title}** ({size}): |AS| {interval(row.abs_attribute_score)}"
    if row.above_energy.low is None:
        return f"{start}; against random subspaces: **not decided**."
    more = f"the difference is {interval(row.above_energy, signed=True)}"
    place = (
        f"{more}; beside {row.control_draws} of them its |AS| has place {row.rank_among_draws} of "
        f"{row.control_draws + 1}, 1 being the smallest"
    )
    if not row.above_energy.decided:
        return f"{start}; against random subspaces that remove as much **not decided**; {place}."
    word = "more" if row.above_energy.estimate > 0 else "less"
    return f"{start}; **{word}** than random subspaces that remove as much; {place}."


def show_joint(classes: Mapping[str, Sequence[ClassRow]], rows: Sequence[ModelRow]) -> go.Figure:
    """Draw AS × IS; return the figure."""
    st.header("AS × IS", anchor=False, help=HELP["joint"])
    figure = figures.joint(classes, rows, loaders.titles())
    st.plotly_chart(
        figure,
        key="compare.joint",
        config=exports.FIGURE_CONFIG,
        alt="Mean AS and mean IS of every class, with an ellipse per classifier.",
    )
    return figure


def show_controls(rows: Sequence[ModelRow]) -> None:
    """Draw |AS| beside the controls."""
    st.header("Beyond its size?", anchor=False, help=HELP["controls"])
    st.plotly_chart(
        figures.against_controls(rows, loaders.titles()),
        key="compare.controls",
        config=exports.FIGURE_CONFIG,
        alt="Mean |AS| of null removal beside three controls, with the intervals that decide.",
    )
    st.caption(_BARS)


def show_table(rows: Sequence[ModelRow]) -> None:
    """Draw the table of models."""
    st.header("The numbers", anchor=False, help=HELP["ratio"])
    shown = columns()
    spans = {
        name: (f"{name}_low", f"{name}_high", "+.3f" if name in _SIGNED else _form(name))
        for name in (*_SHOWN, *_FOLDED)
    }
    st.dataframe(
        cells.spoken_table(
            [row.as_row() for row in rows],
            spans=spans,
            words={"model": loaders.titles().__getitem__},
        ),
        hide_index=True,
        column_config=shown,
        column_order=list(shown),
        placeholder=NOTHING,
        key="compare.table",
    )
    st.caption(_PLACES)


def show_ratios(rows: Sequence[ModelRow]) -> None:
    """Draw the folded bars of IS over |AS| of the classifiers that have a null space."""
    there = [row for row in rows if row.nullity]
    if there:
        with st.expander(
            "The ratio IS / |AS| beside random subspaces", icon=":material/bar_chart:"
        ):
            st.plotly_chart(
                figures.ratios(there, loaders.titles()),
                key="compare.ratios",
                config=exports.FIGURE_CONFIG,
                alt="Mean IS over mean |AS| of null removal and of random subspaces, as bars.",
            )
            st.caption(HELP["ratio"])


def _form(name: str) -> str:
    """Return how a number is written: a ratio has no use for thousandths."""
    return ".1f" if name.endswith("ratio") else ".3f"


def columns() -> dict[str, ColumnConfig | None]:
    """Return the table's columns in the words of a person; None is folded away.

    The exports keep their short names.
    """
    shown: dict[str, ColumnConfig | None] = {
        "model": st.column_config.TextColumn("classifier", pinned=True)
    }
    for name, (label, term) in _SHOWN.items():
        shown[name] = st.column_config.NumberColumn(f"{label} [95 %]", help=HELP[term])
    shown["rank_among_draws"] = st.column_config.NumberColumn(
        "place", format="%d", help=HELP["controls"]
    )
    shown |= {name: st.column_config.Column(label) for name, label in _COUNTS.items()}
    shown |= dict.fromkeys(("classes", "shares_tower", "control_draws", "stratum", "cross_fitted"))
    folded = (*_FOLDED, *(name + end for name in (*_SHOWN, *_FOLDED) for end in _ENDS))
    return shown | dict.fromkeys(folded)


def show_pairs(pairs: Sequence[PairRow]) -> None:
    """Draw the paired differences of the classifiers that may be compared."""
    shown = [pair for pair in pairs if not pair.barrier]
    if not shown:
        return
    st.header("Differences on the same images", anchor=False)
    titles = loaders.titles()
    st.markdown("\n".join(f"- {difference(pair, titles)}" for pair in shown))
    kinds = [row for pair in shown for row in pair.by_stratum]
    if kinds:
        with st.expander("By kind of images", icon=":material/call_split:"):
            said = (f"{in_words(row.stratum)}: {difference(row, titles)}" for row in kinds)
            st.markdown("\n".join(f"- {text[0].upper()}{text[1:]}" for text in said))
    st.caption(
        "A difference is called one only if it stands however many pairs are compared: the p "
        "values of all pairs and measures are corrected together (Holm)."
    )
    if len(shown) < len(pairs):
        st.caption("Left out are the pairs with a classifier that is not ranked above.")
    st.caption(
        "Under which other references, readings, fits and kinds of images they survive: Evidence, "
        "question *Does it survive other choices?*"
    )


def difference(pair: PairRow, titles: Mapping[str, str]) -> str:
    """Return one paired difference in words."""
    first, second = titles[pair.first], titles[pair.second]
    said = f"{MEASURES[pair.measure].words}, {first} − {second}"
    larger = first if pair.difference.estimate > 0 else second
    verdict = f"{larger} is larger" if pair.decided else "not decided"
    if pair.kinds_differ:
        verdict = "kinds of images differ"
    return f"{said}: {interval(pair.difference, signed=True)}: **{verdict}**."


def offer(
    rows: Sequence[ModelRow],
    figure: go.Figure,
    models: list[str],
    images: str,
    deciding: Deciding,
) -> None:
    """Draw the downloads and the command."""
    start = commands.of_set("compare", models, images, deciding.options)
    command = f"{start}\n{start} --paired"
    exports.offer("compare", [row.as_row() for row in rows], figure, command)
