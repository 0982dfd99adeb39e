"""The Dockerfile, followed step by step, ends in an app that answers; see dockerfile.py."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path, PurePosixPath

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.browser.server import address
from tests.deploy.dockerfile import Image, is_ignored, parse, words
from tests.shared_data import ROOT

PATTERNS = (ROOT / ".dockerignore").read_text("utf-8").split()
STEPS = parse((ROOT / "Dockerfile").read_text("utf-8"))
PATIENCE_S = 240


def test_steps_are_read_as_docker_reads_them():
    text = (
        '# a comment\nFROM base\nRUN one \\\n    && two\nCOPY --chown=a:b . .\n\nCMD ["x", "y z"]\n'
    )
    steps = parse(text)
    assert [step.name for step in steps] == ["FROM", "RUN", "COPY", "CMD"]
    assert steps[1].rest == "one && two"
    assert (steps[2].flags, steps[2].rest) == ({"chown": "a:b"}, ". .")
    assert words(steps[3].rest) == ["x", "y z"]
    assert words("CMD a b") == ["sh", "-c", "a b"]


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        (".git/config", True),
        ("sing_core/__pycache__/x.pyc", True),
        ("cache/mini/tower.safetensors", True),
        ("cache/.gitkeep", False),
        ("tests/conftest.py", True),
        ("sing_core/settings.py", False),
        (".streamlit/config.toml", False),
        (".streamlit/secrets.toml", True),
    ],
)
def test_what_dockerignore_keeps_out(path, ignored):
    assert is_ignored(PurePosixPath(path), PATTERNS) is ignored


def test_the_image_runs_as_a_user_of_its_own_and_reaches_out_by_one_port():
    names = [step.name for step in STEPS]
    assert (names[0], names[-1]) == ("FROM", "CMD")
    assert names.index("USER") < names.index("VOLUME")
    assert next(step.rest for step in STEPS if step.name == "USER") not in ("root", "0")
    assert [step.rest for step in STEPS if step.name == "EXPOSE"] == ["8501"]


def test_the_base_image_is_pinned_by_its_digest():
    base = next(step.rest for step in STEPS if step.name == "FROM")
    assert re.fullmatch(r"python:3\.11-slim-bookworm@sha256:[0-9a-f]{64}", base)


def locked():
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_the_lock_names_every_package_exactly_with_its_hash_and_no_place():
    form = re.compile(r"[a-z0-9][a-z0-9.-]*==[\w.+!]+ --hash=sha256:[0-9a-f]{64}")
    assert len(locked()) > 80
    assert [line for line in locked() if not form.fullmatch(line)] == []
    names = [line.partition("==")[0] for line in locked()]
    assert names == sorted(set(names))


def test_the_lock_is_within_the_ranges():
    """Whoever changes a range runs `make lock`."""
    versions = dict(line.partition(" ")[0].split("==") for line in locked())
    wanted = [
        Requirement(line)
        for name in ("requirements.txt", "requirements-vit.txt")
        for line in (ROOT / name).read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert len(wanted) > 25
    misfits = [
        str(one)
        for one in wanted
        if versions.get(canonicalize_name(one.name), "") not in one.specifier
    ]
    assert misfits == []


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    _, port = address()
    made = Image(ROOT, tmp_path_factory.mktemp("image"), port)
    for step in STEPS:
        made.follow(step)
    return made


def until_healthy(image, server, log):
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and server.poll() is None:
        if image.start(image.health, subprocess.DEVNULL).wait(30) == 0:
            return
        time.sleep(0.5)
    log.seek(0)
    pytest.fail(f"The app never answered:\n{log.read().decode(errors='replace')[-3000:]}")


@pytest.mark.slow
def test_the_steps_leave_an_app_that_answers_its_health_check(image, tmp_path):
    app = image.place(".")
    assert not (app / "tests").exists()
    assert list((app / "cache" / "mini").glob("*.safetensors"))
    assert any(line.startswith("useradd ") and line.endswith(image.user) for line in image.noted)
    files = [Path(word).name for line in image.noted for word in line.split() if word[0] != "-"]
    assert any(name.startswith("requirements") for name in files)
    assert all((app / name).is_file() for name in files if name.startswith("requirements"))
    before = {path: path.stat().st_mtime_ns for path in app.rglob("*")}
    with (tmp_path / "log").open("w+b") as log:
        server = image.start(image.command, log)
        try:
            until_healthy(image, server, log)
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            assert server.wait(60) is not None
        log.seek(0)
        assert b"Traceback" not in log.read()
    if image.is_read_only:
        volumes = [image.place(volume) for volume in image.volumes]
        changed = {path for path in app.rglob("*") if before.get(path) != path.stat().st_mtime_ns}
        assert [p for p in changed if not any(p.is_relative_to(v) for v in volumes)] == []


@pytest.mark.slow
def test_a_read_only_disk_takes_nothing_but_in_the_volume(image):
    if not image.is_read_only:
        pytest.skip("This system lets nobody mount a folder read-only.")
    for place, rc in ((".", 1), ("cache", 0), ("/var", 1)):
        where = image.place(place) if place != "/var" else place
        program = ["sh", "-c", f"touch {where}/x && rm {where}/x"]
        assert image.start(program, subprocess.DEVNULL).wait(60) == rc, place
