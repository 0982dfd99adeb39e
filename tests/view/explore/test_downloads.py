"""Downloads say what the page shows, and the shown command really repeats it."""

import csv
import io
import json
import shlex
import sys

import pytest

import sing_core
from pages._view import loaders
from pages._view.explore import downloads
from sing_core.cli.main import main
from sing_core.files.samples import SAMPLES
from tests.command import in_a_shell

QUOTED = """it's "a" $(dog) `on` a <carpet>; rm -rf \\ & co"""


def run(command, monkeypatch, capsys):
    """Run the shown command in this process, with --json; return its only row."""
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "sing_core"]
    monkeypatch.setattr(sys, "argv", ["sing_core", *words[3:], "--json"])
    main()
    (line,) = capsys.readouterr().out.splitlines()
    return json.loads(line)


def test_the_csv_is_the_sweep(analyse):
    sweep = analyse().sweep
    header, *rows = csv.reader(io.StringIO(downloads.sweep_csv(sweep)))
    scores = ["image_score_deg", "attribute_score_deg", "average_score_deg"]
    assert header[:5] == ["epsilon", *scores, "max_logit_drift"]
    assert header[5:] == [f"angle_deg: {concept.label}" for concept in sweep.concepts]
    columns = [tuple(map(float, column)) for column in zip(*rows, strict=True)]
    assert columns[:5] == [
        sweep.epsilon,
        sweep.image_score_deg,
        sweep.attribute_score_deg,
        sweep.average_score_deg,
        sweep.max_logit_drift,
    ]
    assert columns[5:] == [concept.angle_deg for concept in sweep.concepts]


@pytest.mark.slow
def test_a_prompt_with_quotes_and_commas_survives_the_csv(analyse):
    sweep = analyse(prompt='a "red", wet dog').sweep
    header = next(csv.reader(io.StringIO(downloads.sweep_csv(sweep))))
    assert header[5] == 'angle_deg: a "red", wet dog'


def test_the_json_holds_the_report_and_a_manifest(analyse):
    report = analyse()
    found = json.loads(downloads.report_json(report, loaders.bench()))
    assert found["report"]["sweep"]["epsilon"] == list(report.sweep.epsilon)
    assert found["report"]["digest"] == report.digest
    assert found["report"]["top5_before"][0]["label"] == report.top5_before[0].label
    manifest = found["manifest"]
    assert manifest["sing_explorer"] == sing_core.__version__
    assert len(manifest["weights_digest"]) == 64
    assert {"torch", "timm", "open_clip_torch", "numpy"} <= set(manifest["libraries"])
    assert manifest["device"] in ("cpu", "cuda")


@pytest.mark.parametrize("prompt", ["an image of a jellyfish", "a blurry grey dog", QUOTED])
@pytest.mark.slow
def test_the_shown_steering_command_repeats_the_shown_numbers(
    analyse, photo_folder, monkeypatch, capsys, prompt
):
    report = analyse(prompt=prompt)
    row = run(downloads.command(report), monkeypatch, capsys)
    i = report.index
    assert row["epsilon"] == report.sweep.epsilon[i]
    for name in ("image_score_deg", "attribute_score_deg"):
        assert row[name] == pytest.approx(getattr(report.sweep, name)[i], abs=1e-6)
    assert row["top1_before"]["label"] == report.top5_before[0].label


@pytest.mark.slow
def test_the_shown_removal_command_repeats_the_shown_numbers(
    analyse, photo_folder, monkeypatch, capsys
):
    report = analyse(prompt=QUOTED, mode="remove", model="lite1")
    row = run(downloads.command(report), monkeypatch, capsys)
    assert (row["prompt"], row["digest"]) == (report.prompt, report.digest)
    for name in ("image_score_deg", "attribute_score_deg"):
        assert row[name] == pytest.approx(getattr(report.sweep, name)[-1], abs=1e-6)
    assert row["nullity"] == 280


def test_a_part_of_null_removal_is_not_passed_off_as_the_command_s_result(analyse):
    whole, part = (analyse(mode="remove", epsilon=epsilon) for epsilon in (None, 1.0))
    assert "#" not in downloads.command(whole)
    note, command = downloads.command(part).splitlines()
    end, shown = part.sweep.epsilon[-1], part.sweep.epsilon[part.index]
    assert note.startswith(f"# Gives full null removal, ε = {end:.3g}; ")
    assert note.endswith(f"ε = {shown:.3g}.")
    assert command == downloads.command(whole)


def test_the_command_at_a_released_step_names_that_step(analyse):
    report = analyse(epsilon=1.0)
    chosen = report.sweep.epsilon[report.index]
    assert f"--epsilon {chosen!r}" in downloads.command(report)
    assert abs(chosen - 1.0) < 0.5


@pytest.mark.slow
def test_a_prompt_stays_one_word_for_the_shell(analyse):
    words = shlex.split(downloads.command(analyse(prompt=QUOTED)))
    assert words[words.index("--prompt") + 1] == QUOTED


@pytest.mark.slow
def test_a_prompt_that_looks_like_an_option_is_still_a_prompt(
    analyse, photo_folder, monkeypatch, capsys
):
    report = analyse(prompt="--json dog")
    row = run(downloads.command(report), monkeypatch, capsys)
    expected = report.sweep.attribute_score_deg[report.index]
    assert row["attribute_score_deg"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.slow
def test_the_file_of_a_sample_is_named_and_that_of_another_photo_is_said_to_be_missing(
    analyse, chelsea, monkeypatch
):
    text = downloads.command(analyse(prompt="photo.jpg dog"))
    note, same = downloads.with_file(text, chelsea).splitlines()
    assert (note, same) == ("# photo.jpg stands for the photo’s file.", text)
    monkeypatch.setattr(downloads.uploads, "chosen_sample", lambda: SAMPLES[0])
    folder, line = downloads.with_file(text, chelsea).splitlines()
    file = '"$samples"/chelsea.png'
    assert line == text.replace("photo.jpg", file, 1)
    assert in_a_shell(f"{folder}\nsha256sum {file}").stdout.split()[0] == chelsea.digest
