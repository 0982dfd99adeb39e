"""The steering panels of Compare and Classes: asked for once, shown until the question changes."""

from collections.abc import Sequence

import streamlit as st

from pages._view import commands, exports, loaders, pickers
from pages._view.tables import asks, cells
from pages._view.tables.deciding import Deciding
from pages._view.words.help import HELP
from pages._view.words.phrases import NOTHING, in_words, interval
from sing_core.errors import SingError
from sing_core.leakage.classes import ClassRow
from sing_core.leakage.steered import SteeredRow
from sing_core.models.prompts import clean_prompt

_PROMPT, _TARGETS = "compare.steered", "classes.steered"  # what was asked for, and of what


def show_steering(models: list[str], images: str, deciding: Deciding) -> None:
    """Draw steering of the whole set towards a prompt, once somebody asks for it."""
    st.header("Steered towards a prompt", anchor=False, help=HELP["steered"])
    with st.form("compare.steer"):
        wide, narrow = st.columns([3, 1])
        prompt = wide.text_input(
            "Prompt", pickers.DEFAULT_PROMPT, key="compare.prompt", persist_state="session"
        )
        degrees = _pick_degrees(narrow, "compare.is")
        if st.form_submit_button("Steer every image"):
            st.session_state[_PROMPT] = (images, prompt, degrees)
    asked = st.session_state.get(_PROMPT)
    if asked is None or asked[0] != images:
        return
    _, prompt, degrees = asked
    try:
        prompt = clean_prompt(prompt, max_chars=loaders.settings().max_prompt_chars)
        with st.spinner("Steering…"):
            rows = asks.steered_rows(models, images, deciding.part, prompt, degrees)
    except SingError as error:
        st.error(str(error), icon=":material/error:")
        return
    st.caption(f"Towards “{in_words(prompt, 300)}”, at IS = {degrees:g}°:")
    for row in rows:
        st.markdown(f"- {_sentence(row, degrees)}")
    options = (*deciding.options, ("--prompt", prompt), ("--image-score", f"{degrees:g}"))
    command = commands.of_set("compare", models, images, options)
    exports.offer_table("compare.steer", [row.as_row() for row in rows], command)


def _sentence(row: SteeredRow, degrees: float) -> str:
    share = f"{row.unreachable:.1%} of {row.n:,} images cannot reach IS = {degrees:g}°"
    title = f"**{loaders.models()[row.model].title}**"
    if row.drifting:
        share += (
            f"; {row.drifting:.1%} would have to step so far that rounding moves a logit by more "
            "than it may, and have no score"
        )
    if row.abs_as is None:
        return f"{title}: {share}."
    sd = "" if row.abs_as_sd is None else f", sd {row.abs_as_sd:.3f}°"
    drift = row.max_logit_drift
    stands = "" if drift is None else f"; no logit moves by more than {drift:.1g}"
    return f"{title}: |AS| {interval(row.abs_as)}{sd}{stands}; {share}."


def show_targets(row: ClassRow, model: str, images: str, part: asks.Part) -> None:
    """Draw which classes this one is most easily steered towards, once somebody asks for it."""
    st.header("The easiest confusions", anchor=False, help=HELP["targets"])
    with st.form("classes.targets_form", border=False):
        degrees = _pick_degrees(st, "classes.is")
        if st.form_submit_button(f"Steer {row.label} towards every class"):
            st.session_state[_TARGETS] = (model, images, row.index, degrees)
    asked = st.session_state.get(_TARGETS)
    if asked is None or asked[:3] != (model, images, row.index):
        return
    degrees = asked[3]
    try:
        with st.spinner("Steering…"):
            found = asks.target_rows(model, images, row.index, degrees, part)
    except SingError as error:
        st.error(str(error), icon=":material/error:")
        return
    if all(target.as_mean is None for target in found):
        st.info(f"No step brings any image of {in_words(row.label, 120)} to IS = {degrees:g}°.")
        return
    st.caption(f"{in_words(row.label, 120)}, steered to IS = {degrees:g}°; the easiest first:")
    rows = [target.as_row() for target in found]
    _show_targets(rows)
    options = (
        ("--steer", row.label),
        ("--image-score", f"{degrees:g}"),
        ("--stratum", part.stratum),
    )
    command = commands.of_set("classes", [model], images, options)
    exports.offer_table("classes.steer", rows, command)


def _show_targets(rows: Sequence[dict[str, object]]) -> None:
    st.dataframe(
        cells.spoken_table(rows, numbers={"as_mean": "+.3f", "max_logit_drift": ".1e"}),
        hide_index=True,
        placeholder=NOTHING,
        key="classes.targets",
        column_config={
            "target": st.column_config.TextColumn(
                "towards", width=cells.width_of((f"{row['target']}" for row in rows), 260)
            ),
            "n": "images",
            "as_mean": st.column_config.NumberColumn("AS °"),
            "unreachable": st.column_config.NumberColumn("cannot reach it", format="percent"),
            "drifting": st.column_config.NumberColumn("would move a logit", format="percent"),
            "max_logit_drift": "largest logit drift",
        },
    )


def _pick_degrees(place, key: str) -> float:  # noqa: ANN001 - a column or the page itself
    degrees: float = place.number_input(
        "IS (°)", 1.0, 170.0, 40.0, 5.0, key=key, persist_state="session", width=160
    )
    return degrees
