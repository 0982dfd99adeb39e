"""The steering panels of Compare and Classes: asked for once, shown until the question changes."""

from collections.abc import Sequence

import streamlit as st

from pages._view import commands, exports, loaders, pickers
from pages._view.tables import asks, cells
from pages._view.tables.deciding import Deciding
from pages._view.words.help import HELP
from pages._view.words.phrases import NOTHING, count, in_words, interval, listed, number
from sing_core.errors import SingError
from sing_core.leakage.classes import ClassRow
from sing_core.leakage.fixed_step import FixedStep
from sing_core.leakage.steered import SteeredRow
from sing_core.leakage.targets import TargetRow
from sing_core.models.prompts import clean_prompt

_PROMPT, _TARGETS = "compare.steered", "classes.steered"  # what was asked for, and of what
_EVERY = "every class"


def show_steering(
    models: list[str], images: str, deciding: Deciding, classes: Sequence[ClassRow]
) -> None:
    """Draw steering of the whole set towards a prompt, once somebody asks for it.

    ``classes`` are those that there are images of.
    """
    st.header("Steered towards a prompt", anchor=False, help=HELP["steered"])
    index_of = {row.label: row.index for row in classes}
    with st.form("compare.steer"):
        wide, middle, narrow = st.columns([3, 2, 1])
        prompt = wide.text_input(
            "Prompt", pickers.DEFAULT_PROMPT, key="compare.prompt", persist_state="session"
        )
        source = middle.selectbox(
            "Images of", [_EVERY, *index_of], key="compare.source", persist_state="session",
            help=HELP["source"],
        )  # fmt: skip
        degrees = _pick_degrees(narrow, "compare.is")
        if st.form_submit_button("Steer every image"):
            st.session_state[_PROMPT] = (images, prompt, degrees, source)
    asked = st.session_state.get(_PROMPT)
    if asked is None or asked[0] != images or asked[3] not in (_EVERY, *index_of):
        return
    _, prompt, degrees, source = asked
    try:
        prompt = clean_prompt(prompt, max_chars=loaders.settings().max_prompt_chars)
        with st.spinner("Steering…"):
            part, own = deciding.part, index_of.get(source)
            rows = asks.steered_rows(models, images, part, prompt, degrees, own)
    except SingError as error:
        st.error(str(error), icon=":material/error:")
        return
    _show_steered(rows, prompt, degrees)
    options = (
        *deciding.options, ("--prompt", prompt), ("--source", "" if own is None else source),
        ("--image-score", f"{degrees:g}"),
    )  # fmt: skip
    command = commands.of_set("compare", models, images, options)
    exports.offer_table("compare.steer", [row.as_row() for row in rows], command)


def _show_steered(rows: Sequence[SteeredRow], prompt: str, degrees: float) -> None:
    source = f", {in_words(rows[0].source, 120)}" if rows[0].source else ""
    st.caption(f"Towards “{in_words(prompt, 300)}”{source}, at IS = {degrees:g}°:")
    if caveat := _caveat(rows, degrees):
        st.markdown(caveat)
    for row in rows:
        st.markdown(f"- {_sentence(row, degrees)}")


def _caveat(rows: Sequence[SteeredRow], degrees: float) -> str:
    """Say how much of the asked turn the networks can produce: it is read first."""
    titles = {row.model: loaders.models()[row.model].title for row in rows}
    parts, open_ = [], []
    for row in rows:
        turned, nearer, whole = row.feasible_image_score_deg, row.feasible_abs_as, row.abs_as
        if turned is not None and nearer is not None and whole is not None:
            parts.append(
                f"{number(turned.estimate, '.1f')}° with {titles[row.model]} (|AS| "
                f"{number(nearer.estimate, '.1f')}° of {number(whole.estimate, '.1f')}°)"
            )
        elif whole is not None:
            open_.append(titles[row.model])
    told = []
    if parts:
        most = max(row.feasible_n for row in rows)
        told.append(
            "**No network that ends in a ReLU gives these features**: they have negative entries. "
            f"Of IS = {degrees:g}° it can produce at most {listed(parts)}, and only if the logits "
            f"may move by 3 % of the largest ({count(most, 'image')} asked)."
        )
    if open_:
        told.append(f"What can be produced is not known of {listed(open_)}.")
    return " ".join(told)


def _sentence(row: SteeredRow, degrees: float) -> str:
    share = f"{number(row.unreachable, '.1%')} of {row.n:,} images cannot reach IS = {degrees:g}°"
    title = f"**{loaders.models()[row.model].title}**"
    if row.drifting:
        share += (
            f"; {number(row.drifting, '.1%')} would have to step so far that rounding moves a "
            "logit by more than it may, and have no score"
        )
    if row.abs_as is None:
        return f"{title}: {share}."
    sd = _sd(row.abs_as_sd)
    drift = row.max_logit_drift
    stands = "" if drift is None else f"; no logit moves by more than {drift:.1g}"
    return f"{title}: |AS| {interval(row.abs_as)}{sd}{stands}; {share}.{_fixed(row.fixed)}"


def _fixed(fixed: FixedStep) -> str:
    """Say what one step for all images does, in a sentence of its own."""
    if fixed.abs_as is None or fixed.image_score is None:
        return ""
    turned = f"{number(fixed.image_score, '.1f')}°{_sd(fixed.image_score_sd, '.1f')}"
    return (
        f" By one step for all, ε = {fixed.epsilon:.3g}: |AS| {number(fixed.abs_as, '.3f')}°"
        f"{_sd(fixed.abs_as_sd)}; IS {turned}."
    )


def _sd(value: float | None, form: str = ".3f") -> str:
    return "" if value is None else f", sd {number(value, form)}°"


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
    st.markdown(_caveat_of_easiest(found, degrees))
    rows = [target.as_row() for target in found]
    _show_targets(rows)
    options = (
        ("--steer", row.label),
        ("--image-score", f"{degrees:g}"),
        ("--stratum", part.stratum),
    )
    command = commands.of_set("classes", [model], images, options)
    exports.offer_table("classes.steer", rows, command)


def _caveat_of_easiest(found: Sequence[TargetRow], degrees: float) -> str:
    """Say how much of the turn towards the easiest targets the network can produce."""
    scores = [row.feasible_image_score_deg for row in found]
    known = [score for score in scores if score is not None]
    if not known:
        return "What can be produced of these steps is not known: features may be negative."
    least, most = number(min(known), ".1f"), number(max(known), ".1f")
    return (
        f"**No network gives these features**: they have negative entries. Of IS = {degrees:g}° it "
        f"can produce {least}° to {most}° towards the {len(known)} easiest, and only if the logits "
        "may move by 3 % of the largest."
    )


def _show_targets(rows: Sequence[dict[str, object]]) -> None:
    st.dataframe(
        cells.spoken_table(
            rows,
            numbers={
                "as_mean": "+.3f",
                "max_logit_drift": ".1e",
                "feasible_image_score_deg": ".1f",
            },
        ),
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
            "feasible_image_score_deg": st.column_config.NumberColumn(
                "feasible IS °", help=HELP["feasible_steps"]
            ),
        },
    )


def _pick_degrees(place, key: str) -> float:  # noqa: ANN001 - a column or the page itself
    degrees: float = place.number_input(
        "IS (°)", 1.0, 170.0, 40.0, 5.0, key=key, persist_state="session", width=160
    )
    return degrees
