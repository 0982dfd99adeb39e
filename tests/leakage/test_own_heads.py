"""Tables over a set under heads whose classes are not those of ImageNet-1k."""

import pytest
import timm
import torch
from safetensors.torch import save_file

from sing_core.errors import HeadError
from sing_core.leakage.classes import class_images, class_table
from sing_core.leakage.comparison import model_row
from sing_core.leakage.scored_sets import open_set
from sing_core.leakage.variant_scores import under
from sing_core.maths.head_variants import HeadVariant
from sing_core.maths.translator import Translator
from sing_core.models.head_classes import keep_mapping
from sing_core.models.references import space_id
from sing_core.models.workbench import fitted_path
from sing_core.settings import Settings
from tests import toy
from tests.prepared_sets import WNIDS, made_up_set

pytestmark = pytest.mark.slow  # sets are prepared

OWN = [f"species {index}" for index in range(10)]


@pytest.fixture
def scored(toy_assets, toy_reference, tmp_path):
    """Score a made-up set under a small network of so many classes; labels lie beside it."""

    def call(classes, labels=()):
        settings = Settings(assets_dir=toy_assets, cache_dir=tmp_path / "cache")
        bench = toy.make_bench(settings)
        torch.manual_seed(0)
        network = timm.create_model("test_resnet", num_classes=classes)
        save_file(network.state_dict(), tmp_path / "own.safetensors")
        if labels:
            (tmp_path / "own.txt").write_text("\n".join(labels))
        name = f"test_resnet@{tmp_path / 'own.safetensors'}"
        entry = bench.entry(name)
        weight = torch.randn(toy.DIM, entry.feature_dim)
        translator = Translator(
            weight, torch.randn(toy.DIM), name, entry.weights_digest, space_id("mini", settings)
        )
        translator.save(fitted_path(settings, name, "mini"))
        made_up_set(bench, settings.cache_dir / "prepared" / "own", (name,))
        return open_set(bench, name, images="own")

    return call


def decisions(found):
    return {image["top1"] for row in class_table(found) for image in class_images(found, row.index)}


@pytest.mark.parametrize(("classes", "labels"), [(10, ()), (10, OWN), (11821, ())])
def test_a_head_with_its_own_classes_has_its_own_names_and_no_accuracy(scored, classes, labels):
    found = scored(classes, labels)
    table = class_table(found)
    assert [row.wnid for row in table] == sorted(WNIDS)
    assert [row.accuracy for row in table] == [None] * 4
    if classes == 10:
        assert decisions(found) <= set(labels or [f"class {index}" for index in range(10)])
    else:
        assert all(decisions(found))
    assert model_row(found).n == 20
    with pytest.raises(HeadError, match="classes of its own, not those of ImageNet-1k"):
        under(found, HeadVariant(classes=(0, 1)))


def test_with_a_mapping_the_accuracy_is_that_of_the_mapped_classes(scored):
    found = scored(10, OWN)
    rows = found.ask("SELECT label, top1 FROM images").to_pylist()
    wanted = {0: 3, 281: rows[0]["top1"]}
    classifier = found.bench.classifier(found.model)
    text = "\n".join(f"{label}\tspecies {own}" for label, own in wanted.items())
    assert keep_mapping(found.bench.settings, classifier, text, "map.txt") == 2
    for row in class_table(found):
        own = [r["top1"] for r in rows if r["label"] == row.index]
        share = sum(top1 == wanted.get(row.index) for top1 in own) / len(own)
        assert row.accuracy == (share if row.index in wanted else None)
