"""The paper's classifiers at their true size with random weights, one at a time."""

import gc
import re
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
import timm
from torch import nn

from sing_core.maths.head import HeadDecomposition
from sing_core.maths.head_variants import HeadVariant, nothing_hidden, split_variant
from sing_core.models.backbones import Backbone
from sing_core.models.networks import empty_network
from sing_core.models.registry import ModelEntry, catalogue
from sing_core.settings import Settings

# In the order of the paper's Table 3, then EfficientNet-B4.
NULLITIES = (3096, 3096, 24, 1048, 24, 280, 1048, 1048, 24, 536, 1048, 24, 24, 792)
ENTRIES = catalogue(Settings())
LIMIT_BYTES = 8e9


def test_the_table_holds_what_ships_then_the_papers_thirteen_and_b4():
    assert tuple(entry.nullity for entry in ENTRIES) == (280, 280, 280, 0, *NULLITIES)
    assert all(e.nullity == max(0, e.feature_dim - e.classes) for e in ENTRIES)
    assert [entry.name for entry in ENTRIES if entry.non_commercial] == [
        "resnext101_32x8d.fb_wsl_ig1b_ft_in1k"
    ]
    published = [entry.top1_percent for entry in ENTRIES if entry.top1_percent is not None]
    assert len(published) == 13
    assert all(70 < percent < 91 for percent in published)
    for entry in ENTRIES:
        assert timm.is_model(entry.architecture)
        assert entry.ships or entry.repository


def test_licences_are_those_that_timm_states():
    for entry in (entry for entry in ENTRIES if not entry.ships):
        stated = timm.get_pretrained_cfg(entry.architecture).license
        assert entry.licence.lower() == stated
        assert entry.non_commercial == ("-nc" in stated)


def measured(entry: ModelEntry) -> tuple[float, tuple[int, ...], int, int]:
    """Return what the split finds, and the most memory it took, in bytes."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    network = empty_network(entry)
    head = network.get_classifier()
    if not head.weight.any():  # some heads start as zeros
        nn.init.normal_(head.weight, std=0.02)
    backbone = Backbone.from_timm(network, name=entry.name)
    nullity = HeadDecomposition.from_weight(backbone.weight).nullity
    peak_kb = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert peak_kb
    return backbone.head_error, tuple(backbone.weight.shape), nullity, int(peak_kb[1]) * 1024


@pytest.fixture(scope="module")
def apart() -> Iterator[Executor]:
    """A process in which nothing else takes memory."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as worker:
        yield worker


@pytest.mark.slow
@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.name for entry in ENTRIES])
def test_every_classifier_of_the_table_has_the_null_space_that_it_says(entry, apart):
    head_error, shape, nullity, peak = apart.submit(measured, entry).result()
    assert head_error <= 1e-5
    assert shape == (entry.classes, entry.feature_dim)
    assert nullity == entry.nullity
    assert peak < LIMIT_BYTES


@pytest.mark.slow
def test_vit_base_hides_nothing_and_is_told_three_ways_forward():
    backbone = Backbone.from_timm(timm.create_model("vit_base_patch16_224"), name="ViT-B/16")
    weight = nn.init.normal_(backbone.weight, std=0.02)
    head = HeadDecomposition.from_weight(weight)
    assert (head.nullity, backbone.head_error <= 1e-5) == (0, True)
    sentence = nothing_hidden("ViT-B/16", backbone.feature_dim)
    assert "has no null space: its head reads all 768" in sentence
    for way in ("some classes", "probabilities", "small singular values"):
        assert way in sentence
    assert split_variant(weight, HeadVariant(classes=tuple(range(16)))).nullity == 768 - 16
    assert split_variant(weight, HeadVariant(centred=True)).nullity == 0
    assert split_variant(weight, HeadVariant(threshold=0.2)).nullity > 0
