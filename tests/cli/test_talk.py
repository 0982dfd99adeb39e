"""The commands on talks: scenes, export-scene, pack."""

import json

import pytest

from sing_core.settings import Settings
from sing_core.talk import script
from tests.benches import exit_code

FIELDS = {
    "name", "photo", "model", "prompt", "epsilon", "classes", "verified", "image_score_deg",
    "attribute_score_deg", "feasible_image_score_deg", "picture_top1_before", "picture_top1_after",
}  # fmt: skip


@pytest.fixture
def rows(monkeypatch, capsys):
    """Run with ``--json`` on what ships and return what was printed, one object per line."""

    def call(*arguments):
        code = exit_code(monkeypatch, *arguments, "--json")
        out, err = capsys.readouterr()
        assert code == 0, err
        return [json.loads(line) for line in out.splitlines()]

    return call


@pytest.mark.slow
def test_the_scenes_that_ship_are_measured_and_read_anew(rows):
    found = rows("scenes")
    assert [row["name"] for row in found] == list(script.scene_names(Settings()))
    assert len(found) >= 8
    for row in found:
        assert set(row) >= FIELDS
        assert row["image_score_deg"] == pytest.approx(40, abs=1.5)
        assert 0 < row["attribute_score_deg"] <= row["image_score_deg"]
        assert 0 < row["feasible_image_score_deg"] < 60
        assert row["current"], "record-scenes draws it anew"
        assert row["class_holds"]
        assert row["top1_before"] == row["top1_after"]
        assert row["prompt_rank_after"] < row["prompt_rank_before"]
        assert row["verified"] in (True, False)
    assert any(not row["classes"] for row in found), "a whole head belongs to the talk"
    assert any(not row["verified"] for row in found), "an honest failure belongs to the talk"
    assert (
        sum(row["picture_prompt_rank_after"] < row["picture_prompt_rank_before"] for row in found)
        >= 7
    )


def test_people_are_told_which_scene_is_being_read_and_programs_get_each_line_at_once(
    monkeypatch, capsys
):
    names, seen = list(script.scene_names(Settings())), []

    def row(bench, scene):
        seen.append(capsys.readouterr())
        return {"name": scene.name}

    monkeypatch.setattr("sing_core.cli.talk._row", row)
    assert exit_code(monkeypatch, "scenes", "--json") == 0
    seen.append(capsys.readouterr())
    assert [one.err for one in seen] == [""] * (len(names) + 1)
    assert [one.out for one in seen] == ["", *(json.dumps({"name": name}) + "\n" for name in names)]
    seen.clear()
    assert exit_code(monkeypatch, "scenes") == 0
    assert f"scene 1 of {len(names)}" in seen[0].err
    assert f"{names[-1]}, scene {len(names)} of {len(names)}" in seen[-1].err


def test_a_scene_is_exported_as_one_file(rows, tmp_path):
    name = script.talk(Settings())[0]
    (row,) = rows("export-scene", name, "--out", tmp_path / "scene.html")
    text = (tmp_path / "scene.html").read_text("utf-8")
    assert row["scene"] == name
    assert row["kilobytes"] == round(len(text.encode()) / 1024, 1)
    assert "http://" not in text
    assert "https://" not in text


def test_an_unknown_scene_is_one_sentence(run, tmp_path):
    code, _, error = run("export-scene", "gone", "--out", tmp_path / "scene.html")
    assert code == 2
    assert "No scene is called gone. There are:" in error
    assert not (tmp_path / "scene.html").exists()
