"""A setting that cannot be used, a device that the machine lacks: one sentence on every page."""

import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from tests.shared_data import ROOT


@pytest.mark.slow
def test_a_missing_cuda_driver_is_one_sentence_on_the_page(monkeypatch):
    monkeypatch.setenv("SING_DEVICE", "cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    st.cache_resource.clear()
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300).run()
    assert [element.message for element in page.exception] == []
    (said,) = (element.value for element in page.error)
    assert said.startswith("SING_DEVICE is cuda, and PyTorch finds no CUDA device")


@pytest.mark.slow
def test_a_setting_that_cannot_be_used_is_one_sentence_on_the_page(monkeypatch):
    monkeypatch.setenv("SING_THREADS", "many")
    monkeypatch.setenv("SING_DEVICE", "gpu")
    st.cache_resource.clear()
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300).run()
    assert [element.message for element in page.exception] == []
    (said,) = (element.value for element in page.error)
    assert said == (
        "SING_DEVICE cannot be used: it must be 'auto', 'cpu' or 'cuda'. "
        "SING_THREADS cannot be used: it must be a whole number."
    )


def test_a_machine_that_takes_no_temporary_file_is_one_sentence_on_the_page(monkeypatch):
    def refuse(settings):
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp', '/']")

    monkeypatch.setattr("pages._view.sent_files.settle", refuse)
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300).run()
    assert [element.message for element in page.exception] == []
    (said,) = (element.value for element in page.error)
    assert said.startswith("No folder for temporary files can be written here: let TMPDIR name one")


@pytest.mark.slow
def test_an_error_of_our_own_keeps_its_traceback(monkeypatch):
    def refuse(settings):
        raise FileNotFoundError(2, "No such file or directory", "a.json")

    monkeypatch.setattr("pages._view.sent_files.settle", refuse)
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300).run()
    assert len(page.exception) == 1
