"""A small set that several files' tests of commands ask about, prepared by the command itself."""

import json
from contextlib import redirect_stdout
from io import StringIO

import pytest

from tests.benches import exit_code, pretend_reference
from tests.prepared_sets import WNIDS, class_folders, jpeg

SET = "command-line"


@pytest.fixture(scope="session")
def prepared(toy_assets, tmp_path_factory):
    """The set, prepared by the command once for all tests here, and what the command printed."""
    images = class_folders(tmp_path_factory.mktemp("set") / "images", per_class=5)
    (images / WNIDS[0] / "broken.jpg").write_bytes(jpeg(1)[:90])
    ask = ("--images", images, "--name", SET, "--model", "lite0", "--model", "lite1", "--json")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as printed:
        patch.setenv("SING_ASSETS_DIR", str(toy_assets))
        pretend_reference(toy_assets, patch)
        assert exit_code(patch, "prepare", *ask) == 0
    return SET, [json.loads(line) for line in printed.getvalue().splitlines()]
