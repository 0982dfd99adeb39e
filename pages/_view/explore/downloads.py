"""Downloads of an analysis: sweep as CSV, everything as JSON, the command that repeats it."""

import csv
import importlib.metadata
import io
import json
import shlex
from dataclasses import asdict

import sing_core
from pages._view import commands, loaders
from pages._view.explore import uploads
from pages._view.exports import File, show_command, show_files
from sing_core.files.images import Photo
from sing_core.models.device import torch_device
from sing_core.models.registry import DEFAULT_REFERENCE
from sing_core.models.workbench import Workbench
from sing_core.sets.stored import StoredImage
from sing_core.studies.reports import ImageReport, Sweep

_FILE = "photo.jpg"  # what a command calls the photo on screen
_LIBRARIES = ("torch", "timm", "open_clip_torch", "numpy")


def offer(report: ImageReport, photo: Photo | StoredImage) -> None:
    """Draw the download buttons and the command."""
    if report.sweep is None:
        return
    sweep, bench = report.sweep, loaders.bench()
    files = (
        File("Sweep (CSV)", "csv", "text/csv", lambda: sweep_csv(sweep)),
        File("Report (JSON)", "json", "application/json", lambda: report_json(report, bench)),
    )
    show_files("explore", f"sing-{report.model}-{photo.digest[:8]}", files)
    show_command("explore", with_file(command(report), photo))


def sweep_csv(sweep: Sweep) -> str:
    """Return the sweep as CSV: scores, drift, and the angle to every shown concept."""
    text = io.StringIO()
    writer = csv.writer(text)
    concepts = [f"angle_deg: {concept.label}" for concept in sweep.concepts]
    writer.writerow(
        [
            "epsilon", "image_score_deg", "attribute_score_deg", "average_score_deg",
            "max_logit_drift", *concepts,
        ]
    )  # fmt: skip
    writer.writerows(
        zip(
            sweep.epsilon,
            sweep.image_score_deg,
            sweep.attribute_score_deg,
            sweep.average_score_deg,
            sweep.max_logit_drift,
            *(concept.angle_deg for concept in sweep.concepts),
            strict=True,
        )
    )
    return text.getvalue()


def report_json(report: ImageReport, bench: Workbench) -> str:
    """Return the report with a manifest of versions and digests."""
    manifest = {
        "sing_explorer": sing_core.__version__,
        "libraries": {name: importlib.metadata.version(name) for name in _LIBRARIES},
        "weights_digest": bench.entry(report.model).weights_digest,
        "device": torch_device(bench.settings),
    }
    facts = asdict(report)
    asked = facts.pop("question")
    named = {name: asked[name] for name in ("model", "reference", "prompt", "mode", "variant")}
    return json.dumps({"manifest": manifest, "report": named | facts}, indent=1)


def command(report: ImageReport) -> str:
    """Return the command that repeats the shown pair.

    A part of null removal has no command: there a comment says what the command gives instead.
    """
    return _note(report) + asked_by("steer" if report.mode == "steer" else "score", report)


def asked_by(verb: str, report: ImageReport, *options: str) -> str:
    """Return the command ``verb`` about the report's question, and its step where it steers."""
    start = f"python -m sing_core {verb} {_FILE}"
    model, prompt = shlex.quote(report.model), shlex.quote(report.prompt)
    parts = [start, f"--model {model}", f"--prompt {prompt}", *report.variant.options]
    if report.reference != DEFAULT_REFERENCE:
        parts.append(f"--reference {shlex.quote(report.reference)}")
    if report.mode == "steer" and report.sweep is not None:
        parts.append(f"--epsilon {report.sweep.epsilon[report.index]!r}")
    return " ".join([*parts, *options])


def with_file(text: str, photo: Photo | StoredImage) -> str:
    """Return a command with the file of a sample photo, else with a note on which file it needs."""
    if not isinstance(photo, Photo):
        note = f"# Needs the photo itself, which is not on this machine: SHA-256 {photo.digest}."
    elif sample := uploads.chosen_sample():
        note = commands.SAMPLES_FOLDER
        text = text.replace(f" {_FILE} ", f" {commands.sample_file(sample.file)} ", 1)
    else:
        note = f"# {_FILE} stands for the photo’s file."
    return f"{note}\n{text}"


def _note(report: ImageReport) -> str:
    if report.mode != "remove" or report.sweep is None:
        return ""
    shown, end = report.sweep.epsilon[report.index], report.sweep.epsilon[-1]
    if shown == end:
        return ""
    return (
        f"# Gives full null removal, ε = {end:.3g}; the page shows a part of it, ε = {shown:.3g}.\n"
    )
