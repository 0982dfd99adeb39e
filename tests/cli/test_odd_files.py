"""Devices, pipes and endless links where a path is taken: a sentence at once, never a wait."""

import json
import os
import shutil

import pytest
import timm
from safetensors.torch import save_file

from sing_core.errors import WeightsUnavailableError
from sing_core.models.references import space_id
from sing_core.settings import Settings
from tests.prepared_sets import WNIDS, class_folders, jpeg

COMMANDS = {
    "score": ("score", "{}", "--model", "lite0", "--prompt", "a cat"),
    "features": ("features", "{}", "--model", "lite0", "--out", "out.safetensors"),
    "embed": ("embed", "--image", "{}", "--out", "out.safetensors"),
    "prepare": ("prepare", "--images", "{}", "--name", "odd"),
    "fit-translator": ("fit-translator", "--model", "lite0", "--images", "{}"),
    "validate-heads": ("validate-heads", "--model", "lite0", "--images", "{}"),
    "zero-shot": ("zero-shot", "{photo}", "--prompt", "a cat", "--classes", "{}"),
    "concepts": ("concepts", "--model", "lite0", "--list", "{}"),
    "weights": ("score", "{photo}", "--model", "test_resnet@{}", "--prompt", "a cat"),
    "import-translator": ("import-translator", "{}"),
    "render": ("render", "--embeddings", "{}", "--renderer", "karlo", "--out", "out"),
}


@pytest.fixture(params=["pipe", "device", "link in a circle"])
def odd(request, tmp_path):
    path = tmp_path / "odd.safetensors"
    if request.param == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero" if request.param == "device" else path)
    return path


@pytest.mark.slow
@pytest.mark.timeout(60)
@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_no_regular_file_is_refused_at_once(refusal, odd, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.jpg").write_bytes(jpeg(0))
    words = [word.format(odd, photo=tmp_path / "photo.jpg") for word in COMMANDS[command]]
    message = refusal(*words)
    assert "No such option" not in message
    assert message.endswith(".")
    assert not (tmp_path / "out.safetensors").exists()


@pytest.mark.timeout(60)
def test_a_pipe_beside_weights_is_not_waited_for(run, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(jpeg(0))
    save_file(timm.create_model("test_resnet").state_dict(), tmp_path / "w.safetensors")
    (tmp_path / "w.safetensors.sha256").symlink_to("/dev/zero")  # passed over: no regular file
    os.mkfifo(tmp_path / "w.txt")
    name = f"test_resnet@{tmp_path / 'w.safetensors'}"
    asked = ("score", tmp_path / "photo.jpg", "--model", name, "--prompt", "a cat", "--json")
    code, out, err = run(*asked)
    assert (code, out) == (2, "")
    note, problem = err.splitlines()
    assert "1,000 classes whose names are not known" in note
    assert "has no null space" in json.loads(problem)["message"]  # it was loaded


def test_a_pipe_in_the_folder_of_a_reference_is_no_weights_file(tmp_path):
    (tmp_path / "open_clip_config.json").write_text("{}")
    os.mkfifo(tmp_path / "open_clip_model.safetensors")
    (tmp_path / "epoch_1.pt").symlink_to("/dev/zero")
    with pytest.raises(WeightsUnavailableError, match="is not an open_clip model"):
        space_id(f"local-dir:{tmp_path}", Settings())


@pytest.mark.timeout(120)
@pytest.mark.slow
def test_what_is_odd_among_images_is_named_and_the_others_are_prepared(run, tmp_path):
    folder = class_folders(tmp_path / "set", 2, WNIDS[:1]) / WNIDS[0]
    os.mkfifo(folder / "pipe.jpg")
    (folder / "zero.jpg").symlink_to("/dev/zero")
    code, _, err = run("prepare", "--images", tmp_path / "set", "--name", "odd-images")
    assert code == 0
    assert err.count("it is a device or a pipe, no regular file") == 2
    shutil.rmtree(tmp_path / "set")
