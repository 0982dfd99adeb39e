"""Every folder of ``../shared/cases``: what people brought, and what its README says is right."""

import os
import shutil
import subprocess
import sys

import pytest
import torch

from sing_core.errors import ImageSetError, SingError
from sing_core.files.images import decode_image
from sing_core.files.receipts import build_once
from sing_core.leakage.prepare import prepare
from sing_core.models.backbones import load_backbone
from sing_core.sets.image_sets import open_image_set
from sing_core.settings import Settings
from tests.browser.server import address, start, wait_until_healthy
from tests.command import command
from tests.shared_data import SHARED, case

PIXELS = 50_000_000


class Bench:
    """What a case may need: its folder, a place to write, the toy bench, and the command line."""

    def __init__(self, request, folder, place):
        self.request, self.folder, self.place = request, folder, place

    def __getattr__(self, name):
        return self.request.getfixturevalue(name)

    def prepare(self, name):
        (found,) = prepare(
            self.toy_bench, self.folder / name, models=("lite0",), root=self.place / "sets"
        )
        return found

    def make(self):
        script = str(self.folder / "make.py")
        subprocess.run([sys.executable, script], cwd=self.place, check=True, capture_output=True)

    def load(self, architecture, name):
        return load_backbone(f"{architecture}@{self.place / name}.safetensors", Settings())


def cache_mode_0600(bench):
    before = os.umask(0o022)
    try:
        build_once(bench.place / "weights", {}, lambda path: path.write_bytes(b"1"))
    finally:
        os.umask(before)
    assert (bench.place / "weights").stat().st_mode & 0o777 == 0o644


def checkpoint_wrappers(bench):
    bench.make()
    plain = bench.load("test_resnet", "plain10")
    for name in ("ddp10", "lightning10", "compiled10", "extra10"):
        found = bench.load("test_resnet", name)
        assert torch.equal(found.weight, plain.weight), name
    notes = " ".join(bench.load("test_resnet", "extra10").notes)
    assert "total_ops" in notes
    assert "total_params" in notes
    assert not bench.load("test_resnet", "nobias10").bias.any()
    assert "fc.1" in " ".join(bench.load("test_resnet", "seqhead").notes)


def class_folders_not_wnids(bench):
    for name, count in (("dogs", 24), ("v2", 36)):
        found = bench.prepare(name)
        assert (found.scored, found.problems) == (count, ())
    with pytest.raises(ImageSetError, match="“cat”, “dog” are not in ImageNet-1k"):
        bench.prepare("trainval")
    assert not list((bench.place / "sets").glob("trainval*"))
    assert "“cat”, “dog”" in bench.refusal("prepare", "--images", bench.folder / "trainval")


def empty_set_downstream(bench):
    assert bench.prepare("named").scored == 24  # its folders are names of classes: known today
    shutil.copytree(bench.folder / "named" / "tabby", bench.place / "odd" / "nobody")
    message = bench.refusal("prepare", "--images", bench.place / "odd", "--name", "odd")
    assert message.startswith("No image of odd can be scored: its class “nobody” is not in")
    for words in (("compare",), ("concepts", "--concept", "red")):
        message = bench.refusal(*words, "--model", "lite0", "--set", "odd")
        assert "set is called “odd”" in message or "No set of images is prepared yet" in message


def hf_layout(bench):
    found = bench.prepare("hf.parquet")
    assert found.scored == found.listed == 24
    found = bench.prepare("hfrepo")
    assert (found.scored, found.problems) == (found.listed, ())


def jfif_upload(bench):
    assert decode_image((bench.folder / "photo.jfif").read_bytes(), max_pixels=PIXELS).image.size


def labels_beside_weights(bench):
    wrappers = Bench(bench.request, case("checkpoint-wrappers"), bench.place)
    wrappers.make()
    for name in ("lab_ok", "lab_bom", "lab_u16", "lab_nine"):
        shutil.copy(bench.place / "plain10.safetensors", bench.place / f"{name}.safetensors")
        shutil.copy(bench.folder / f"{name}.txt", bench.place)
    for name in ("lab_ok", "lab_bom", "lab_u16"):
        assert bench.load("test_resnet", name).labels[:2] == ("aaa", "bbb"), name
    with pytest.raises(SingError, match=r"9 names, and the head in .* has 10 classes"):
        bench.load("test_resnet", "lab_nine")


def narrow_stdout(bench):
    for encoding, words in (("cp1252", ("sweep", "--help")), ("ascii", ("models",))):
        found = command(*words, PYTHONUTF8="0", PYTHONIOENCODING=encoding)
        assert (found.returncode, "Traceback" in found.stderr) == (0, False)


def no_home(bench):
    program = "from sing_core.files.surroundings import settle as s; s(); from pathlib import Path"
    program += "; assert Path.home().is_dir()"
    environment = {"SING_CACHE_DIR": str(bench.place), "PYTHONPATH": os.getcwd()}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def parquet_null_and_string(bench):
    nulls = open_image_set(bench.folder / "nulls.parquet")
    problems = []
    kept = list(nulls.photos(problems, max_pixels=PIXELS))
    assert problems
    assert len(kept) + len(problems) == len(nulls)
    assert "The row holds no image." in {problem.reason for problem in problems}
    with pytest.raises(ImageSetError, match=r"Addresses \(URLs\) and paths are not followed"):
        open_image_set(bench.folder / "urls.parquet")


def prompt_past_context(bench):
    first, second = (bench.folder / "prompts.txt").read_text("utf-8").splitlines()[:2]
    reference = bench.real_bench.pool.reference("mini")
    assert "reads 64 tokens of a prompt" in reference.note_on(first)
    with pytest.raises(SingError, match="are read the same"):
        reference.embed_texts([first, second])


def url_and_page_disagree(bench):
    url, port = address()
    with (bench.place / "log").open("w+b") as log:
        server = start("app.py", port, log)
        try:
            wait_until_healthy(url, server, log)
            script = [sys.executable, bench.folder / "repro.py", url, "1"]
            found = subprocess.run(script, capture_output=True, text=True, timeout=300)
        finally:
            server.terminate()
            server.wait(30)
    assert found.stdout.endswith("0 of 3 disagree\n"), found.stdout + found.stderr


def vit_trained_at_other_size(bench):
    bench.make()
    assert bench.load("test_vit", "vit256").sight.side == 256


def zip_backslashes(bench):
    found = bench.prepare("win.zip")
    assert (found.scored, found.problems) == (24, ())


CHECKS = {
    "cache-mode-0600": cache_mode_0600,
    "checkpoint-wrappers": checkpoint_wrappers,
    "class-folders-not-wnids": class_folders_not_wnids,
    "empty-set-downstream": empty_set_downstream,
    "hf-layout": hf_layout,
    "jfif-upload": jfif_upload,
    "labels-beside-weights": labels_beside_weights,
    "narrow-stdout": narrow_stdout,
    "no-home": no_home,
    "parquet-null-and-string": parquet_null_and_string,
    "prompt-past-context": prompt_past_context,
    "url-and-page-disagree": url_and_page_disagree,
    "vit-trained-at-other-size": vit_trained_at_other_size,
    "zip-backslashes": zip_backslashes,
}
IN_A_BROWSER = {"url-and-page-disagree": (pytest.mark.browser, pytest.mark.alone)}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        # Its script gives the page six seconds to follow, however busy the machine is.
        pytest.param(name, marks=IN_A_BROWSER.get(name, ()))
        for name in CHECKS
    ],
)
def test_a_case_is_right(name, request, tmp_path):
    CHECKS[name](Bench(request, case(name), tmp_path))


def test_every_case_is_asked_about():
    folders = {path.name for path in (SHARED.parent / "cases").glob("*") if path.is_dir()}
    assert folders <= CHECKS.keys()
