"""The panels of the Classes page: filters, table, one class down to its images, two models."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages._view import commands, exports, loaders, pickers, state
from pages._view.linked_number import LinkedNumber
from pages._view.tables import asks, figures
from pages._view.words.help import HELP
from pages._view.words.phrases import FEW, FEW_SCORES, NOTHING, be, count
from sing_core.errors import SingError
from sing_core.leakage.class_filter import ClassFilter
from sing_core.leakage.classes import ClassRow
from sing_core.leakage.superclasses import superclasses

_FEW = 2
_BESIDE = 5
_LEAST = LinkedNumber(
    "least", "classes.least", ClassFilter().least, (1, 1_000_000), "a number of images", whole=True
)
_DEGREES = st.column_config.NumberColumn(format="%.3f")
_COLUMNS = {
    "as_mean": st.column_config.NumberColumn("AS °", format="%+.3f", help=HELP["attribute_score"]),
    "as_low": st.column_config.NumberColumn("from °", format="%+.3f", help=HELP["interval"]),
    "as_high": st.column_config.NumberColumn("to °", format="%+.3f", help=HELP["interval"]),
    "abs_as_mean": st.column_config.NumberColumn("|AS| °", format="%.3f"),
    "is_mean": st.column_config.NumberColumn("IS °", format="%.2f", help=HELP["image_score"]),
    "p_adjusted": st.column_config.NumberColumn("p", format="%.2g", help=HELP["p_adjusted"]),
    "directed_mean": st.column_config.NumberColumn(
        "directed °", format="%+.3f", help=HELP["directed"]
    ),
    "verdict": st.column_config.TextColumn(help=HELP["verdict"]),
    "accuracy": st.column_config.NumberColumn(format="percent"),
}
_IMAGE_COLUMNS = {
    "name": "image", "attribute_score_deg": "AS °", "image_score_deg": "IS °",
    "directed_score_deg": "directed °", "average_score_deg": "AS to all °", "top1": "decision",
}  # fmt: skip


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


def show_summary(model: str, rows: Sequence[ClassRow]) -> None:
    """Say how many classes are told apart from 0, and what the numbers rest on."""
    st.markdown(summary(rows))
    pickers.show_reference_note(loaders.reference())
    if loaders.models()[model].shares_tower_with == loaders.reference():
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
    labels = {row.label: row for row in shown}
    default = shown[0].label
    key = "classes.class"
    state.receive("class", key, "", bool, "a class")
    if st.session_state[key] not in labels:
        st.session_state[key] = default
    st.session_state["classes.order"] = list(labels)
    label = st.selectbox("Class", list(labels), key=key, persist_state="session") or default
    state.publish("class", label, default)
    return labels[label]


def _clicked() -> None:
    rows = st.session_state["classes.table"].selection.rows
    if rows:
        st.session_state["classes.class"] = st.session_state["classes.order"][rows[0]]


def show_table(shown: Sequence[ClassRow]) -> None:
    """Draw the sortable table; a click chooses the class."""
    st.dataframe(
        exports.frame_of([row.as_row() for row in shown]),
        hide_index=True,
        column_config=_COLUMNS,
        placeholder=NOTHING,
        on_select=_clicked,
        selection_mode="single-row",
        key="classes.table",
        height=exports.height_of(len(shown)),
    )


def show_class(row: ClassRow, shown: Sequence[ClassRow], model: str, images: str) -> go.Figure:
    """Draw the images of a class beside some others; return the figure."""
    beside = [other for other in shown if other.index != row.index and other.n >= _FEW][:_BESIDE]
    scores = {one.label: asks.class_images(model, images, one.index) for one in (row, *beside)}
    figure = figures.class_violins(scores)
    st.subheader(row.label, anchor=False)
    st.markdown(sentence(row))
    st.plotly_chart(
        figure,
        key="classes.violins",
        config=exports.FIGURE_CONFIG,
        alt="AS of every image of the class and of some others.",
    )
    _show_images(scores[row.label], row.label, model, images)
    return figure


def _show_images(found: Sequence[Mapping[str, Any]], label: str, model: str, images: str) -> None:
    """Draw the scores of a class's images; the one that is ticked can be opened in Explore."""
    frame = exports.frame_of(found)[list(_IMAGE_COLUMNS)].rename(columns=_IMAGE_COLUMNS)
    event = st.dataframe(
        frame, hide_index=True, key="classes.images", on_select="rerun",
        selection_mode="single-row",
        column_config={name: _DEGREES for name in frame.columns if name.endswith("°")},
    )  # fmt: skip
    ticked = [found[place] for place in event.selection.rows if place < len(found)]
    wanted = st.button(
        f"Open {ticked[0]['name']} in Explore" if ticked else "Tick an image to open it in Explore",
        key="classes.open", icon=":material/tune:", disabled=not ticked,
    )  # fmt: skip
    if wanted and ticked:
        try:
            asks.open_in_explore(model, images, ticked[0], label)
        except SingError as error:
            st.warning(str(error), icon=":material/image_not_supported:")


def sentence(row: ClassRow) -> str:
    """Return one class in words."""
    if row.as_low is None or row.as_high is None:
        return (
            f"AS {row.as_mean:+.2f}° from one image: whether it differs from 0 is **not decided**."
        )
    interval = f"AS {row.as_mean:+.3f}° (95 %: {row.as_low:+.3f}° to {row.as_high:+.3f}°)"
    inside = row.as_low <= 0 <= row.as_high
    told = "the interval includes 0: **not decided**" if inside else "the interval excludes 0"
    verdict = {
        "towards": "**towards** its own name",
        "away": "**away** from its own name",
        "not decided": "**not decided** after correction",
    }[row.verdict]
    return (
        f"{interval}, {row.n} images; {told}. The part that depends on where the null part points "
        f"is {row.directed_mean:+.3f}°: {verdict}."
    )


def show_two_models(
    first: Sequence[ClassRow], second: Sequence[ClassRow], names: tuple[str, str]
) -> None:
    """Draw the classes of two models against each other, and their rank correlation."""
    st.subheader("Two classifiers", anchor=False)
    other = {row.index: row.as_mean for row in second}
    both = [row for row in first if row.index in other]
    try:
        found = asks.correlation([row.as_mean for row in both], [other[row.index] for row in both])
    except SingError as error:
        st.warning(str(error), icon=":material/info:")
        return
    told = "" if found.p <= 0.05 else " Whether they agree at all is **not decided**."
    st.markdown(
        f"Spearman’s ρ of mean AS over {found.n:,} classes: **{found.rho:+.2f}** "
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
