"""The three views of the Renders panel, and what one downloads from them."""

import base64
import io
import json
from collections.abc import Callable, Mapping, Sequence

import streamlit as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pages._view import loaders
from pages._view.exports import File, show_file
from pages._view.words.help import HELP
from pages._view.words.phrases import number, percent, size
from pages._view.words.pictures import (
    ASKED_STEP_NOTE,
    CONTROLS_NOTE,
    FEASIBLE_CONTROLS_NOTE,
    FEASIBLE_MARK_NOTE,
    FEASIBLE_STEP_NOTE,
    PICTURE_NOTE,
    SCALE_NOTE,
    STORED_PICTURE_NOTE,
)
from sing_core.files.images import picture_url
from sing_core.pictures.audit import PictureAudit
from sing_core.pictures.jobs import PictureJob
from sing_core.pictures.protocol import Frames
from sing_core.studies.strips import CONTROLS, PERTURBATION_SEED, SCALE_DEG, Strip

View = Callable[[PictureJob, Strip, int, str, dict[str, object]], None]
_SMALL_PX, _GAP_PX = 200, 8
# A picture's own feature lies further than this from the asked one, in degrees: it failed.
MISSED_DEG = 45.0


def sources(job: PictureJob) -> dict[int, str]:
    """Return the pictures of a job by row, as data URLs."""
    start = "data:image/webp;base64,"
    return {row: start + base64.b64encode(file).decode() for row, file in job.files().items()}


def show_step(
    job: PictureJob, strip: Strip, index: int, photo: str, facts: dict[str, object]
) -> None:
    """Say what is known of the two renders in the scene, always of both."""
    row = strip.row_of(index)
    st.caption(PICTURE_NOTE if photo else STORED_PICTURE_NOTE)
    drift = strip.max_logit_drift[row]
    if strip.infeasible_share is None:
        negative = strip.negative_share[row]
        st.caption(ASKED_STEP_NOTE.format(drift=size(drift, 1), negative=percent(negative)))
    else:
        scores = {"is_": strip.image_score_deg[row], "as_": strip.attribute_score_deg[row]}
        cut = strip.infeasible_share[row]
        said = FEASIBLE_STEP_NOTE.format(cut=percent(cut), drift=drift, **scores)
        st.caption(f"{said} {FEASIBLE_MARK_NOTE}")
    rows = (0, row)
    if all(one in job.audits for one in rows):
        after = f"render of f̃ at ε = {strip.epsilon[row]:.3g}"
        _show_audit([("render of f", job.audits[0]), (after, job.audits[row])])
        _offer([[job.frames[one] for one in rows]], facts | _manifest(job, strip, rows), "renders")


def show_scale(
    job: PictureJob, strip: Strip, index: int, photo: str, facts: dict[str, object]
) -> None:
    """Draw what known image scores look like on the person's own photo (Fig. 10)."""
    del index  # the scale has steps of its own
    rows = sorted(job.frames)
    captions = [
        f"IS {strip.image_score_deg[row]:.0f}° · AS {strip.attribute_score_deg[row]:+.1f}°"
        for row in rows
    ]
    pictures = [_small(job.frames[row]) for row in rows]
    if photo:  # of a stored feature there is none
        pictures, captions = [photo, *pictures], ["The photo", *captions]
    st.image(pictures, captions, _SMALL_PX, alt=captions)
    st.caption(SCALE_NOTE)
    missed = [f"{angle:g}°" for angle in SCALE_DEG[len(strip.indices) :]]
    if missed:
        st.caption(f"This sweep does not reach IS = {' or '.join(missed)}.")
    if len(job.audits) == len(strip.indices):
        sheet = [[job.frames[row] for row in rows]]
        _offer(sheet, facts | {"step": "asked"} | _manifest(job, strip, rows), "scale")


def show_controls(
    job: PictureJob, strip: Strip, index: int, photo: str, facts: dict[str, object]
) -> None:
    """Draw the step beside steps of the same length that are no null steps (Fig. 13)."""
    del index, photo  # every row has the feature itself
    st.caption(CONTROLS_NOTE)
    if strip.infeasible_share is not None or facts["step"] == "feasible":
        st.caption(FEASIBLE_CONTROLS_NOTE)
    width, labels = len(CONTROLS), loaders.class_labels()
    seeds = [int(str(facts["seed"])) + row // width for row in range(len(strip.indices))]
    for first in range(0, len(strip.indices), width):
        rows = [row for row in range(first, first + width) if row in job.frames]
        captions = [_caption(CONTROLS[row - first], strip, job, row, labels) for row in rows]
        if rows:
            st.caption(f"Drawn with seed {seeds[first]}:")
            st.image([_small(job.frames[row]) for row in rows], captions, _SMALL_PX, alt=captions)
    if len(job.audits) == len(strip.indices):
        rows = list(range(len(strip.indices)))
        sheet = [[job.frames[row] for row in rows[i : i + width]] for i in rows[::width]]
        known = _manifest(job, strip, rows)
        fixed = {"perturbation_seed": PERTURBATION_SEED, "seeds": seeds[::width]}
        _offer(sheet, facts | fixed | known, "controls")


def _caption(name: str, strip: Strip, job: PictureJob, row: int, labels: Sequence[str]) -> str:
    what = name if name == "f" else f"{name}: logits move {strip.max_logit_drift[row]:.1g}"
    return f"{what} · seen as {labels[job.audits[row].top1]}" if row in job.audits else what


VIEWS: Mapping[str, View] = {"step": show_step, "scale": show_scale, "controls": show_controls}


def _small(frame: Frames) -> str:
    side = 2 * _SMALL_PX
    return picture_url(Image.fromarray(frame).resize((side, side), Image.Resampling.BICUBIC))


def badge(audit: PictureAudit, labels: Sequence[str], strip: Strip, row: int) -> str:
    """Return what a picture has to say of itself: that it failed, and how; then how far it went."""
    cut = strip.infeasible_share is not None and strip.epsilon[row]
    step = [feasible_words(strip.image_score_deg[row])] if cut else []
    return " · ".join([*faults(audit.angle_deg, "" if audit.agrees else labels[audit.top1]), *step])


def feasible_words(image_score_deg: float) -> str:
    """Return how far the step went that was drawn in place of the asked one."""
    return f"feasible step: IS {image_score_deg:.0f}°"


def faults(angle_deg: float, reads_as: str) -> list[str]:
    """Return in what a picture failed, if it did: ``reads_as`` names a class that is not f's."""
    missed = [f"not what was asked: {angle_deg:.0f}°"] if angle_deg > MISSED_DEG else []
    return [*missed, f"picture reads as {reads_as}"] if reads_as else missed


def _show_audit(read: Sequence[tuple[str, PictureAudit]]) -> None:
    labels = loaders.class_labels()
    st.markdown("**The pictures, read again like any photo**", help=HELP["audit"])
    rows = [
        {
            "picture": name,
            "angle to what was asked": f"{audit.angle_deg:.0f}°",
            "the classifier names": labels[audit.top1],
            "as for the photo": "yes" if audit.agrees else "no",
            "logits differ by up to": f"{audit.max_logit_drift:.2f}",
            "cosine to the prompt": number(audit.prompt_cosine, ".3f"),
        }
        for name, audit in read
    ]
    st.dataframe(rows, hide_index=True, key="explore.audit")


def _manifest(job: PictureJob, strip: Strip, rows: Sequence[int]) -> dict[str, object]:
    """Return what is known of each picture: exact facts of the feature, and the picture's audit."""
    return {
        "frames": [
            {
                "epsilon": strip.epsilon[row],
                "image_score_deg": strip.image_score_deg[row],
                "attribute_score_deg": strip.attribute_score_deg[row],
                "feature_logit_drift": strip.max_logit_drift[row],
                "negative_share": strip.negative_share[row],
                "infeasible_share": strip.infeasible_share and strip.infeasible_share[row],
                "picture_angle_deg": job.audits[row].angle_deg,
                "picture_logit_drift": job.audits[row].max_logit_drift,
                "picture_top1": job.audits[row].top1,
                "picture_top1_agrees": job.audits[row].agrees,
                "picture_prompt_cosine": job.audits[row].prompt_cosine,
            }
            for row in rows
        ]
    }


def _offer(sheet: Sequence[Sequence[Frames]], manifest: dict[str, object], name: str) -> None:
    label = "These renders (PNG with manifest)"
    file = File(label, "png", "image/png", lambda: sheet_png(sheet, manifest))
    stem = f"sing-{manifest['model']}-{str(manifest['image'])[:8]}-{name}"
    show_file("explore", stem, file, width="content")


def sheet_png(sheet: Sequence[Sequence[Frames]], manifest: Mapping[str, object]) -> bytes:
    """Return rows of pictures as one PNG; the manifest stands in its text ``sing``."""
    side = max(len(frame) for row in sheet for frame in row)
    pitch = side + _GAP_PX
    size = (max(len(row) for row in sheet) * pitch - _GAP_PX, len(sheet) * pitch - _GAP_PX)
    picture = Image.new("RGB", size, "white")
    for y, row in enumerate(sheet):
        for x, frame in enumerate(row):
            picture.paste(Image.fromarray(frame).resize((side, side)), (x * pitch, y * pitch))
    facts, payload = PngInfo(), io.BytesIO()
    facts.add_itxt("sing", json.dumps(manifest, ensure_ascii=False))
    picture.save(payload, "PNG", pnginfo=facts)
    return payload.getvalue()
