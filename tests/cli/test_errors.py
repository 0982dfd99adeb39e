"""The command line refuses in one line: kind and message, exit code 2, nothing half-written."""

import os
from pathlib import Path

import pytest
import torch

from tests.command import command

ASK = ("--model", "lite0", "--prompt", "an image of a jellyfish")


@pytest.mark.slow
def test_wrong_arguments_are_errors_of_the_same_form(refusal, photos, tmp_path):
    usage = {"kind": "UsageError"}
    assert "prompt" in refusal("score", photos[0], "--model", "lite0", **usage)
    assert "--jump" in refusal("models", "--jump", **usage)
    assert "nonsense" in refusal("nonsense", **usage)
    for both in ((), ("--epsilon", 1, "--image-score", 2)):
        assert "either --epsilon or" in refusal("steer", photos[0], *ASK, *both, **usage)
    for both in ((), ("--text", "a", "--image", photos[0])):
        assert "--image or --text" in refusal("embed", *both, "--out", tmp_path / "e", **usage)
    assert "steps" in refusal("sweep", photos[0], *ASK, "--steps", 1, **usage)
    assert "epsilon" in refusal("steer", photos[0], *ASK, "--epsilon", "far", **usage)


def test_a_wrong_setting_is_an_error_of_the_same_form(refusal, monkeypatch):
    monkeypatch.setenv("SING_THREADS", "many")
    assert "SING_THREADS" in refusal("models", kind="SettingsError")


def test_a_missing_cuda_driver_is_one_sentence_at_the_start(refusal, monkeypatch, photos):
    monkeypatch.setenv("SING_DEVICE", "cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    message = refusal("score", photos[0], *ASK, kind="NoDeviceError")
    assert message.startswith("SING_DEVICE is cuda, and PyTorch finds no CUDA device")


@pytest.mark.slow
def test_hostile_names_and_files_are_errors_of_the_same_form(refusal, photos, tmp_path):
    for name, payload, words in (
        ("empty.jpg", b"", "empty"),
        ("text.png", b"hello", "not a picture"),
        ("cut.png", photos[0].read_bytes()[:500], "damaged"),
        ("[red]bold ; rm -rf $(x).png", b"\0" * 10, "zero bytes"),
    ):
        (tmp_path / name).write_bytes(payload)
        message = refusal("score", tmp_path / name, *ASK, kind="UnsupportedImageError")
        assert words in message
        assert message.startswith(f"{name}: ")
    assert "No such file" in refusal("score", tmp_path / "none.png", *ASK, kind="FileError")
    assert "directory" in refusal("score", tmp_path, *ASK, kind="FileError")
    for model in ("../../etc/passwd", "lite0 ", "x" * 3000, ""):
        refusal("score", photos[0], "--model", model, "--prompt", "x", kind="UnknownNameError")
        refusal("score", photos[0], *ASK, "--reference", model, kind="UnknownNameError")


@pytest.mark.parametrize("prompt", ["", " \n", "x" * 10_000, "🐱", "\x1b[", "\u200b\x07"])
@pytest.mark.slow
def test_hostile_prompts_are_errors_of_the_same_form(prompt, refusal, photos):
    ask = ("--model", "lite0", "--prompt", prompt)
    for verb in ("score", "steer", "sweep"):
        more = ("--epsilon", 1) if verb == "steer" else ()
        refusal(verb, photos[0], *ask, *more, kind="PromptError")


@pytest.mark.slow
def test_markup_and_emoji_codes_in_names_and_prompts_are_printed_as_they_are(run, photos, tmp_path):
    odd = tmp_path / "[red]:cat:[bold] \\[x].png"
    odd.write_bytes(photos[0].read_bytes())
    prompt = "a [bold]:dog:[/bold] <b>x</b>"
    code, out, _ = run("score", odd, "--model", "lite0", "--prompt", prompt)
    assert code == 0
    joined = "".join(out.split())
    assert "".join(odd.name.split()) in joined
    assert "".join(prompt.split()) in joined


@pytest.mark.slow
def test_places_that_cannot_be_written_are_errors_and_leave_nothing_behind(refusal, tmp_path):
    (tmp_path / "file").write_text("in the way")
    export = ("export", "--model", "lite0", "--out")
    refusal(*export, tmp_path / "file" / "x.safetensors", kind="FileError")
    (tmp_path / "folder").mkdir()
    refusal(*export, tmp_path / "folder", kind="FileError")
    assert sorted(path.name for path in tmp_path.iterdir() if "asset" not in path.name) == [
        "file",
        "folder",
    ]


@pytest.mark.slow
def test_a_file_name_that_is_not_text_is_no_accident(toy_assets, tmp_path):
    odd = os.fsencode(tmp_path) + b"/caf\xe9.png"
    Path(os.fsdecode(odd)).write_bytes(b"nothing to see")
    assets = {"SING_ASSETS_DIR": str(toy_assets)}
    found = command("score", os.fsdecode(odd), *ASK, **assets)
    assert found.returncode == 2
    assert "not a picture" in found.stderr
    for name, more in ((odd + b"x", ()), (odd + b"y", ("--json",))):
        missing = command("score", os.fsdecode(name), *ASK, *more, **assets)
        assert missing.returncode == 2
        assert "No such file" in missing.stderr
        assert "Traceback" not in missing.stderr
