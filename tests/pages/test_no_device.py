"""A setting that cannot be used, a device that the machine lacks: one sentence on every page."""

import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from tests.shared_data import ROOT


def test_a_missing_cuda_driver_is_one_sentence_on_the_page(monkeypatch):
    monkeypatch.setenv("SING_DEVICE", "cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    st.cache_resource.clear()
    page = AppTest.from_file(str(ROOT / "app.py"), default_timeout=300).run()
    assert [element.message for element in page.exception] == []
    (said,) = (element.value for element in page.error)
    assert said.startswith("SING_DEVICE is cuda, and PyTorch finds no CUDA device")


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
