"""Configuration from the environment, and errors that are sentences."""

import inspect

import pytest
import torch
from pydantic import ValidationError

from sing_core import errors
from sing_core.models.device import prepare_torch, torch_device
from sing_core.settings import Settings


def test_every_setting_can_come_from_the_environment(monkeypatch, tmp_path):
    values = {"CACHE_DIR": str(tmp_path), "DEVICE": "cpu", "THREADS": "1", "MAX_PIXELS": "9"}
    for name, value in values.items():
        monkeypatch.setenv(f"SING_{name}", value)
    found = Settings()
    assert (found.cache_dir, found.device, found.threads, found.max_pixels) == (
        tmp_path,
        "cpu",
        1,
        9,
    )


@pytest.mark.parametrize(
    "wrong",
    [{"device": "tpu"}, {"threads": 0}, {"max_pixels": 0}, {"max_prompt_chars": "many"}],
)
def test_settings_that_make_no_sense_are_refused_at_the_start(wrong):
    with pytest.raises(ValidationError):
        Settings(**wrong)


def test_settings_cannot_be_changed_afterwards():
    with pytest.raises(ValidationError, match="frozen"):
        Settings().device = "cpu"


@pytest.mark.parametrize(("present", "device"), [(True, "cuda"), (False, "cpu")])
def test_the_device_is_chosen_in_one_place(monkeypatch, present, device):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: present)
    assert torch_device(Settings()) == device
    assert torch_device(Settings(device="cpu")) == "cpu"


def test_a_device_that_is_asked_for_and_not_there_is_one_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    asked = Settings(device="cuda")
    for ask in (lambda: prepare_torch(asked), lambda: torch_device(asked)):
        with pytest.raises(errors.NoDeviceError, match=r"SING_DEVICE is cuda.*Set SING_DEVICE"):
            ask()
    prepare_torch(Settings(device="auto"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    prepare_torch(Settings(device="cuda"))
    assert torch_device(Settings(device="cuda")) == "cuda"


def test_threads_are_set_only_when_asked_for(monkeypatch):
    asked = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    prepare_torch(Settings())
    prepare_torch(Settings(threads=1))
    assert asked == [1]


def test_every_error_is_one_that_pages_catch_and_reads_as_it_was_written():
    kinds = [k for _, k in inspect.getmembers(errors, inspect.isclass) if k is not errors.SingError]
    assert len(kinds) >= 10
    for kind in kinds:
        assert issubclass(kind, errors.SingError)
        assert str(kind("This did not work.")) == "This did not work."
    assert issubclass(errors.ShapeError, ValueError)
    assert issubclass(errors.UnknownNameError, KeyError)
    assert str(errors.UnknownNameError()) == ""


def test_a_variable_that_is_set_to_nothing_is_not_set(monkeypatch):
    usual = Settings()
    for name in ("SING_CACHE_DIR", "SING_THREADS", "SING_DEVICE"):
        monkeypatch.setenv(name, "")
    found = Settings()
    assert (found.threads, found.device) == (usual.threads, usual.device)
    assert found.cache_dir == Settings.model_fields["cache_dir"].default  # not the folder we are in
