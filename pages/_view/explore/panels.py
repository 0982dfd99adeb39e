"""The panels of the Explore page: photo, facts, scrubber, decision, concepts, downloads."""

import streamlit as st

from pages._view import loaders, pickers, state
from pages._view.explore import downloads, figures, renders
from pages._view.explore.question import Asked
from pages._view.scrubber import scrubber
from pages._view.words.help import EQUIVALENT_NOTE, HELP, OWN_TRANSLATOR_NOTE
from sing_core.files.images import Photo
from sing_core.maths.equivalents import DRIFT_BUDGET
from sing_core.studies.reports import ImageReport, Sweep


def show_photo(photo: Photo) -> None:
    """Draw the photo and what had to be done to read it."""
    st.image(loaders.photo_url(photo.digest, photo), width="stretch", alt="The chosen photo.")
    for note in photo.notes:
        st.caption(note)


def show_storage() -> None:
    """Say why results are not kept, if they are not; known once the page's work is done."""
    if problem := loaders.bench().store.problem:
        st.caption(f":material/save: {problem}")


def show_facts(report: ImageReport) -> None:
    """Draw what holds for the photo whatever the step: decision, null space, null energy."""
    top = report.top5_before[0]
    share = report.nullity / report.feature_dim
    with st.container(horizontal=True, gap="large"):
        _fact("Decision", top.label, f"{top.probability:.0%} probability", "logits")
        size = f"{report.nullity} / {report.feature_dim}"
        _fact("Null space", size, f"{share:.0%} of the dimensions", "nullity")
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
_STEP_OF = "explore.eps_of"  # digest of the question that the step belongs to


def receive_step() -> None:
    """Take the step that came by link or Back; it moves the slider, as a new sweep does."""
    shown = st.session_state.get(_STEP)
    state.receive("eps", _STEP, "", state.is_number(0.0, 1e9), "a step")
    jumps = st.session_state.get("explore.jumps", 0) + (st.session_state[_STEP] != shown)
    st.session_state["explore.jumps"] = jumps


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
    """Draw the scrubber and what belongs to the released step; a release redraws only this.

    While pictures are being drawn the page looks at them every second.
    """
    period = renders.period(renders.begin(asked, _at_step(asked)))
    st.fragment(_show_sweep, run_every=period)(asked, period)


def _at_step(asked: Asked) -> ImageReport:
    text = st.session_state[_STEP]
    return asked.ask(float(text) if text else None)


def _show_sweep(asked: Asked, period: float | None) -> None:
    text, jumps = st.session_state[_STEP], st.session_state["explore.jumps"]
    report = _at_step(asked)
    if report.sweep is None:
        return
    job = renders.begin(asked, report)
    payload = _payload(report, report.sweep) | {
        "sweep_id": f"{asked.digest}-{jumps}",
        "frames": renders.frames(job),
    }
    released = scrubber(payload, key="explore.scrubber")
    if released is not None and (there := asked.ask(released)).index != report.index:
        report, job = there, renders.begin(asked, there)  # another step, just let go of
    if report.sweep is not None and (text or released is not None):
        st.session_state[_STEP] = f"{report.sweep.epsilon[report.index]:.6g}"
    state.publish("eps", st.session_state[_STEP], "")
    left, right = st.columns([1, 1], gap="large")
    with left:
        show_decision(report)
        downloads.offer(report, asked.photo)
    with right:
        show_concepts(report)
    renders.show(asked, report, job)
    state.write_url()
    if renders.period(job) != period:
        st.rerun()


def _payload(report: ImageReport, sweep: Sweep) -> dict[str, object]:
    top, target = report.top5_before[0], sweep.target
    return {
        "mode": report.mode,
        "prompt": report.prompt,
        "epsilon": sweep.epsilon,
        "feature_norm": report.feature_norm,
        "image_score_deg": sweep.image_score_deg,
        "attribute_score_deg": sweep.attribute_score_deg,
        "average_score_deg": sweep.average_score_deg,
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
        "decision": f"{top.label} · {top.probability:.0%}",
        "help": {
            name: HELP[name]
            for name in ("image_score", "attribute_score", "logit_drift", "epsilon")
        },
    }


def show_decision(report: ImageReport) -> None:
    """Draw the five likeliest classes before and after, and whether they are the same."""
    stands = report.variant.is_exact
    st.subheader(f"The decision {'stands still' if stands else 'may drift'}", anchor=False)
    st.dataframe(_rows(report), hide_index=True, key="explore.classes", column_config=_COLUMNS)
    drift = report.sweep.max_logit_drift[report.index] if report.sweep else 0.0
    same = [c.index for c in report.top5_before] == [c.index for c in report.top5_after]
    order = "The same classes in the same order" if same else "The order of the classes differs"
    st.caption(
        f"{order}; over all classes no logit moved by more than {drift:.0e} "
        f"(largest logit {report.max_abs_logit:.1f})."
    )


_COLUMNS = {
    "probability": st.column_config.ProgressColumn(format="percent", min_value=0.0, max_value=1.0),
    "logit of f": st.column_config.NumberColumn(format="%.4f"),
    "logit of f̃": st.column_config.NumberColumn(format="%.4f"),
    "difference": st.column_config.NumberColumn(format="%.0e"),
}


def _rows(report: ImageReport) -> list[dict[str, object]]:
    """Return the original's top five, each beside the class of the same rank for the equivalent."""
    return [
        {
            "class before": old.label,
            "class after": new.label,
            "logit of f": old.logit,
            "logit of f̃": new.logit,
            "difference": abs(new.logit - old.logit),
            "probability": new.probability,
        }
        for old, new in zip(report.top5_before, report.top5_after, strict=True)
    ]


def show_concepts(report: ImageReport) -> None:
    """Draw the concepts' angles before and after the released step."""
    if report.sweep is None:
        return
    st.subheader("The meaning moves", anchor=False, help=HELP["concepts"])
    epsilon = report.sweep.epsilon[report.index]
    st.plotly_chart(
        figures.concept_arrows(report.sweep, report.index),
        key="explore.concepts",
        config={"displaylogo": False},
        alt="Angles of the nearest concepts before and after the step.",
    )
    st.caption(f"At ε = {epsilon:.3g}. {EQUIVALENT_NOTE}")
