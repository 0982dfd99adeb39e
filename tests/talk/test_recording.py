"""A recording: exact numbers at every step, pictures where a player needs them, honest reading."""

import json
from dataclasses import replace

import pytest

from sing_core.errors import StaleArtefactError
from sing_core.files.seals import unsealed
from sing_core.pictures.studio import Studio
from sing_core.talk.camera import key_indices, numbers
from sing_core.talk.readings import rank_of
from sing_core.talk.recording import recording_from_json
from sing_core.talk.rows import scene_row
from sing_core.talk.scene import photo_of
from sing_core.talk.verification import verify, witnesses_of
from tests.talk.recordings import made_up_recording, made_up_scene


def test_a_recording_survives_its_file_and_knows_its_scene():
    made = made_up_recording(made_up_scene())
    found = recording_from_json(made.to_json(), "cat-fox")
    assert found.payload == unsealed(json.loads(made.to_json()))
    assert found.fits(made.scene)
    assert not found.fits(replace(made.scene, prompt="another"))
    assert found.frames().shape == (4, 128, 128, 3)
    assert found.pair == (0, 3)


@pytest.mark.parametrize("change", [{"version": 0}, {"scene": None}, {"scene": {"name": "a"}}])
def test_a_recording_of_another_kind_is_stale(change):
    payload = made_up_recording(made_up_scene()).payload | change
    with pytest.raises(StaleArtefactError, match="recording of cat-fox"):
        recording_from_json(json.dumps(payload), "cat-fox")


def test_a_picture_is_drawn_about_every_ten_degrees_and_at_the_scenes_own_step():
    scores = [float(score) for score in range(41)]
    assert key_indices(scores, 40) == (0, 10, 20, 30, 40)
    assert key_indices(scores, 12) == (0, 12, 20, 30, 40)
    assert key_indices([0.0, 1.0, 2.0], 2) == (0, 2)


def test_a_text_that_is_a_concept_is_not_in_its_own_way():
    import torch

    concepts = torch.eye(4)
    seen = torch.tensor([[1.0, 0.2, 0.1, 0.0]])
    assert [int(rank_of(seen, text, concepts)) for text in concepts] == [1, 2, 3, 4]


@pytest.mark.slow
def test_the_numbers_end_at_forty_degrees_and_move_no_logit(real_bench):
    scene = made_up_scene(epsilon=None, classes=(281, 282, 285, 340, 404))
    found = numbers(Studio(real_bench), scene, photo_of(real_bench, scene))
    payload = found.payload
    assert not found.has_pictures
    assert payload["deciding"] == 5
    assert payload["nullity"] == 1275
    assert payload["image_score_deg"][payload["start"]] == pytest.approx(40, abs=1e-3)
    assert payload["start"] == len(payload["epsilon"]) - 1
    assert max(payload["max_logit_drift"]) < 1e-5 * payload["max_abs_logit"]
    assert payload["rank"][-1] == 1 < payload["rank"][0]
    assert payload["before"]["label"] == payload["after"]["label"] == "tiger cat"


@pytest.mark.slow
def test_what_holds_is_computed_from_the_pictures_and_never_declared(real_bench):
    made = made_up_recording(made_up_scene())
    made.payload["verified"] = True
    assert not verify(real_bench, made).current, "it names another reference"
    assert set(witnesses_of(real_bench, made)) >= {"lite1", "lite2"}
    found = verify(real_bench, made)
    assert not found.verified, "plain pictures show nothing"
    row = scene_row(real_bench, made.scene, made)
    assert row["verified"] is False
    assert row["picture_top1_before"] == found.own.before.label
    assert tuple(one["model"] for one in row["witnesses"]) == witnesses_of(real_bench, made)


def test_who_guided_the_drawing_is_no_witness(toy_bench):
    drawn = made_up_recording(made_up_scene(renderer="drawn"))
    found = witnesses_of(toy_bench, drawn)
    assert "lite1" in found
    assert not {"lite0", "lite2"} & set(found), "lite2 has the reference's tower"


def test_a_scene_that_is_not_recorded_has_a_row_without_findings(toy_bench):
    row = scene_row(toy_bench, made_up_scene(), None)
    assert list(row) == [
        "name", "photo", "model", "prompt", "epsilon", "classes", "verified", "image_score_deg",
        "attribute_score_deg", "feasible_image_score_deg", "picture_top1_before",
        "picture_top1_after",
    ]  # fmt: skip
    assert row["verified"] is False
