"""The panels of the Explore page: the scene with its slider, and the drawers below it."""

import math

import streamlit as st

from pages._view import loaders, pickers, state
from pages._view.explore import downloads, head_choice, renders
from pages._view.explore.question import Asked
from pages._view.folded import folded
from pages._view.scrubber import scrubber
from pages._view.words.help import (
    EQUIVALENT_NOTE,
    HELP,
    NO_PHOTO,
    OWN_TRANSLATOR_NOTE,
)
from pages._view.words.phrases import percent, size
from sing_core.files.images import Photo
from sing_core.maths.linear_head import DRIFT_BUDGET
from sing_core.sets.stored import StoredImage
from sing_core.studies.reports import ClassScore, ImageReport, Sweep

_ALONE_PX = 240
WITHOUT_PROMPT = "Nothing is steered; what is shown below is the same for every prompt."


def show_without_scene(report: ImageReport, photo: Photo | StoredImage) -> None:
    """Draw the photo and what is known of it, where there is no sweep to pull."""
    show_photo(photo)
    show_decision(report)
    show_facts(report)


def show_without_prompt(fault: str, report: ImageReport, photo: Photo | StoredImage) -> None:
    """Say in the scene's place why the prompt cannot be used, and what holds without any.

    There is no step without a prompt, so nothing of one is shown, whichever prompt it is of.
    """
    with st.container(key="explore_no_prompt"):
        st.error(f"{fault} {WITHOUT_PROMPT}", icon=":material/error:")
        show_photo(photo)
        show_facts(report)


def show_photo(photo: Photo | StoredImage) -> None:
    """Draw the photo by itself, where it is on this machine."""
    if isinstance(photo, StoredImage):
        return
    square = loaders.photo_square(photo.digest, photo)
    said = " ".join(("The photo.", *photo.notes)) if photo.notes else "The photo"
    st.image(square, said, _ALONE_PX, alt="The chosen photo.")


def show_storage() -> None:
    """Say why results are not kept, if they are not; known once the page's work is done."""
    if problem := loaders.bench().store.problem:
        st.caption(f":material/save: {problem}")


def show_facts(report: ImageReport) -> None:
    """Draw what holds for the photo whatever the step: decision, null space, null energy."""
    top = report.top5_before[0]
    share = report.nullity / report.feature_dim
    with st.container(horizontal=True, gap="large"):
        _fact("Decision", top.label, f"{percent(top.probability)} probability", "logits")
        known = f"{report.nullity} / {report.feature_dim}"
        _fact("Null space", known, f"{percent(share)} of the dimensions", "nullity")
        _fact("Null energy", f"{report.null_energy:.2f}", "of the feature’s length", "null_energy")
    pickers.show_reference_note(report.reference)
    if loaders.bench().is_own(report.model, report.reference):
        st.caption(OWN_TRANSLATOR_NOTE)
    if report.variant.sentence:
        st.info(report.variant.sentence, icon=":material/rule:")
    if report.shares_tower:
        pickers.show_tower_note(report.model, report.reference)


def _fact(label: str, value: str, note: str, term: str) -> None:
    st.metric(
        label,
        value,
        delta=note,
        delta_color="off",
        delta_arrow="off",
        help=HELP[term],
        width="content",
    )


_STEP = "explore.eps"
_LINKED = "explore.eps_linked"  # the step that a link asked for, until it is shown
_AS_WRITTEN = 1e-5  # a link has six digits of a step
_STEP_OF = "explore.eps_of"  # digest of the question that the step belongs to


def receive_step() -> None:
    """Take the step that came by link or Back; it moves the slider, as a new sweep does.

    After Back it does so whatever it is: a release that was under way is older.
    """
    shown = st.session_state.get(_STEP)
    if state.receive("eps", _STEP, "", state.is_number(0.0, 1e9), "a step"):
        st.session_state[_LINKED] = st.session_state[_STEP]
    moves = st.session_state[_STEP] != shown or state.went_through_history()
    st.session_state["explore.jumps"] = st.session_state.get("explore.jumps", 0) + moves


def settle_step(asked: Asked) -> None:
    """Forget the step when a widget changed the question: a step belongs to one question.

    What came by link or Back belongs to the question that came with it.
    """
    followed = state.take_followed()
    if st.session_state.get(_STEP_OF, asked.digest) != asked.digest and not followed:
        st.session_state[_STEP] = ""
        st.session_state["explore.jumps"] += 1  # the scrubber, too, forgets its last release
        state.publish("eps", "", "")
    st.session_state[_STEP_OF] = asked.digest


def show_sweep(asked: Asked) -> None:
    """Draw the scene and what belongs to the released step; a release redraws only this.

    While pictures are being drawn the page looks at them every second, in a crowd less often.
    """
    report = _at_step(asked)
    _say_of_step(report)
    period = renders.period(renders.begin(asked, report))
    st.fragment(_show_sweep, run_every=period)(asked, period)


def _say_of_step(report: ImageReport) -> None:
    """Say that a link asked for a step that this sweep has not: the nearest is shown."""
    wanted = st.session_state.pop(_LINKED, "")
    if not wanted or wanted != st.session_state[_STEP] or report.sweep is None:
        return
    shown = report.sweep.epsilon[report.index]
    if math.isclose(float(wanted), shown, rel_tol=_AS_WRITTEN, abs_tol=1e-9):
        return
    state.say(
        f"The link asks for a step of ε = {float(wanted):.6g}, which this sweep does not have; the "
        f"nearest, ε = {shown:.6g}, is shown instead."
    )


def _at_step(asked: Asked) -> ImageReport:
    text = st.session_state[_STEP]
    return asked.ask(float(text) if text else None)


def _show_sweep(asked: Asked, period: float | None) -> None:
    text, jumps = st.session_state[_STEP], st.session_state["explore.jumps"]
    report = _at_step(asked)
    if report.sweep is None:
        return
    job = renders.begin(asked, report)
    payload = _payload(asked, report, report.sweep) | renders.slot(job, asked, report)
    payload["sweep_id"] = f"{asked.digest}-{jumps}"
    released = scrubber(payload, key="explore.scrubber")
    if released is not None and (there := asked.ask(released)).index != report.index:
        report, job = there, renders.begin(asked, there)  # another step, just let go of
    if report.sweep is not None and (text or released is not None):
        st.session_state[_STEP] = f"{report.sweep.epsilon[report.index]:.6g}"
    state.publish("eps", st.session_state[_STEP], "")
    _show_drawers(asked, report, job)
    state.write_url()
    if renders.changes(job, period):
        st.rerun()


def show_head_fault() -> None:
    """Say what is wrong with the choice of a null space, which is folded away."""
    if fault := st.session_state.get(head_choice.FAULT):
        st.caption(f":material/error: {fault}")


def _show_drawers(asked: Asked, report: ImageReport, job: renders.Watched) -> None:
    """Draw the drawers that follow the released step."""
    with st.expander("The decision and the null space", icon=":material/rule:"):
        show_decision(report)
        show_facts(report)
    with st.expander("Pictures", icon=":material/image:"):
        renders.show(asked, report, job)
    if report.sweep is not None:
        _show_on_demand(asked, report, report.sweep.epsilon[report.index], job)
    with st.expander("Take it away", icon=":material/download:"):
        downloads.offer(report, asked.photo)


def _show_on_demand(
    asked: Asked, report: ImageReport, epsilon: float, job: renders.Watched
) -> None:
    """Draw the drawers that work once they are unfolded; the page does not wait for their code."""

    def show_produced() -> None:
        from pages._view.explore import produced

        produced.show(asked, epsilon)

    def show_where() -> None:
        from pages._view.explore import where

        where.show(asked, epsilon)

    def show_pixels() -> None:
        from pages._view.explore import pixels

        pixels.show(asked, report, epsilon)

    if not renders.says_feasible(job):
        label, key = "Could a network produce it?", "explore.produced"
        folded(label, icon=":material/rule_settings:", key=key, show=show_produced)
    folded("Where on the photo", icon=":material/grid_on:", key="explore.where", show=show_where)
    folded("Can pixels do it?", icon=":material/grain:", key="explore.pixels", show=show_pixels)


def _payload(asked: Asked, report: ImageReport, sweep: Sweep) -> dict[str, object]:
    target = sweep.target
    return {
        "mode": report.mode,
        "prompt": report.prompt,
        "photo": _square(asked.photo),
        "no_photo": NO_PHOTO,
        "photo_note": " ".join(asked.photo.notes) if isinstance(asked.photo, Photo) else "",
        "epsilon": sweep.epsilon,
        "feature_norm": report.feature_norm,
        "image_score_deg": sweep.image_score_deg,
        "attribute_score_deg": sweep.attribute_score_deg,
        "average_score_deg": sweep.average_score_deg,
        "prompt_rank": sweep.prompt_rank,
        "concept_count": sweep.concept_count,
        "max_logit_drift": sweep.max_logit_drift,
        "max_abs_logit": report.max_abs_logit,
        "drift_budget": DRIFT_BUDGET,
        "concepts": [
            {"label": c.label, "kind": c.kind, "angle_deg": [round(a, 3) for a in c.angle_deg]}
            for c in sweep.concepts
        ],
        "index": report.index,
        "target": {
            "image_score_deg": target.image_score_deg if target else 0.0,
            "reachable": bool(target and target.reachable),
            "index": target.index if target else None,
            "sentence": target.sentence if target else "",
        },
        "before": _named(report.top5_before[0]) | {"among": len(report.variant.classes)},
        "after": _named(report.top5_after[0]) | {"index": report.index},
        "help": {
            name: HELP[name]
            for name in ("image_score", "attribute_score", "logit_drift", "epsilon", "pictures")
        },
    }


def _square(photo: Photo | StoredImage) -> str:
    return loaders.photo_square(photo.digest, photo) if isinstance(photo, Photo) else ""


def _named(found: ClassScore) -> dict[str, object]:
    return {"label": found.label, "probability": found.probability}


def show_decision(report: ImageReport) -> None:
    """Say whether the decision stands, and how far; draw the five likeliest classes of both."""
    stands = report.variant.is_exact
    st.markdown(f"**The decision {'stands still' if stands else 'may drift'}**")
    sweep = report.sweep
    drift = sweep.max_logit_drift[report.index] if sweep else 0.0
    same = [c.index for c in report.top5_before] == [c.index for c in report.top5_after]
    order = "The same classes in the same order" if same else "The order of the classes differs"
    where = f"At ε = {sweep.epsilon[report.index]:.3g}. " if sweep else ""
    st.caption(
        f"{where}{order}; over all classes no logit moved by more than {size(drift, 1)} "
        f"(largest logit {report.max_abs_logit:.1f}). {EQUIVALENT_NOTE}"
    )
    st.dataframe(_rows(report), hide_index=True, key="explore.classes", column_config=_COLUMNS)


_COLUMNS = {
    "probability": st.column_config.ProgressColumn(format="percent", min_value=0.0, max_value=1.0),
    "logit of f": st.column_config.NumberColumn(format="%.4f"),
    "logit of f̃": st.column_config.NumberColumn(format="%.4f"),
    "difference": st.column_config.TextColumn(alignment="right"),
}


def _rows(report: ImageReport) -> list[dict[str, object]]:
    """Return the original's top five, each beside the class of the same rank for the equivalent."""
    return [
        {
            "class before": old.label,
            "class after": new.label,
            "logit of f": old.logit,
            "logit of f̃": new.logit,
            "difference": size(abs(new.logit - old.logit), 1),
            "probability": new.probability,
        }
        for old, new in zip(report.top5_before, report.top5_after, strict=True)
    ]
