"""A scene is a file that people write and send: what is in it is data."""

import json

import pytest

from sing_core.errors import SceneError
from sing_core.talk.scene import photo_of, scene_from_json
from tests.talk.recordings import made_up_scene


def test_a_scene_survives_its_file():
    scene = made_up_scene(notes="“quoted”\nand a second line", threshold=0.05, classes=())
    assert scene_from_json(scene.to_json()) == scene


def test_words_change_no_key_and_the_step_does():
    scene = made_up_scene()
    assert made_up_scene(caption="other", notes="").key == scene.key
    assert made_up_scene(epsilon=6.1).key != scene.key
    assert made_up_scene(drawn="asked").key != scene.key


def test_a_scene_asks_its_question_at_its_own_step():
    question = made_up_scene().question
    assert (question.epsilon, question.variant.classes) == (6.0, (1, 207, 282))


@pytest.mark.parametrize(
    "change",
    [
        {"name": "../../etc/passwd"},
        {"name": "Scene"},
        {"prompt": ""},
        {"prompt": "x" * 301},
        {"mode": "fly"},
        {"drawn": "both"},
        {"classes": [1, "2"]},
        {"classes": [True]},
        {"epsilon": -1},
        {"epsilon": "6"},
        {"epsilon": float("nan")},
        {"centred": 1},
        {"photo": 3},
        {"notes": "x" * 4001},
        {"surprise": 1},
    ],
    ids=str,
)
def test_what_no_scene_can_have_is_refused_in_a_sentence(change):
    fields = json.loads(made_up_scene().to_json()) | change
    with pytest.raises(SceneError, match=r"\.$|not\.$"):
        scene_from_json(json.dumps(fields))


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "[" * 100_000, "\x00"])
def test_a_file_that_is_no_scene_is_refused(text):
    with pytest.raises(SceneError):
        scene_from_json(text)


def test_a_photo_that_is_not_here_is_said_by_the_scenes_name(toy_bench):
    with pytest.raises(SceneError, match="scene cat-fox is not on this computer"):
        photo_of(toy_bench, made_up_scene(photo="f" * 64))
    assert photo_of(toy_bench, made_up_scene()).width == 451
