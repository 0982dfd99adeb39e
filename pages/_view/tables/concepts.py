"""The panels of the Concepts page: the list, arrows, table, images."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from pages._view import commands, exports, loaders, pickers, state
from pages._view.linked_number import LinkedNumber
from pages._view.tables import asks, browse, cells, concept_figures, row_choice
from pages._view.tables.browse import Shelf
from pages._view.words.help import BOUND_NOTE, HELP, RELATION_NOTE
from pages._view.words.phrases import NOTHING, in_words, number
from sing_core.files.text_lists import decoded
from sing_core.leakage.classes import ClassRow
from sing_core.leakage.concept_lists import ConceptList, parse_concepts
from sing_core.leakage.concepts import ConceptRow
from sing_core.leakage.vocabulary_scale import VocabularyScale
from sing_core.models.prompts import CLASS_TEMPLATE

_ALL = ""
_VIEW = "concepts.view"
_VIEWS = {"arrows": "Arrows", "network": "Network", "star": "Star"}
_MOST_NODES = 60
OF_THE_VOCABULARY = 0.0  # as a bound: the fraction of the spread
_BOUND = LinkedNumber("bound", "concepts.bound", OF_THE_VOCABULARY, (0.0, 10.0), "a bound")
_CONCEPTS = (
    "goldfish", "jellyfish", "snail", "tabby cat", "lion", "brown bear", "ladybug", "bee",
    "monarch butterfly", "sports car", "school bus", "lemon", "orange", "mushroom", "teapot",
    "umbrella", "volcano", "cliff", "coral reef", "aircraft carrier", "parachute", "beer bottle",
    "espresso", "pizza",
)  # fmt: skip
DEFAULT_LIST = "\n".join(_CONCEPTS)
# Those that are None are there for whoever wants them: in the table's own menu, and in the files.
_COLUMNS = {
    "verdict": st.column_config.TextColumn(help=HELP["verdict"]),
    "concept": st.column_config.TextColumn(),
    "directed_mean": st.column_config.NumberColumn("part °", help=HELP["directed"]),
    "p_adjusted": st.column_config.NumberColumn("its p", format="%.2g", help=HELP["p_adjusted"]),
    "as_mean": st.column_config.NumberColumn("AS ° [95 %]", help=HELP["concept_as"]),
    "angle_before": st.column_config.NumberColumn("before °", format="%.1f"),
    "p_equivalent": None,
    "stratum": None,
    "by_kind": st.column_config.TextColumn("by kind of images", help=HELP["concept_by_kind"]),
    "untouched": st.column_config.TextColumn(help=HELP["untouched"]),
    "spurious": st.column_config.TextColumn(help=HELP["spurious"]),
    "angle_after": None,
    "bound_deg": None,
    "close": None,
    "loosely_related": None,
    "n": None,
    "prompt": None,
    "vocabulary_decided": None,
    "beyond": None,
    "as_low": None,
    "as_high": None,
}
_SHOWN_BY_A_TEST = ("untouched", "spurious")  # in words: a ticked box would look like an input
_SPANS = {"as_mean": ("as_low", "as_high", "+.3f")}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form holds: the list, the template, and what is as good as 0 (0: the default)."""

    text: str
    file: UploadedFile | None
    template: str
    bound_deg: float

    def parse(self) -> ConceptList:
        """Return the concepts.

        Raises:
            SingError: the list or the template cannot be used.
        """
        text, notes = self.text, tuple[str, ...]()
        if self.file is not None:
            text, notes = decoded(self.file.getvalue(), self.file.name)
        limit = loaders.settings().max_prompt_chars
        return parse_concepts(text, template=self.template, max_chars=limit, notes=notes)

    def options(self) -> list[tuple[str, str]]:
        """Return what a command is told of the list: a file is named, a list is written out.

        Raises:
            SingError: see ``parse``.
        """
        template = "" if self.template == CLASS_TEMPLATE else self.template
        if self.file is not None:
            return [("--list", self.file.name), ("--template", template)]
        typed = [("--concept", label) for label in self.parse().labels]
        return [*typed, ("--template", template)]


def pick_class(rows: Sequence[ClassRow]) -> int | None:
    """Draw the picker of a class; return its index, None for the whole set."""
    several = [row.label for row in rows if row.n > 1]
    labels = {row.label: row.index for row in rows}
    default = several[0] if several else _ALL
    state.receive("of", "concepts.of", default, lambda name: name in {*labels, "all"}, "a class")
    if st.session_state["concepts.of"] not in labels:
        st.session_state["concepts.of"] = _ALL
    chosen = st.selectbox(
        "Images of",
        [_ALL, *several, *(label for label in labels if label not in several)],
        format_func=lambda name: name or "all classes, each counting once",
        key="concepts.of",
        help="A class with one image has angles, but no tests.",
    )
    state.publish("of", chosen or "all", default or "all")
    return labels.get(chosen or _ALL)


def ask_concepts() -> Asked:
    """Draw the form of concepts; return what it holds."""
    state.receive("list", "concepts.list", DEFAULT_LIST, bool, "a list of concepts")
    state.receive("template", "concepts.template", CLASS_TEMPLATE, bool, "a template")
    _BOUND.receive()
    state.receive("view", _VIEW, "arrows", _VIEWS.__contains__, "a view")
    with st.form("concepts.form"):
        left, right = st.columns([2, 1])
        text = left.text_area(
            "Concepts, one a line", key="concepts.list", height=190, persist_state="session"
        )
        file = right.file_uploader(
            "or a text file", type=["txt"], key="concepts.file", max_upload_size=2,
            help="UTF-8, one concept a line; it is used instead of the list.",
        )  # fmt: skip
        template = right.text_input(
            "Template", key="concepts.template", persist_state="session",
            help="The sentence that is embedded; {} is where the concept goes.",
        )  # fmt: skip
        bound = right.number_input(
            "As good as 0 (± °); 0: by the vocabulary", *_BOUND.bounds, step=0.01, format="%g",
            key=_BOUND.key, help=HELP["bound"],
        )  # fmt: skip
        st.form_submit_button("Measure")
    state.publish("list", text, DEFAULT_LIST)
    if not state.fits(text):
        st.caption("A list of this length does not fit into the link: send it as a file.")
    state.publish("template", template, CLASS_TEMPLATE)
    return Asked(text, file, template, _BOUND.publish(bound))


def show_notes(model: str, found: Sequence[ConceptRow], scale: VocabularyScale) -> None:
    """Say what the tests and their numbers rest on."""
    st.caption(
        BOUND_NOTE.format(
            bound=number(found[0].bound_deg, ".2g"), default=number(scale.bound_deg, ".2g"),
            spread=number(scale.spread_deg, ".2g"), size=f"{scale.size:,}",
            within=f"{scale.within:,}",
        )
    )  # fmt: skip
    st.caption(RELATION_NOTE)
    pickers.show_reference_note(loaders.reference())
    if loaders.models()[model].shares_tower(loaders.reference()):
        pickers.show_tower_note(model, loaders.reference())


def show_figure(found: Sequence[ConceptRow], model: str, images: str, of: str) -> go.Figure:
    """Draw the arrows, or another view where one was chosen; return the figure.

    ``of``: whose images they are.
    """
    view = st.segmented_control(
        "View", list(_VIEWS), format_func=_VIEWS.__getitem__, required=True, key=_VIEW,
        persist_state="session", help=HELP["concept_view"],
    ) or "arrows"  # fmt: skip
    state.publish("view", view, "arrows")
    if view == "arrows":
        figure = concept_figures.concept_arrows(found)
        alt = "Mean angle to each concept before and after null removal."
    else:
        nearest = sorted(found, key=lambda row: row.angle_before)[:_MOST_NODES]
        places = asks.concept_network(model, images, tuple(row.prompt for row in nearest))
        if view == "network":
            figure = concept_figures.concept_network(nearest, places)
            alt = "Concepts joined to those of nearly the same meaning, coloured by AS."
        else:
            figure = concept_figures.concept_star(nearest, places, of)
            alt = f"The images of {of} amid the concepts, as far from each as the angle is."
    st.plotly_chart(figure, key=f"concepts.{view}", config=exports.FIGURE_CONFIG, alt=alt)
    return figure


def kinds_of(row: ConceptRow) -> list[str]:
    """Return of which kinds the images of a row are; that of one kind has a name, or none."""
    return [part.kind for part in row.by_kind] or [row.stratum]


def pick_concept(found: Sequence[ConceptRow]) -> ConceptRow:
    """Draw the picker of one concept; a click in the table moves it too."""
    rows = {row.concept: row for row in found}
    return rows[row_choice.pick("concepts", "concept", list(rows))]


def show_table(found: Sequence[ConceptRow]) -> None:
    """Draw the table of concepts; a click chooses one."""
    st.dataframe(
        cells.spoken_table(
            [_cells(row) for row in found], spans=_SPANS, numbers={"directed_mean": "+.3f"}
        ),
        hide_index=True,
        column_config=_COLUMNS | ({} if found[0].by_kind else {"by_kind": None}),
        column_order=list(_COLUMNS),
        placeholder=NOTHING,
        on_select=row_choice.follow_click("concepts", "concept"),
        selection_mode="single-row",
        key="concepts.table",
        height=exports.height_of(len(found)),
    )


def _cells(row: ConceptRow) -> dict[str, object]:
    found = row.as_row()
    return found | {name: "yes" if found[name] else NOTHING for name in _SHOWN_BY_A_TEST}


def show_images(
    row: ConceptRow, model: str, images: str, label: int | None, of: str, part: asks.Part
) -> None:
    """Draw the images that were asked about, with their scores towards one concept."""
    st.header(f"Images of {in_words(of, 120)}, towards {in_words(row.concept)}", anchor=False)
    found = asks.concept_images(model, images, row.prompt, label, part)
    browse.show(Shelf("concepts", model, images, f"{of} towards {row.concept}", row.prompt), found)


def offer(
    found: Sequence[ConceptRow],
    figure: go.Figure,
    asked: Asked,
    model: str,
    images: str,
    label: int | None,
    classes: Sequence[ClassRow],
    part: asks.Part,
) -> None:
    """Draw the downloads and the command."""
    named = "" if label is None else _named(label, classes)
    rows = [row.as_row() for row in found]
    exports.offer("concepts", rows, figure, command(asked, model, images, named, part.stratum))


def _named(index: int, classes: Sequence[ClassRow]) -> str:
    """Return how a command names a class: in words, by its wnid where another is called so too."""
    row = next(one for one in classes if one.index == index)
    alone = sum(row.label in (one.label, one.wnid) for one in classes) == 1
    return row.label if alone else row.wnid


def command(asked: Asked, model: str, images: str, named: str, stratum: str = "") -> str:
    """Return the command that prints the table; a file is named, a list is written out.

    ``named``: the class that is asked about, "" for all.
    """
    bound = "" if asked.bound_deg == OF_THE_VOCABULARY else f"{asked.bound_deg!r}"
    options = [("--class", named), *asked.options(), ("--bound", bound), ("--stratum", stratum)]
    return commands.of_set("concepts", [model], images, options)
