"""An input size in the name of local weights: what the file cannot say, its owner can."""

import pytest
import timm
import torch
from safetensors.torch import save_file

from sing_core.errors import UnknownNameError, WeightsUnavailableError
from sing_core.models.backbones import load_backbone
from sing_core.models.names import FileName, parse_name
from sing_core.settings import Settings


@pytest.fixture
def saved(tmp_path):
    def call(architecture, **options):
        torch.manual_seed(0)
        network = timm.create_model(architecture, num_classes=10, **options)
        path = tmp_path / f"{architecture}.safetensors"
        save_file({n: v.contiguous() for n, v in network.state_dict().items()}, path)
        return network.eval(), path

    return call


def test_a_size_stands_behind_the_architecture():
    found = parse_name("test_vit:256@/a/b.safetensors@/a/head.safetensors")
    assert isinstance(found, FileName)
    assert (found.architecture, found.side, found.weights.name) == (
        "test_vit",
        256,
        "b.safetensors",
    )
    assert parse_name("test_vit@/a/b.safetensors").side == 0


@pytest.mark.parametrize(
    "size", ["", "big", "31", "2049", "-64", "²", "9" * 400, "000000256999999", "256" + "0" * 9_000]
)
def test_what_is_no_size_is_refused(size):
    with pytest.raises(UnknownNameError, match="is no size of an input: a side in pixels from 32"):
        parse_name(f"test_vit:{size}@/a/b.safetensors")


def test_a_network_of_any_size_is_shown_images_at_the_named_one(saved):
    network, path = saved("test_resnet")
    plain = load_backbone(f"test_resnet@{path}", Settings())
    found = load_backbone(f"test_resnet:96@{path}", Settings())
    assert (plain.sight.side, found.sight.side) == (160, 96)
    assert plain.weights_digest != found.weights_digest  # what is kept of one is not the other's
    assert found.notes == (f"Images are shown to {path.name} at 96 x 96 px, as its name asks.",)
    image = torch.randn(1, 3, 96, 96, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        expected = network(image)
    torch.testing.assert_close(found.logits(found.features(image)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_a_transformer_must_have_been_trained_at_the_named_size(saved):
    _, path = saved("test_vit", img_size=256)
    found = load_backbone(f"test_vit:256@{path}", Settings())
    assert found.sight.side == 256
    with pytest.raises(WeightsUnavailableError, match="was not trained at 128 x 128 px: pos_embed"):
        load_backbone(f"test_vit:128@{path}", Settings())
