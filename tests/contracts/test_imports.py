"""Who may import whom: the contracts of pyproject.toml hold."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shared_data import ROOT


@pytest.mark.slow
def test_the_import_contracts_hold():
    linter = Path(sys.executable).with_name("lint-imports")
    found = subprocess.run(
        [linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert re.search(r"[1-9]\d* kept, 0 broken", found.stdout)


@pytest.mark.slow
def test_the_core_starts_without_streamlit_and_without_the_heavy_libraries():
    code = (
        "import sys, sing_core.cli.main, sing_core.studies.photo, sing_core.models.workbench;"
        "print([n for n in ('streamlit', 'plotly', 'timm', 'open_clip', 'transformers',"
        " 'torchvision') if n in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert found.stdout.strip() == "[]"


@pytest.mark.slow
def test_a_name_that_no_classifier_has_is_refused_before_torch_is_imported(tmp_path):
    code = (
        "import sys\nfrom sing_core.cli.main import main\n"
        "try:\n    main()\nfinally:\n"
        "    print([n for n in ('torch', 'numpy', 'timm', 'PIL') if n in sys.modules])"
    )
    asked = ["score", str(tmp_path / "photo.jpg"), "--model", "nope", "--prompt", "a dog"]
    found = subprocess.run(
        [sys.executable, "-c", code, *asked],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert found.returncode == 2
    assert found.stderr.startswith("No classifier is called “nope”. There are: lite0")
    assert found.stdout.strip() == "[]"
