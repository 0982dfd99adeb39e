"""The panels of the Classes page: filters, table, one class down to its images, two models."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages._view import commands, exports, loaders, pickers, state
from pages._view.linked_number import LinkedNumber
from pages._view.tables import asks, browse, cells, figures, row_choice
from pages._view.tables.browse import Image, Shelf
from pages._view.words.help import HELP
from pages._view.words.phrases import (
    FEW,
    FEW_SCORES,
    NOTHING,
    be,
    count,
    degrees,
    in_words,
    number,
)
from sing_core.errors import SingError
from sing_core.leakage.class_filter import ClassFilter
from sing_core.leakage.classes import ClassRow
from sing_core.leakage.superclasses import superclasses
from sing_core.models.prompts import spoken_prompt

_FEW = 2
_BESIDE = 5
_LEAST = LinkedNumber(
    "least", "classes.least", ClassFilter().least, (1, 1_000_000), "a number of images", whole=True
)
# Those that are None are there for whoever wants them: in the table's own menu, and in the files.
_COLUMNS = {
    "verdict": st.column_config.TextColumn(help=HELP["verdict"]),
    "class": st.column_config.TextColumn(),
    "as_mean": st.column_config.NumberColumn("AS ° [95 %]", help=HELP["attribute_score"]),
    "p_adjusted": st.column_config.NumberColumn("p", format="%.2g", help=HELP["p_adjusted"]),
    "is_mean": st.column_config.NumberColumn("IS °", format="%.2f", help=HELP["image_score"]),
    "n": st.column_config.NumberColumn("images"),
    "abs_as_mean": None,
    "directed_mean": None,
    "accuracy": None,
    "wnid": None,
    "as_low": None,
    "as_high": None,
}
_SPANS = {"as_mean": ("as_low", "as_high", "+.3f")}


def pick_second_model(model: str) -> str:
    """Draw the picker of a model to compare with; return its name, "" for none."""
    others = [name for name in loaders.models() if name != model]
    state.receive("versus", "classes.versus", "", ["", *others].__contains__, "a second classifier")
    if st.session_state["classes.versus"] not in ("", *others):
        st.session_state["classes.versus"] = ""
    chosen = st.selectbox(
        "Beside",
        ["", *others],
        format_func=lambda name: loaders.models()[name].title if name else "no other classifier",
        key="classes.versus",
        help="A second classifier on the same images, with the rank correlation of the classes.",
    )
    state.publish("versus", chosen or "", "")
    return chosen or ""


def pick_filter() -> ClassFilter:
    """Draw what narrows the table, side by side; return it."""
    wide, middle, narrow = st.columns([2, 1, 1])
    with wide:
        search = _pick_search()
    with middle:
        group = _pick_group()
    with narrow:
        least = _pick_least()
    return ClassFilter(search, group, least)


def _pick_search() -> str:
    state.receive("q", "classes.q", "", bool, "a search")
    text = st.text_input("Search classes", key="classes.q", placeholder="A part of a name or wnid")
    state.publish("q", text, "")
    return text


def _pick_group() -> str:
    groups = ["", *superclasses()]
    state.receive("group", "classes.group", "", groups.__contains__, "a group of classes")
    chosen = st.selectbox(
        "Group",
        groups,
        format_func=lambda name: name or "all classes",
        key="classes.group",
        help="A grouping of the 1,000 ImageNet classes made for browsing; nothing is tested by it.",
    )
    state.publish("group", chosen or "", "")
    return chosen or ""


def _pick_least() -> int:
    _LEAST.receive()
    low, high = map(int, _LEAST.bounds)
    value = st.number_input(
        "Images at least", low, high, key=_LEAST.key,
        help="A class with one image has a score, but no interval.",
    )  # fmt: skip
    return int(_LEAST.publish(value))


def show_notes(model: str) -> None:
    """Say what the numbers rest on."""
    pickers.show_reference_note(loaders.reference())
    if loaders.models()[model].shares_tower(loaders.reference()):
        pickers.show_tower_note(model, loaders.reference())


def summary(rows: Sequence[ClassRow]) -> str:
    """Return the result in words; what the tests do not decide is said to be not decided."""
    tested = [row for row in rows if row.p_adjusted is not None]
    found = [row for row in tested if row.verdict != "not decided"]
    towards = sum(row.verdict == "towards" for row in found)
    alone = len(rows) - len(tested)
    single = f" {alone:,} classes have too few images for a test: **not decided**." if alone else ""
    if not tested:
        return f"No class has the two images that a test needs: **not decided**.{single}"
    few = FEW_SCORES if min(row.n for row in tested) < FEW else ""
    open_ = len(tested) - len(found)
    return (
        f"Of {count(len(tested), 'class')} that can be tested, null removal turns **{towards:,}** "
        f"towards their own name and **{len(found) - towards:,}** away from it, at a false "
        f"discovery rate of 5 %; {open_:,} {be(open_)} **not decided**."
        f"{single}{few}"
    )


def pick_class(shown: Sequence[ClassRow]) -> ClassRow:
    """Draw the picker of one class; a click in the table moves it too."""
    rows = {row.label: row for row in shown}
    return rows[row_choice.pick("classes", "class", list(rows))]


def show_table(shown: Sequence[ClassRow]) -> None:
    """Draw the sortable table; a click chooses the class."""
    st.dataframe(
        cells.spoken_table([row.as_row() for row in shown], spans=_SPANS),
        hide_index=True,
        column_config=_COLUMNS,
        column_order=list(_COLUMNS),
        placeholder=NOTHING,
        on_select=row_choice.follow_click("classes", "class"),
        selection_mode="single-row",
        key="classes.table",
        height=exports.height_of(len(shown)),
    )


def show_violins(scores: Mapping[str, Sequence[Image]]) -> go.Figure:
    """Draw AS of the images of a class beside those of some others; return the figure."""
    figure = figures.class_violins(scores)
    st.plotly_chart(
        figure,
        key="classes.violins",
        config=exports.FIGURE_CONFIG,
        alt="AS of every image of the class and of some others.",
    )
    return figure


def beside(
    row: ClassRow, shown: Sequence[ClassRow], model: str, images: str
) -> dict[str, list[dict[str, Any]]]:
    """Return the images of a class, by its name, and those of some classes to see it beside."""
    others = [other for other in shown if other.index != row.index and other.n >= _FEW][:_BESIDE]
    return {one.label: asks.class_images(model, images, one.index) for one in (row, *others)}


def show_class(row: ClassRow, found: Sequence[Image], model: str, images: str) -> None:
    """Draw what is known of a class, and its images to choose one from."""
    st.header(in_words(row.label, 120), anchor=False)
    st.markdown(sentence(row))
    browse.show(Shelf("classes", model, images, row.label, spoken_prompt(row.label)), found)


def sentence(row: ClassRow) -> str:
    """Return one class in words."""
    if row.as_low is None or row.as_high is None:
        told = f"AS {degrees(row.as_mean, 2)} from one image"
        return f"{told}: whether it differs from 0 is **not decided**."
    low, high = degrees(row.as_low), degrees(row.as_high)
    interval = f"AS {degrees(row.as_mean)} (95 %: {low} to {high})"
    inside = row.as_low <= 0 <= row.as_high
    told = "the interval includes 0: **not decided**" if inside else "the interval excludes 0"
    verdict = {
        "towards": "**towards** its own name",
        "away": "**away** from its own name",
        "not decided": "**not decided** after correction",
    }[row.verdict]
    return (
        f"{interval}, {row.n} images; {told}. The part that depends on where the null part points "
        f"is {degrees(row.directed_mean)}: {verdict}."
    )


def show_two_models(
    first: Sequence[ClassRow], second: Sequence[ClassRow], names: tuple[str, str]
) -> None:
    """Draw the classes of two models against each other, and their rank correlation."""
    st.header("Two classifiers", anchor=False)
    other = {row.index: row.as_mean for row in second}
    both = [row for row in first if row.index in other]
    try:
        found = asks.correlation([row.as_mean for row in both], [other[row.index] for row in both])
    except SingError as error:
        st.warning(str(error), icon=":material/info:")
        return
    told = "" if found.p <= 0.05 else " Whether they agree at all is **not decided**."
    st.markdown(
        f"Spearman’s ρ of mean AS over {found.n:,} classes: **{number(found.rho, '+.2f')}** "
        f"(p {_p(found.p)}, permutation test).{told}"
    )
    st.plotly_chart(
        figures.two_models(first, second, names),
        key="classes.two",
        config=exports.FIGURE_CONFIG,
        alt="Mean AS of every class under the two classifiers.",
    )


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def offer(
    shown: Sequence[ClassRow], figure: go.Figure, only: ClassFilter, model: str, images: str
) -> None:
    """Draw the downloads and the command."""
    rows = [row.as_row() for row in shown]
    exports.offer("classes", rows, figure, command(only, model, images))


def command(only: ClassFilter, model: str, images: str) -> str:
    """Return the command that prints the table, narrowed and in the same order."""
    options = (
        ("--search", only.search.strip()),
        ("--group", only.group),
        ("--least", "" if only.least == ClassFilter().least else f"{only.least}"),
        ("--order", "decided"),
    )
    return commands.of_set("classes", [model], images, options)
