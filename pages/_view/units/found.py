"""What does a head find? The photographs that one head holds alike, or that show a text most."""

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._view import exports, loaders, state
from pages._view.tables import cells
from pages._view.units import asks, found_asks, head_links, scene, word_asks
from pages._view.units.found_asks import TOP, Among, Head
from pages._view.units.scene import Asked
from pages._view.words.phrases import in_words, number
from pages._view.words.units import UNIT_HELP
from sing_core.errors import SingError, UnitsError
from sing_core.sets.chunks import SetFolder
from sing_core.sets.extract import Progress
from sing_core.units.retrieval import Hit

_SAMPLES = ""
_SAMPLES_TITLE = "the sample photos"
_TILE_PX = 132
_WAYS = {"alike": "alike", "text": "along the prompt"}
_COLUMNS: dict[str, Any] = {
    "found": "found",
    "rank": "place",
    "image": "image",
    "class": "class",
    "score": st.column_config.TextColumn("score"),
}
_HOW = (
    "Alike: the inner product of what the head writes for two photographs, less its mean over all. "
    "Along the prompt: the inner product of what it writes and the text, so that scores of all "
    "units add up to that of the whole output."
)

choose = scene.pick


def show(answer: DeltaGenerator, asked: Asked) -> None:
    """Find and draw the photographs of one head.

    Raises:
        SingError: see ``found_asks``.
    """
    left, middle, right = st.columns(3, vertical_alignment="bottom")
    with left:
        folder = _pick_images()
    with middle:
        subject = _pick_subject()
    with right:
        head, share = _pick_head(asked, subject)
    name = f"L{head[0]}.H{head[1]}"
    head_links.offer("wrote", name)
    among = _looked_at(answer, asked, folder)
    if among is None:
        return
    with st.spinner("Looking through the photographs…"):
        alike = found_asks.alike(asked, among, head)
        along, said = found_asks.shown_most(asked, among, head)
    chosen = _chosen_for(asked, head, share, subject) if subject else ""
    answer.markdown(f"**{chosen}{_sentence(asked, among, head, name)}**")
    _show_photographs(f"Most like the photo on screen, by {name} alone", alike, among)
    _show_photographs(f"Most along “{in_words(said, 120)}”, by {name} alone", along, among)
    if not subject:
        _show_subject(asked, head)
    _show_table(asked, (alike, along), among, head)


def _pick_images() -> SetFolder | None:
    """Draw the choice of photographs; return the set, None for the samples."""
    folders = found_asks.sets_here()
    offered = [_SAMPLES, *folders]
    state.receive("among", "units.among", _SAMPLES, offered.__contains__, "photographs")
    if st.session_state["units.among"] not in offered:
        st.session_state["units.among"] = _SAMPLES
    chosen = st.selectbox(
        "Among", offered, format_func=lambda name: name or _SAMPLES_TITLE, key="units.among",
        persist_state="session", help=UNIT_HELP["among"],
    )  # fmt: skip
    state.publish("among", chosen or _SAMPLES, _SAMPLES)
    return folders.get(chosen or _SAMPLES)


def _pick_subject() -> str:
    """Draw the choice of a property; return it, "" where a head is named."""
    offered = ["", *found_asks.subjects()]
    state.receive("subject", "units.subject", "", offered.__contains__, "a property")
    chosen = st.selectbox(
        "Head that speaks of", offered, format_func=lambda name: name or "a head that I choose",
        key="units.subject", persist_state="session", help=UNIT_HELP["subject"],
    )  # fmt: skip
    state.publish("subject", chosen or "", "")
    return chosen or ""


def _pick_head(asked: Asked, subject: str) -> tuple[Head, float]:
    """Draw the choice of a head, or the one that a property chose; return it and its share.

    Raises:
        SingError: see ``found_asks.best_head``.
    """
    tower = asks.inside_of(asked).tower
    offered = [f"L{layer}.H{head}" for layer in range(len(tower.layers))
               for head in range(tower.heads)]  # fmt: skip
    last = offered[-tower.heads]
    state.receive("head", "units.head", last, offered.__contains__, "a head")
    if st.session_state["units.head"] not in offered:
        st.session_state["units.head"] = last
    (head, share), named = ((0, 0), 0.0), False
    if subject:
        head, share = found_asks.best_head(asked, subject)
        named = True
    chosen = st.selectbox(
        "Head", [f"L{head[0]}.H{head[1]}"] if named else offered,
        key="units.subject_head" if named else "units.head", disabled=named,
        persist_state=None if named else "session", help=UNIT_HELP["unit"],
    )  # fmt: skip
    state.publish("head", last if named else chosen or last, last)
    return (head, share) if named else (divmod(offered.index(chosen or last), tower.heads), 0.0)


def _chosen_for(asked: Asked, head: Head, share: float, subject: str) -> str:
    """Say how much the head that a property chose is about it, beside random heads.

    Raises:
        SingError: see ``found_asks.specialisation_of``.
    """
    found = found_asks.specialisation_of(asked, head)
    as_much = sum(value >= share for value in found.random)
    tower = asks.inside_of(asked).tower
    chance = len(tower.layers) * tower.heads / (1 + len(found.random))
    beside = (
        f"more than in any of {len(found.random)} random heads, as about {chance:.0f} of all heads "
        "would have by chance"
        if not as_much
        else f"as much as {as_much} of {len(found.random)} random heads have of one thing: it has "
        "no such subject"
    )
    return (
        f"Of all heads {found.head} speaks most of {subject}: {100 * share:.0f} % of what its "
        f"texts explain, {beside}. "
    )


def _looked_at(answer: DeltaGenerator, asked: Asked, folder: SetFolder | None) -> Among | None:
    """Return what was recorded, or say in ``answer`` what must be done first.

    Raises:
        SingError: the images cannot be read.
    """
    if folder is None:
        return found_asks.samples(asked)
    name = folder.facts.name
    if (missing := found_asks.still_to_do(asked, folder)) and not _wanted(name, missing):
        answer.markdown(
            f"**The photographs of {in_words(name, 64)} were not shown to this network yet.** "
            "Press the button below: what is done is kept, also where it is stopped half way."
        )
        return None
    place = st.empty()

    def report(progress: Progress) -> None:
        share = progress.seen / max(progress.total, 1)
        place.progress(share, f"{progress.seen:,} of {progress.total:,} photographs are seen")

    found = found_asks.recorded(asked, folder, report)
    place.empty()
    if missing:
        st.rerun()  # the button has done its work, and goes
    return found


def _wanted(name: str, missing: int) -> bool:
    if not loaders.settings().typed_models:
        st.info(
            "Whoever runs this app shows a set to a network: "
            "`python -m sing_core head-images --images … --layer 0 --head 0 --text …`.",
            icon=":material/inventory_2:",
        )
        return False
    return st.button(
        f"Show {missing:,} photographs to the network", icon=":material/play_arrow:",
        key=f"units.record.{name}",
    )  # fmt: skip


def _sentence(asked: Asked, among: Among, head: Head, name: str) -> str:
    """Say how often the head finds an image's own class, where there are classes."""
    try:
        found = found_asks.found_again(asked, among, head)
    except UnitsError:
        return _first_of(found_asks.alike(asked, among, head), name)
    share, low, high = found.share.estimate, found.share.low, found.share.high
    bounds = "" if low is None or high is None else f" [{100 * low:.0f}, {100 * high:.0f}]"
    return (
        f"Of the photographs that {name} finds most like one of {found.images:,}, as many as its "
        f"class has others and {found.top} at most, {100 * share:.0f} %{bounds} are of its class, "
        f"where chance has {100 * found.chance:.1f} %."
    )


def _first_of(hits: tuple[Hit, ...], name: str) -> str:
    """Say what stands first where there are no classes by which an order could be judged."""
    if not hits:
        return "There is no other photograph here that could be found."
    first = hits[0]
    said = (
        f"Of the others {name} finds “{in_words(first.image.name, 60)}” most like the photo on "
        f"screen ({number(first.score, '+.1f')})"
        if first.score > 0
        else f"{name} finds none of the others like the photo on screen: beside what it usually "
        f"writes, it writes something opposed for each (at best {number(first.score, '+.1f')})"
    )
    return f"{said}. A set with classes, prepared in the Library, says how far to trust a head."


def _show_photographs(title: str, hits: tuple[Hit, ...], among: Among) -> None:
    """Draw photographs in a row that breaks where it must, each with its place and name."""
    st.subheader(title, anchor=False)
    copies, labels = found_asks.tiles(hits, among), found_asks.class_labels()
    with st.container(horizontal=True, gap="small"):
        for hit in hits:
            with st.container(width=_TILE_PX, gap=None):
                said = f"{hit.rank} · {in_words(labels.get(hit.image.wnid, hit.image.name), 40)}"
                if hit.image.row in copies:
                    st.image(copies[hit.image.row], width=_TILE_PX, alt=said)
                st.caption(said)


def _show_subject(asked: Asked, head: Head) -> None:
    """Draw whether the head has a subject of its own, when that is asked for."""
    try:
        word_asks.recorded_in(asked)  # without images no text helps
    except UnitsError:
        return
    key = f"units.special.{asked.model}.{asked.reference}.{head}"
    if not st.session_state.get(key):
        wanted = st.button(
            "Has this head a subject of its own?", icon=":material/translate:", key=f"{key}.press"
        )
        if not wanted:
            st.caption("Its texts are set beside those of random heads: that takes seconds.")
            return
        st.session_state[key] = True
    try:
        st.markdown(found_asks.specialisation_of(asked, head).sentence)
    except SingError as error:
        st.error(str(error), icon=":material/error:")


def _show_table(
    asked: Asked, hits: tuple[tuple[Hit, ...], tuple[Hit, ...]], among: Among, head: Head
) -> None:
    labels = found_asks.class_labels()
    rows = [
        {"found": way} | hit.as_row() | {"class": labels.get(hit.image.wnid, hit.image.wnid)}
        for way, some in zip(_WAYS.values(), hits, strict=True)
        for hit in some
    ]
    st.dataframe(
        cells.spoken_table(rows, numbers={"score": "+.4f"}), hide_index=True,
        column_order=list(_COLUMNS), column_config=_COLUMNS, key="units.found_table",
    )  # fmt: skip
    st.caption(
        f"{_HOW} The {TOP} first of each. In the command, {scene.FILE} stands for the photo’s file"
        + (" and IMAGES for the set’s." if among.images else " and IMAGES for a folder of images.")
    )
    options = [("--images", "IMAGES"), ("--layer", str(head[0])), ("--head", str(head[1]))]
    ways = (("--photo", scene.FILE), ("--text", asks.text_of(asked, asked.prompt)[1]))
    command = "\n".join(asked.command_of_set("head-images", [*options, way]) for way in ways)
    exports.offer_table("units.found", rows, command)
