"""Machines as people have them: no home, no name for the user, an output of few letters."""

import errno
import os
import pwd
import tempfile
from pathlib import Path

import pytest

from sing_core.files.surroundings import give_home, give_temporary, is_of_machine, os_refusal
from tests.browser.server import address, start, wait_until_healthy
from tests.command import command
from tests.shared_data import ROOT, case

NOBODY = """
import pwd
def nobody(uid):
    raise KeyError(f"getpwuid(): uid not found: {uid}")
pwd.getpwuid = nobody
"""


@pytest.fixture
def homeless(monkeypatch):
    def nobody(uid):
        raise KeyError("uid not found")

    monkeypatch.setenv("HOME", "")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", nobody)


def test_a_process_without_a_home_gets_one_in_the_cache_folder(homeless, monkeypatch, tmp_path):
    monkeypatch.setenv("SING_CACHE_DIR", str(tmp_path))
    give_home()
    assert Path.home() == tmp_path / "home"
    assert Path.home().is_dir()


def test_where_the_cache_folder_takes_none_it_is_a_temporary_one(homeless, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SING_CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setattr(tempfile, "mkdtemp", lambda **named: str(tmp_path))
    give_home()
    assert Path.home() == tmp_path


def test_a_home_that_is_there_is_left_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    give_home()
    assert os.environ["HOME"] == str(tmp_path)


@pytest.mark.parametrize("home", ["gone", "file", "closed"])
def test_a_home_that_cannot_be_written_is_none(home, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "closed").mkdir()
    access = os.access
    shut = str(tmp_path / "closed")
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != shut and access(path, mode))
    monkeypatch.setenv("HOME", str(tmp_path / home))
    monkeypatch.setenv("SING_CACHE_DIR", str(tmp_path / "cache"))
    give_home()
    assert Path.home() == tmp_path / "cache" / "home"


def test_models_in_a_home_that_cannot_be_written_are_still_found(monkeypatch, tmp_path):
    kept = tmp_path / "closed" / ".cache" / "huggingface"
    kept.mkdir(parents=True)
    monkeypatch.setattr(os, "access", lambda path, mode: "closed" not in str(path))
    monkeypatch.setenv("HOME", str(tmp_path / "closed"))
    monkeypatch.setenv("HF_HOME", "")
    monkeypatch.delenv("HF_HOME")
    monkeypatch.setenv("SING_CACHE_DIR", str(tmp_path / "cache"))
    give_home()
    assert os.environ["HF_HOME"] == str(kept)


def no_folder(*_, **__):
    raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp', '/']")


def test_where_nothing_can_be_written_the_home_is_the_root_of_the_disk(
    homeless, monkeypatch, tmp_path
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SING_CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setattr(tempfile, "mkdtemp", no_folder)
    give_home()
    assert Path.home() == Path(os.sep)


def test_temporary_files_go_to_the_cache_folder_where_no_other_takes_them(monkeypatch, tmp_path):
    monkeypatch.setenv("SING_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("TMPDIR", "")
    monkeypatch.setattr(tempfile, "gettempdir", no_folder)
    give_temporary()
    assert os.environ["TMPDIR"] == str(tmp_path / "temporary")
    monkeypatch.setenv("SING_CACHE_DIR", str(tmp_path / "temporary" / "file"))
    (tmp_path / "temporary" / "file").touch()
    monkeypatch.setenv("TMPDIR", "")
    give_temporary()
    assert os.environ["TMPDIR"] == ""


def test_a_machine_that_takes_no_temporary_file_is_a_sentence():
    with pytest.raises(FileNotFoundError) as refused:
        no_folder()
    assert is_of_machine(refused.value)
    assert os_refusal(refused.value).startswith("No folder for temporary files can be written")
    assert is_of_machine(OSError(errno.ENOSPC, "No space left on device"))
    own = FileNotFoundError(errno.ENOENT, "No such file or directory", "a.jpg")
    assert not is_of_machine(own)
    assert os_refusal(own) == "a.jpg: No such file or directory."
    assert os_refusal(OSError("odd")) == "A file: odd."


@pytest.mark.slow
def test_the_page_is_served_to_a_user_without_home_or_name(tmp_path, monkeypatch):
    (tmp_path / "sitecustomize.py").write_text(NOBODY)
    monkeypatch.setenv("HOME", "")
    monkeypatch.delenv("HOME")
    url, port = address()
    with (tmp_path / "log").open("w+b") as log:
        server = start("app.py", port, log, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
        try:
            wait_until_healthy(url, server, log)
        finally:
            server.terminate()
            server.wait(30)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize("arguments", [("sweep", "--help"), ("models",), ("references",)])
@pytest.mark.slow
def test_an_output_of_few_letters_gets_others_replaced(arguments, encoding):
    found = command(*arguments, PYTHONUTF8="0", PYTHONIOENCODING=encoding)
    assert (found.returncode, "Traceback" in found.stderr) == (0, False)
    assert bool(found.stderr) == (arguments == ("models",)), "what is to be said of one of them"
    assert found.stdout


@pytest.mark.slow
def test_errors_reach_an_output_of_few_letters_too():
    found = command("head", "сова“ε”", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert found.returncode == 2
    assert found.stderr.startswith("No classifier is called ")


@pytest.mark.slow
def test_the_list_of_the_shared_case_meets_a_narrow_output_without_a_traceback():
    listing = case("narrow-stdout") / "cjk.txt"
    narrow = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252"}
    found = command("concepts", "--model", "lite0", "--list", listing, **narrow)
    assert "Traceback" not in found.stderr
    assert found.returncode in (0, 2)  # 2: no set of images is prepared here, in a sentence
