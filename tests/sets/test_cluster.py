"""``prepare`` on a local Ray cluster of two workers: the same bytes, whoever dies on the way."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sing_core.errors import SingError
from sing_core.leakage.prepare import prepare
from tests.prepared_sets import class_folders, files_of
from tests.shared_data import ROOT

IMAGES, RUNS = 40, 2


def start(engine, images, root):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.cluster_worker", engine, images, root],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def extractors(driver):
    """Return the process numbers of the Ray workers of ``driver`` that show images."""
    parents, found = {}, []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue  # it ended while we looked
        parents[int(folder.name)] = int(parent)
        if words.startswith(b"ray::") and b"Extractor" in words:
            found.append(int(folder.name))

    def descends(process):
        return process == driver or (process in parents and descends(parents[process]))

    return [process for process in found if descends(process)]


@pytest.mark.slow
def test_two_workers_one_of_them_killed_give_the_bytes_of_one_process(tmp_path):
    images = class_folders(tmp_path / "images", per_class=IMAGES // 4)
    with start("local", images, tmp_path / "local") as process:
        assert process.communicate(timeout=300)[0].endswith(f"scored {IMAGES}\n")
    with start("ray", images, tmp_path / "ray") as process:
        said = []
        while not (said and said[-1].isdigit() and int(said[-1]) > 0):
            said.append(process.stdout.readline().strip())
        assert int(said[-1]) < IMAGES // 2, "all was done before a worker could be killed"
        workers = extractors(process.pid)
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGKILL)
        rest = process.communicate(timeout=500)[0].split("\n")
    assert f"scored {IMAGES}" in rest
    assert f"moments {RUNS}" in rest
    assert files_of(tmp_path / "ray" / "set") == files_of(tmp_path / "local" / "set")


@pytest.mark.slow
def test_without_ray_a_sentence_says_what_to_install(toy_bench, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    images = class_folders(tmp_path / "images", per_class=1)
    with pytest.raises(SingError, match=r"Ray is not installed: `pip install -r"):
        prepare(toy_bench, images, models=("lite0",), root=tmp_path / "sets", engine="ray")
    found = prepare(toy_bench, images, models=("lite0",), root=tmp_path / "sets")
    assert found[0].scored == 4
