"""The player's JavaScript under Node's own test runner; what only a browser shows is elsewhere."""

import re

import pytest

from sing_core.files.joined_script import joined_script
from tests.shared_data import ROOT
from tests.view.scrubber.test_modules import node, run  # noqa: F401 - `node` is a fixture

PLAYER = ROOT / "sing_core" / "talk" / "player"
MODULES = sorted(PLAYER.glob("*.mjs"))
TESTS = sorted((ROOT / "tests" / "talk" / "player_js").glob("*.test.mjs"))
DRAWING = {"asking", "paint", "pictures", "player"}  # need a document


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name.removesuffix(".test.mjs"))
def test_the_players_modules_pass_their_own_tests(node, path):  # noqa: F811
    said = run(node, "--test", "--test-reporter=tap", path)
    counts = dict(re.findall(r"^# (tests|pass) (\d+)$", said, re.MULTILINE))
    assert int(counts["pass"]) == int(counts["tests"]) > 1


def test_every_module_without_a_document_has_tests():
    assert {path.stem for path in MODULES} - DRAWING == {
        path.name.removesuffix(".test.mjs") for path in TESTS
    }


def test_the_player_is_one_module_with_one_default_export(node, tmp_path):  # noqa: F811
    (tmp_path / "joined.mjs").write_text(joined_script(PLAYER / "player.mjs"), encoding="utf-8")
    look = "import('./joined.mjs').then((all) => console.log(Object.keys(all), typeof all.default))"
    assert run(node, "-e", look, folder=tmp_path) == "[ 'default' ] function\n"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_javascript_stays_short(path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 300
    functions = re.findall(r"^(?:export )?(?:default )?function .*?^}", text, re.MULTILINE | re.S)
    assert [body.split("(")[0] for body in functions if len(body.splitlines()) > 40] == []


def test_no_text_of_the_player_is_set_in_fewer_than_28_pixels_of_a_full_stage():
    css = (PLAYER / "player.css").read_text("utf-8")
    sizes = [float(size) for size in re.findall(r"font(?:-size)?:[^;]*?calc\((\d+) \* var", css)]
    assert min(sizes) >= 28
    assert 96 in sizes
