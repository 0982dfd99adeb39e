"""The panels of the Classes page: filters, table, one class down to its images, two models."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages._view import commands, exports, loaders, pickers, state
from pages._view.linked_number import LinkedNumber
from pages._view.tables import asks, browse, cells, figures, row_choice
from pages._view.tables.browse import Image, Shelf
from pages._view.words.class_help import CLASS_HELP
from pages._view.words.help import HELP
from pages._view.words.phrases import (
    NOTHING,
    in_words,
)
from sing_core.errors import SingError
from sing_core.leakage import classes_answer
from sing_core.leakage.class_filter import ClassFilter
from sing_core.leakage.classes import ClassRow
from sing_core.leakage.superclasses import superclasses
from sing_core.models.prompts import spoken_prompt

_FEW = 2
_NAME_PX = 155  # what a laptop has for a name beside the other columns
_BESIDE = 5
_LEAST = LinkedNumber(
    "least", "classes.least", ClassFilter().least, (1, 1_000_000), "a number of images", whole=True
)
# Those that are None are there for whoever wants them: in the table's own menu, and in the files.
_COLUMNS = {
    "verdict": st.column_config.TextColumn(help=CLASS_HELP["class_verdict"]),
    "class": st.column_config.TextColumn(),
    "contrast_mean": st.column_config.NumberColumn("own name °", help=CLASS_HELP["contrast"]),
    "contrast_p_adjusted": st.column_config.NumberColumn(
        "its p", format="%.2g", help=CLASS_HELP["contrast_p"]
    ),
    "as_mean": st.column_config.NumberColumn("AS ° [95 %]", help=CLASS_HELP["class_as"]),
    "is_mean": st.column_config.NumberColumn("IS °", format="%.2f", help=HELP["image_score"]),
    "feasible_image_score_deg": st.column_config.NumberColumn(
        "feasible °", format="%.2f", help=HELP["feasible_removal"]
    ),
    "n": st.column_config.NumberColumn("images"),
    "abs_as_mean": None,
    "stratum": None,
    "foreign_decided": None,
    "detectable": None,
    "directed_mean": None,
    "p_adjusted": None,
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


def pick_class(shown: Sequence[ClassRow]) -> ClassRow:
    """Draw the picker of one class; a click in the table moves it too."""
    rows = {row.label: row for row in shown}
    return rows[row_choice.pick("classes", "class", list(rows))]


def show_table(shown: Sequence[ClassRow]) -> None:
    """Draw the sortable table; a click chooses the class."""
    st.dataframe(
        cells.spoken_table(
            [row.as_row() for row in shown], spans=_SPANS, numbers={"contrast_mean": "+.3f"}
        ),
        hide_index=True,
        column_config=_COLUMNS
        | {
            "class": st.column_config.TextColumn(
                width=cells.width_of((row.label for row in shown), _NAME_PX)
            )
        },
        column_order=list(_COLUMNS),
        placeholder=NOTHING,
        on_select=row_choice.follow_click("classes", "class"),
        selection_mode="single-row",
        key="classes.table",
        height=exports.height_of(len(shown)),
    )


def show_violins(
    scores: Mapping[str, Sequence[Image]],
    other: Mapping[str, Sequence[Image]] | None = None,
    models: Sequence[str] = ("", ""),
) -> go.Figure:
    """Draw AS of the images of a class beside those of some others; return the figure.

    ``other``: the same under a second one of two ``models``.
    """
    titles = loaders.titles()
    first, second = (titles.get(name, name) for name in models)
    figure = figures.class_violins(scores, other, (first, second))
    st.plotly_chart(
        figure,
        key="classes.violins",
        config=exports.FIGURE_CONFIG,
        alt="AS of every image of the class and of some others"
        + (f", under {first} and under {second}." if other is not None else "."),
    )
    return figure


def beside(
    row: ClassRow, shown: Sequence[ClassRow], model: str, images: str, part: asks.Part
) -> dict[str, list[dict[str, Any]]]:
    """Return the images of a class, by its name, and those of some classes to see it beside."""
    others = [other for other in shown if other.index != row.index and other.n >= _FEW][:_BESIDE]
    return {one.label: asks.class_images(model, images, one.index, part) for one in (row, *others)}


def under(
    versus: str, labels: Iterable[str], rows: Sequence[ClassRow], images: str, part: asks.Part
) -> dict[str, list[dict[str, Any]]]:
    """Return the images of the same classes under a second model, where it has scores of them."""
    index = {row.label: row.index for row in rows}
    return {
        label: asks.class_images(versus, images, index[label], part)
        for label in labels
        if label in index
    }


def show_class(row: ClassRow, found: Sequence[Image], model: str, images: str) -> None:
    """Draw what is known of a class, and its images to choose one from."""
    st.header(in_words(row.label, 120), anchor=False)
    st.markdown(classes_answer.sentence(row))
    browse.show(Shelf("classes", model, images, row.label, spoken_prompt(row.label)), found)


def show_two_models(
    rows: tuple[Sequence[ClassRow], Sequence[ClassRow]],
    models: tuple[str, str],
    images: str,
    part: asks.Part,
) -> None:
    """Draw the classes of two models against each other, and how far they agree."""
    st.header("Two classifiers", anchor=False, help=CLASS_HELP["agreement"])
    titles = [loaders.titles()[name] for name in models]
    try:
        found = asks.agreement_rows(models, images, part)
    except SingError as error:
        st.warning(f"Whether they agree is **not decided**. {error}", icon=":material/info:")
    else:
        st.markdown(classes_answer.agreement(found, titles))
        command = commands.of_set(
            "classes", models[:1], images, (("--versus", models[1]), ("--stratum", part.stratum))
        )
        exports.offer_table("classes.versus", [row.as_row() for row in found], command)
    st.plotly_chart(
        figures.two_models(*rows, titles),
        key="classes.two",
        config=exports.FIGURE_CONFIG,
        alt="Mean AS of every class under the two classifiers; those with few images are faint.",
    )


def offer(
    shown: Sequence[ClassRow],
    figure: go.Figure,
    only: ClassFilter,
    model: str,
    images: str,
    part: asks.Part,
) -> None:
    """Draw the downloads and the command."""
    rows = [row.as_row() for row in shown]
    exports.offer("classes", rows, figure, command(only, model, images, part.stratum))


def command(only: ClassFilter, model: str, images: str, stratum: str = "") -> str:
    """Return the command that prints the table, narrowed and in the same order."""
    options = (
        ("--search", only.search.strip()),
        ("--group", only.group),
        ("--least", "" if only.least == ClassFilter().least else f"{only.least}"),
        ("--order", "decided"),
        ("--stratum", stratum),
    )
    return commands.of_set("classes", [model], images, options)
