"""The command direction-words: its rows, its sentence, its refusals."""

import json
import math

import pytest

from sing_core.cli import unit_directions
from sing_core.units import set_directions
from sing_core.units.directions import (
    DRAWS,
)
from tests.benches import exit_code

TEXT_LINES = "a red photo\na dog\nat night\na drawing\nunder water\nmany people\na close-up\nsnow\n"


@pytest.fixture
def command(real_bench, monkeypatch, capsys, tmp_path):
    """Run the command on a short list of texts; return exit code, rows or problem, sentences."""
    monkeypatch.setattr(unit_directions, "open_bench", lambda settings: real_bench)
    texts = tmp_path / "texts.txt"
    texts.write_text(TEXT_LINES, "utf-8")

    def call(*words):
        words = ["direction-words", "--set", "embedded", "--texts", texts, *words, "--json"]
        code = exit_code(monkeypatch, *words)
        out, err = capsys.readouterr()
        return code, [json.loads(line) for line in out.splitlines()], err

    return call


KEYS = [
    "rank", "text", "coefficient", "unexplained", "random_low", "random_median", "random_high",
]  # fmt: skip


@pytest.mark.slow
def test_the_command_prints_a_row_a_text_and_says_the_sentence(command):
    code, rows, said = command(
        "--model", "lite0", "--class", "goldfish", "--size", "3", "--component", "1"
    )
    assert code == 0, said
    assert [list(row) for row in rows] == [KEYS] * 3
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert all(math.isfinite(row["unexplained"]) for row in rows)
    assert "omponent 1 of what EfficientNet-Lite0 cannot see of “goldfish”" in said
    assert "Most along it: " in said
    assert said.count("(goldfish, ") == 6


@pytest.mark.slow
def test_the_command_lists_components_and_takes_the_first_that_has_words(command):
    asked = ("--model", "lite0", "--class", "goldfish", "--look", "5")
    code, rows, said = command(*asked, "--list")
    assert code == 0, said
    assert [row["component"] for row in rows] == [1, 2, 3, 4, 5]
    assert all(0 < row["elsewhere"] < 1 and 0 <= row["random_below"] <= DRAWS for row in rows)
    assert [row["share"] for row in rows] == sorted((r["share"] for r in rows), reverse=True)
    having = [row["component"] for row in rows if row["has_words"]]
    code, texts, said = command(*asked, "--size", "2")
    assert code == 0, said
    assert f"omponent {having[0] if having else 1} of what EfficientNet-Lite0 cannot see" in said
    assert (texts[0]["text"] is None) == (not having)
    assert f"{len(having) or 'None'} of the first 5 components" in said


def test_a_wrong_class_is_refused_before_texts_are_read_and_random_directions_drawn(
    command, monkeypatch
):
    monkeypatch.setattr(unit_directions, "pool_of", None)  # calling either would fail
    monkeypatch.setattr(set_directions, "random_band", None)
    for words in (("--class", "unicorns of old"), ("--class", "goldfish", "--component", "9999")):
        code, rows, said = command("--model", "lite0", *words)
        assert (code, rows) == (2, [])
        assert json.loads(said)["error"] in ("ImageSetError", "UnitsError")


def test_the_command_refuses_in_a_sentence(command):
    code, rows, said = command("--model", "lite0", "--against", "goldfish")
    assert (code, rows) == (2, [])
    assert json.loads(said.splitlines()[-1]) == {
        "error": "UnitsError",
        "message": "A difference is of two classes: name the first one too.",
    }
