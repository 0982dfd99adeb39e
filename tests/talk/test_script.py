"""The order of a talk, whose scenes win, and whether it can begin."""

import pytest

from sing_core.errors import SceneError, StaleArtefactError
from sing_core.settings import Settings
from sing_core.talk import script
from tests.talk.recordings import made_up_recording, made_up_scene, write_talk


@pytest.fixture
def settings(tmp_path):
    made = Settings(assets_dir=tmp_path / "assets", cache_dir=tmp_path / "cache")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "registry.toml").write_text("model = []\nreference = []\n")
    write_talk(tmp_path / "assets" / "scenes", 3)
    return made


def test_a_talk_that_ships_is_ready_and_says_so(settings):
    found = script.readiness(settings)
    assert (len(found.recordings), found.problems) == (3, ())
    assert found.sentence == "3 of 3 scenes ready, some weights are not on this machine"


def test_an_own_scene_joins_the_end_and_is_not_ready_before_it_is_recorded(settings):
    scene = made_up_scene("mine")
    script.save_scene(settings, scene)
    assert script.talk(settings) == ("scene-0", "scene-1", "scene-2", "mine")
    found = script.readiness(settings)
    assert found.problems == ("mine: not recorded yet.",)
    script.save_recording(made_up_recording(scene), script.folders(settings)[0])
    assert not script.readiness(settings).problems


def test_an_own_scene_wins_over_a_shipped_one_and_its_old_recording_does_not_fit(settings):
    script.save_scene(settings, made_up_scene("scene-1", epsilon=9.0))
    assert script.load_scene(settings, "scene-1").epsilon == 9.0
    assert script.load_recording(settings, script.load_scene(settings, "scene-1")) is None


def test_other_words_keep_the_recording(settings):
    script.save_scene(settings, made_up_scene("scene-1", caption="Other words."))
    found = script.load_recording(settings, script.load_scene(settings, "scene-1"))
    assert found.payload["scene"]["caption"] == "Other words."


def test_the_order_is_kept_and_a_scene_taken_out_can_come_back(settings):
    script.save_order(settings, ["scene-2", "scene-0", "scene-1"])
    assert script.talk(settings)[0] == "scene-2"
    script.remove_scene(settings, "scene-2")
    assert script.talk(settings) == ("scene-0", "scene-1")
    assert script.scene_names(settings) == ("scene-0", "scene-1", "scene-2")


def test_a_scene_that_is_not_there_or_stands_twice_is_no_order(settings):
    with pytest.raises(SceneError, match="No scene is called gone"):
        script.save_order(settings, ["gone"])
    with pytest.raises(SceneError, match="twice"):
        script.save_order(settings, ["scene-0", "scene-0"])


def test_a_damaged_recording_is_a_problem_and_not_a_crash(settings):
    path = script.folders(settings)[1] / "scene-1.recording.json"
    path.write_text(path.read_text()[:1000])
    with pytest.raises(StaleArtefactError, match="damaged"):
        script.load_recording(settings, script.load_scene(settings, "scene-1"))
    assert len(script.readiness(settings).problems) == 1
