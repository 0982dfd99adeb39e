"""Which networks are offered to be taken apart: names say what the networks themselves do."""

from types import SimpleNamespace

import open_clip
import pytest
import timm
import torch

from pages._view.units import scene
from sing_core.errors import UnitsError
from sing_core.models.references import Reference
from sing_core.models.registry import all_references, catalogue
from sing_core.settings import Settings
from sing_core.units import towers
from sing_core.units.layer_norm import Shares, residual_of
from sing_core.units.residual import sums_of
from tests.tiny_clip import EVA02

ROWS = {entry.name: entry for entry in catalogue(Settings())}
REFERENCES = {entry.name: entry for entry in all_references(Settings())}


def made(architecture):
    with torch.device("meta"):
        return timm.create_model(architecture)


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_the_page_and_the_core_agree_which_classifiers_are_transformers(name):
    entry = ROWS[name]
    wanted = towers.is_transformer(made(entry.architecture))
    assert towers.is_called_transformer(entry.architecture) == wanted
    assert scene.is_transformer(entry) == wanted


def test_the_papers_transformers_are_offered_and_a_head_that_reads_two_sums_is_not():
    offered = {name for name, entry in ROWS.items() if scene._is_a_sum(entry)}
    assert offered == {
        "vits",
        "vit_large_patch16_224.augreg_in21k_ft_in1k",
        "deit3_large_patch16_224.fb_in1k",
        "eva02_large_patch14_448.mim_in22k_ft_in22k_in1k",
    }
    assert scene.is_transformer(ROWS["dinov2_large.imagenet1k_1_layer"])


@pytest.mark.parametrize(
    "architecture",
    ["beit_base_patch16_224", "levit_128", "mobilevit_s", "vit_small_patch14_dinov2", "no_such"],
)
def test_names_that_hold_vit_and_others_are_judged_by_their_network(architecture):
    found = towers.is_called_transformer(architecture)
    known = timm.is_model(architecture)
    assert found == (known and towers.is_transformer(made(architecture)))


def test_a_typed_classifier_is_judged_by_its_network_in_memory(monkeypatch):
    networks = {"typed ViT": made("vit_tiny_patch16_224"), "typed ResNet": made("resnet18")}
    pool = SimpleNamespace(backbone=lambda name: SimpleNamespace(network=networks[name]))
    monkeypatch.setattr(scene.loaders, "bench", lambda: SimpleNamespace(pool=pool))
    said = {
        name: scene.is_transformer(SimpleNamespace(name=name, architecture="", head_repository=""))
        for name in networks
    }
    assert said == {"typed ViT": True, "typed ResNet": False}


def built(name):
    architecture = name.partition("/")[0]
    with torch.device("meta"):
        model = open_clip.create_model(
            architecture, pretrained=None, load_weights=False, device="meta"
        )
    return Reference(name, name, model, lambda image: image, lambda texts: texts, "cpu")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, row in REFERENCES.items() if not row.ships])
def test_the_table_says_which_references_can_be_taken_apart(name):
    try:
        towers.tower_of(built(name))
        found = True
    except UnitsError:
        found = False
    assert REFERENCES[name].is_additive == found


@pytest.mark.slow
def test_units_of_a_reference_whose_trunk_projects_add_up_to_its_embedding():
    torch.manual_seed(0)
    config = {name: value for name, value in EVA02.items() if name != "custom_text"}
    model = open_clip.CustomTextCLIP(**config).eval()
    network = Reference("eva", "eva", model, lambda image: image, lambda texts: texts, "cpu")
    tower = towers.tower_of(network)
    batch = torch.randn(2, 3, 224, 224)
    output = tower.output(batch)
    torch.testing.assert_close(output, network.embed_batch(batch))
    units = Shares(tower).all(sums_of(tower, batch))
    assert residual_of(units.sum(dim=1), output) <= 1e-5


@pytest.mark.slow
def test_references_that_ship_are_taken_apart_as_the_table_says(real_bench):
    for name in ("mini", "mini-vit"):
        assert towers.is_additive(real_bench, name) == (name == "mini-vit")
        if name == "mini":
            with pytest.raises(UnitsError):
                towers.tower_of(real_bench.pool.reference(name))


def test_a_typed_reference_is_judged_by_its_network(monkeypatch):
    bench = SimpleNamespace(
        settings=Settings(), pool=SimpleNamespace(raw_reference=lambda name: built("ViT-B-32/x"))
    )
    assert towers.is_additive(bench, "ViT-B-32/some_tag")
    bench.pool.raw_reference = lambda name: built("RN50/x")
    assert not towers.is_additive(bench, "RN50/some_tag")
