"""The panels of the Explore page: photo, facts, scrubber, decision, concepts, downloads."""

from dataclasses import dataclass

import streamlit as st

from pages._view import downloads, figures, loaders, state
from pages._view.scrubber import scrubber
from pages._view.texts import EQUIVALENT_NOTE, HELP, SHARED_TOWER_NOTE
from sing_core.images import Photo
from sing_core.reports import ClassScore, ImageReport, Sweep


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """Everything that decides what the page shows, but the step."""

    photo: Photo
    model: str
    prompt: str
    mode: str
    target_deg: float

    def ask(self, epsilon: float | None = None) -> ImageReport:
        """Return the report at ``epsilon`` (None: the wanted score, or the end of the sweep).

        Raises:
            SingError: see ``analyse_image``.
        """
        return loaders.report(
            self.photo,
            model=self.model,
            prompt=self.prompt,
            mode=self.mode,
            target_deg=self.target_deg,
            epsilon=epsilon,
        )


def show_photo(photo: Photo) -> None:
    """Draw the photo and what had to be done to read it."""
    st.image(loaders.thumbnail(photo.digest, photo), width="stretch", alt="The chosen photo.")
    for note in photo.notes:
        st.caption(note)
    if problem := loaders.bench().store.problem:
        st.caption(f":material/save: {problem}")


def show_facts(report: ImageReport) -> None:
    """Draw what holds for the photo whatever the step: decision, null space, null energy."""
    top = report.top5_before[0]
    first, second, third = st.columns(3)
    first.metric("Decision", top.label, help=HELP["logits"])
    second.metric(
        "Null space",
        f"{report.nullity} / {report.feature_dim}",
        delta=f"{report.nullity / report.feature_dim:.0%} of the dimensions",
        delta_color="off",
        delta_arrow="off",
        help=HELP["nullity"],
    )
    third.metric(
        "Null energy",
        f"{report.null_energy:.2f}",
        delta="‖Πₙ f‖ / ‖f‖",
        delta_color="off",
        delta_arrow="off",
        help=HELP["null_energy"],
    )
    if report.shares_tower:
        title = loaders.models()[report.model].title
        note = SHARED_TOWER_NOTE.format(model=title, reference=report.reference)
        st.info(note, icon=":material/merge:")


@st.fragment
def show_sweep(question: Question) -> None:
    """Draw the scrubber and what belongs to the released step; a release redraws only this."""
    epsilon = state.number("eps", 0.0, 1e9)
    report = question.ask(epsilon)
    if report.sweep is None:
        return
    released = scrubber(_payload(report, report.sweep), key="explore.scrubber")
    if released is not None and released != report.sweep.epsilon[report.index]:
        report = question.ask(released)
    if released is not None:
        state.remember("eps", f"{released:.6g}")
    left, right = st.columns([1, 1], gap="large")
    with left:
        show_decision(report)
        downloads.offer(report, question.photo)
    with right:
        show_concepts(report)


def _payload(report: ImageReport, sweep: Sweep) -> dict[str, object]:
    top, target = report.top5_before[0], sweep.target
    return {
        "mode": report.mode,
        "prompt": report.prompt,
        "epsilon": sweep.epsilon,
        "image_score_deg": sweep.image_score_deg,
        "attribute_score_deg": sweep.attribute_score_deg,
        "max_logit_drift": sweep.max_logit_drift,
        "max_abs_logit": report.max_abs_logit,
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
        "frames": [],
        "help": {
            name: HELP[name]
            for name in ("image_score", "attribute_score", "logit_drift", "epsilon")
        },
    }


def show_decision(report: ImageReport) -> None:
    """Draw the five likeliest classes before and after, and whether they are the same."""
    st.subheader("The decision stands still", anchor=False)
    before, after = st.columns(2)
    before.dataframe(_rows(report.top5_before), hide_index=True, key="explore.before", **_TABLE)
    after.dataframe(_rows(report.top5_after), hide_index=True, key="explore.after", **_TABLE)
    before.caption("Before: the photo’s feature f")
    after.caption("After: its equivalent f̃")
    drift = report.sweep.max_logit_drift[report.index] if report.sweep else 0.0
    same = [c.index for c in report.top5_before] == [c.index for c in report.top5_after]
    order = "The same five classes in the same order" if same else "The order of the classes differs"
    st.caption(
        f"{order}; over all classes no logit moved by more than {drift:.0e} "
        f"(largest logit {report.max_abs_logit:.1f})."
    )


_TABLE = {
    "column_config": {
        "probability": st.column_config.ProgressColumn(
            "probability", format="percent", min_value=0.0, max_value=1.0
        ),
        "logit": st.column_config.NumberColumn("logit", format="%.3f"),
    },
}


def _rows(classes: tuple[ClassScore, ...]) -> list[dict[str, object]]:
    return [{"class": c.label, "logit": c.logit, "probability": c.probability} for c in classes]


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
