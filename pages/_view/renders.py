"""The Renders panel of Explore: photo, render of the feature, render of its equivalent."""

import base64
import io
import json
from typing import TYPE_CHECKING

import streamlit as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pages._view import loaders, state
from pages._view.texts import ASKED_STEP_NOTE, FEASIBLE_STEP_NOTE, HELP, PICTURE_NOTE
from sing_core.manifest import content_key
from sing_core.picture_jobs import PictureJob, strip_work
from sing_core.render.audit import PictureAudit
from sing_core.render.frame_cache import encode_webp
from sing_core.render.protocol import Frames
from sing_core.reports import ImageReport, Sweep

if TYPE_CHECKING:
    from pages._view.explorer import Question

_RENDERERS = {"off": "Off", "inversion": "Inversion", "karlo": "Karlo UnCLIP"}
_STEPS = {"asked": "As asked", "feasible": "Feasible"}
_RENDERER, _STEP, _SEED = "explore.renderer", "explore.drawn", "explore.seed"
_POLL_S = 1.0


def receive() -> None:
    """Take the panel's choices that came by link."""
    state.receive("renderer", _RENDERER, "off", _RENDERERS.__contains__, "a renderer")
    state.receive("drawn", _STEP, "asked", _STEPS.__contains__, "a kind of step")


def period(question: "Question") -> float | None:
    """Return how often the page looks at the pictures, in seconds; None when nothing moves."""
    job = _job(question)
    return None if job is None or job.done else _POLL_S


def frames(question: "Question") -> list[dict[str, object]]:
    """Return the key frames for the scrubber, as they look now."""
    job = _job(question)
    if job is None or job.strip is None or not job.frames:
        return []
    return [
        {"index": index, "src": _source(frame)}
        for index, frame in zip(job.strip.indices, list(job.frames), strict=True)
    ]


def _source(frame: Frames) -> str:
    return "data:image/webp;base64," + base64.b64encode(encode_webp(frame)).decode()


def _job(question: "Question") -> PictureJob | None:
    """Return the rendering of this question, begun now if need be; None when pictures are off."""
    renderer = st.session_state.get(_RENDERER) or "off"
    seed, feasible = (
        int(st.session_state.get(_SEED) or 0),
        st.session_state.get(_STEP) == "feasible",
    )
    key = content_key(question.digest, renderer, str(seed), str(feasible))
    before = st.session_state.get("explore.picture_job")
    if before is not None and before[0] != key:
        before[1].stop()
        st.session_state["explore.picture_job"] = None
    if renderer == "off":
        return None
    report = question.ask()
    if report.sweep is None:
        return None
    work = strip_work(
        loaders.studio(), question.photo, report, renderer=renderer, seed=seed, feasible=feasible
    )
    job = loaders.desk().job(key, work)
    st.session_state["explore.picture_job"] = (key, job)
    return job


def show(question: "Question", report: ImageReport) -> None:
    """Draw the panel for the released step of ``report``."""
    st.subheader("What it looks like", anchor=False, help=HELP["pictures"])
    first, second, third = st.columns([2, 2, 1])
    with first:
        st.segmented_control(
            "Pictures", list(_RENDERERS), format_func=_RENDERERS.__getitem__, required=True,
            key=_RENDERER, persist_state="session", width="stretch",
        )  # fmt: skip
    with second:
        st.segmented_control(
            "Which step is drawn", list(_STEPS), format_func=_STEPS.__getitem__, required=True,
            key=_STEP, persist_state="session", help=HELP["feasible"], width="stretch",
        )  # fmt: skip
    with third:
        st.number_input("Seed", 0, 2**31 - 1, key=_SEED, persist_state="session")
    state.publish("renderer", st.session_state[_RENDERER] or "off", "off")
    state.publish("drawn", st.session_state[_STEP] or "asked", "asked")
    job = _job(question)
    if job is None:
        st.caption(
            "Inversion draws on this machine; a strip takes about a minute on two processor cores."
        )
        return
    if job.error:
        st.warning(job.error, icon=":material/image_not_supported:")
        return
    if report.sweep is not None:
        _show_job(question, report, report.sweep, job)


def _show_job(question: "Question", report: ImageReport, sweep: Sweep, job: PictureJob) -> None:
    if job.strip is None or not job.frames:
        st.progress(0.0, "Waiting for the first picture…")
        return
    if not job.done:
        share = job.step / max(1, job.steps)
        st.progress(share, f"Step {job.step} of {job.steps} at {len(job.frames[0])} pixels.")
    row = job.strip.row_of(report.index)
    step = sweep.epsilon[job.strip.indices[row]]
    pictures = list(job.frames)
    photo, original, equivalent = st.columns(3)
    photo.image(loaders.thumbnail(question.photo.digest, question.photo), "The photo", "stretch")
    original.image(_large(pictures[0]), "Render of its feature f", "stretch")
    equivalent.image(_large(pictures[row]), f"Render of f̃ at ε = {step:.3g}", "stretch")
    st.caption(PICTURE_NOTE)
    if job.strip.infeasible_share is not None:
        cut, drift = job.strip.infeasible_share[row], job.strip.max_logit_drift[row]
        st.caption(FEASIBLE_STEP_NOTE.format(cut=cut, drift=drift))
    else:
        st.caption(ASKED_STEP_NOTE.format(drift=job.strip.max_logit_drift[row]))
    if job.audits:
        _show_audit(job.audits[0], job.audits[row])
        _offer(question, report, job, row, step)


def _large(frame: Frames) -> Image.Image:
    return Image.fromarray(frame).resize((384, 384), Image.Resampling.BICUBIC)


def _show_audit(original: PictureAudit, equivalent: PictureAudit) -> None:
    labels = loaders.class_labels()
    st.markdown("**The pictures, read again like any photo**", help=HELP["audit"])
    rows = [
        {
            "picture": name,
            "angle to what was asked": f"{audit.angle_deg:.0f}°",
            "the classifier names": labels[audit.top1],
            "as for the photo": "yes" if audit.agrees else "no",
            "logits differ by up to": f"{audit.max_logit_drift:.2f}",
            "cosine to the prompt": f"{audit.prompt_cosine:.3f}",
        }
        for name, audit in (("render of f", original), ("render of f̃", equivalent))
    ]
    st.dataframe(rows, hide_index=True, key="explore.audit")


def _offer(
    question: "Question", report: ImageReport, job: PictureJob, row: int, step: float
) -> None:
    manifest = {
        "image": question.photo.digest,
        "model": report.model,
        "reference": report.space_id,
        "prompt": report.prompt,
        "mode": report.mode,
        "epsilon": step,
        "renderer": st.session_state[_RENDERER],
        "seed": int(st.session_state.get(_SEED) or 0),
        "step": st.session_state[_STEP],
        "feature_logit_drift": job.strip.max_logit_drift[row] if job.strip else None,
        "picture_angle_deg": job.audits[row].angle_deg,
        "picture_logit_drift": job.audits[row].max_logit_drift,
        "picture_top1_agrees": job.audits[row].agrees,
    }
    st.download_button(
        "Both renders (PNG with manifest)", pair_png(job.frames[0], job.frames[row], manifest),
        f"sing-{report.model}-{question.photo.digest[:8]}-renders.png", "image/png",
        key="explore.png", on_click="ignore", icon=":material/download:",
    )  # fmt: skip


def pair_png(original: Frames, equivalent: Frames, manifest: dict[str, object]) -> bytes:
    """Return both renders side by side as PNG; the manifest stands in its text ``sing``."""
    picture = Image.new("RGB", (2 * original.shape[1] + 8, original.shape[0]), "white")
    picture.paste(Image.fromarray(original), (0, 0))
    picture.paste(Image.fromarray(equivalent), (original.shape[1] + 8, 0))
    facts, payload = PngInfo(), io.BytesIO()
    facts.add_itxt("sing", json.dumps(manifest, ensure_ascii=False))
    picture.save(payload, "PNG", pnginfo=facts)
    return payload.getvalue()
