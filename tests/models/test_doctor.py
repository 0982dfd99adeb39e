"""The doctor: one row per thing that is needed, and the row of what is broken says so."""

import shutil

import pytest

from sing_core.maths.translator import Translator
from sing_core.models import doctor, registry
from sing_core.settings import Settings


@pytest.fixture
def assets(toy_assets, tmp_path):
    return shutil.copytree(toy_assets, tmp_path / "assets")


def examine(assets):
    rows = doctor.examine(Settings(assets_dir=assets, device="cpu"))
    checks = [row["check"] for row in rows]
    assert len(set(checks)) == len(checks)
    assert all(row["detail"] for row in rows)
    return {row["check"]: row for row in rows}


def failing(assets):
    return {check: row["detail"] for check, row in examine(assets).items() if not row["ok"]}


def test_everything_that_the_registry_names_is_examined(assets):
    rows, settings = examine(assets), Settings(assets_dir=assets)
    models = [entry.name for entry in registry.models(settings)]
    references = [entry.name for entry in registry.references(settings)]
    wanted = {"device", "cache folder", "package torch", "package timm", "package open_clip"}
    wanted |= {f"weights of {model}" for model in models}
    wanted |= {f"reference {reference}" for reference in references}
    wanted |= {f"translator {m} to {r}" for m in models for r in references}
    assert wanted <= set(rows)
    assert [check for check, row in rows.items() if not row["ok"]] == []
    assert rows["device"]["detail"] == "cpu"
    assert rows["translator lite0 to mini"]["detail"] == "1.0", "lambda of the toy translator"


def test_a_damaged_translator_is_the_only_row_that_fails(assets):
    path = assets / "translators" / "lite1--mini.safetensors"
    path.write_bytes(path.read_bytes()[:1_000])
    found = failing(assets)
    assert list(found) == ["translator lite1 to mini"]
    assert path.name in found["translator lite1 to mini"]


def test_a_translator_of_another_classifier_is_not_fine(assets):
    folder = assets / "translators"
    Translator.load(folder / "lite0--mini.safetensors").save(folder / "lite2--mini.safetensors")
    found = failing(assets)
    assert list(found) == ["translator lite2 to mini"]
    assert "lite0" in found["translator lite2 to mini"]


def test_without_the_trained_head_the_reference_fails_and_the_classifiers_do_not(assets):
    (assets / "mini" / "head.safetensors").unlink()
    found = failing(assets)
    assert "head.safetensors" in found["reference mini"]
    assert {check.split()[0] for check in found} == {"reference", "translator"}


def test_a_package_that_is_not_installed_is_named_with_what_to_do(assets, monkeypatch):
    monkeypatch.setattr(doctor, "_PACKAGES", ("torch", "no_such_package"))
    assert failing(assets) == {
        "package no_such_package": "no_such_package is not installed; run `make setup`."
    }
