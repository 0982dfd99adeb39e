"""The units of a transformer add up to its own output: embedded, and true architectures at random.

The random networks stand in for weights of the hub; their layer scales and biases are drawn too,
since a network as it is initialised has zeros where a forgotten bias would not be seen.
"""

import copy

import open_clip
import pytest
import timm
import torch
from torch import nn

from sing_core.errors import UnitsError
from sing_core.models.backbones import Backbone
from sing_core.models.references import Reference
from sing_core.models.token_head import TokenHead
from sing_core.units.layer_norm import Shares, residual_of
from sing_core.units.residual import parts_of, sums_of
from sing_core.units.towers import tower_of

TIMM = {
    "vit_base_patch16_224": {},
    "deit3_small_patch16_224": {},
    "eva02_tiny_patch14_224": {"num_classes": 10},
    "eva02_base_patch14_224": {"num_classes": 10},  # queries, keys and values apart
    "vit_small_patch14_dinov2": {"img_size": 224, "num_classes": 10},
    "vit_base_patch16_rope_mixed_224": {},
    "vit_small_patch16_18x2_224": None,  # parallel blocks: refused
}
CLIPS = ["ViT-B-16", pytest.param("ViT-L-14", marks=pytest.mark.slow), "ViT-B-32-quickgelu"]


def drawn(network: nn.Module) -> nn.Module:
    """Draw every parameter, so that none is zero or one by its initialisation."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, value in network.named_parameters():
            spread = 0.02 if value.ndim > 1 else 0.3
            value.copy_(spread * torch.randn(value.shape, generator=generator))
            if value.ndim == 1 and name.endswith(("norm.weight", "norm1.weight", "norm2.weight")):
                value.add_(1.0)
    return network.eval()


def backbone(name: str, options: dict[str, object]) -> Backbone:
    return Backbone.from_timm(
        drawn(
            timm.create_model(name, pretrained_cfg_overlay={"input_size": (3, 224, 224)}, **options)
        ),
        name=name,
    )


def reference(name: str) -> Reference:
    model = drawn(open_clip.create_model(name, pretrained=None, load_weights=False))
    return Reference(name, name, model, lambda image: image, lambda texts: texts, "cpu")


def check(network: Backbone | Reference, side: int) -> None:
    tower = tower_of(network)
    batch = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    output, sums, parts = tower.output(batch), sums_of(tower, batch), parts_of(tower, batch)
    direction = torch.randn(output.shape[1], generator=torch.Generator().manual_seed(2))
    for variant in ("shared", "own"):
        shares = Shares(tower, variant)
        units = shares.all(sums)
        assert units.shape[1] == len(tower.unit_names)
        assert residual_of(units.sum(dim=1), output) <= 1e-5
        heads = shares.heads(sums)
        scores = shares.token_scores(parts, direction)
        assert residual_of(scores.sum(dim=3).flatten(1), (heads @ direction).flatten(1)) <= 1e-5
        assert residual_of(shares.heads(parts.sums).flatten(1), heads.flatten(1)) <= 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, options in TIMM.items() if options is not None])
def test_the_units_of_timm_transformers_add_up(name):
    check(backbone(name, TIMM[name]), 224)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("vit_small_patch14_reg4_dinov2", {}),  # the mean, then the norm
        ("vit_small_patch14_dinov2", {"fc_norm": False}),  # each token's norm, then the mean
        ("vit_small_patch14_reg4_dinov2", {"pool_include_prefix": True}),
        ("vit_small_patch14_dinov2", {"pool_include_prefix": True, "fc_norm": False}),
    ],
)
def test_the_units_of_transformers_that_average_their_tokens_add_up(name, options):
    network = backbone(name, {"img_size": 224, "num_classes": 10, "global_pool": "avg"} | options)
    readout = tower_of(network).readout
    assert (readout.whole, readout.norm_first) == (True, "fc_norm" in options)
    everyone = "pool_include_prefix" in options
    assert readout.first == (0 if everyone else network.network.num_prefix_tokens)
    check(network, 224)


@pytest.mark.slow
@pytest.mark.parametrize("name", CLIPS)
def test_the_units_of_open_clip_towers_add_up(name):
    check(reference(name), 224)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vits", "mini-vit"])
def test_the_units_of_what_ships_add_up(real_bench, name):
    pool = real_bench.pool
    check(pool.backbone(name) if name == "vits" else pool.reference(name), 112)


@pytest.mark.slow
def test_a_forgotten_bias_would_be_seen():
    network = backbone("vit_small_patch14_dinov2", TIMM["vit_small_patch14_dinov2"])
    tower = tower_of(network)
    batch = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        for layer in tower.layers:
            layer.bias.zero_()
    shares = Shares(tower)
    output = network.features(batch)
    assert residual_of(shares.all(sums_of(tower, batch)).sum(dim=1), output) > 1e-3


@pytest.mark.slow
def test_attention_rows_are_weights_and_patches_may_be_shuffled():
    network = backbone("vit_small_patch14_dinov2", TIMM["vit_small_patch14_dinov2"])
    tower = tower_of(network)
    batch = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(3))
    parts = parts_of(tower, batch)
    sums = parts.rows.sum(dim=-1)
    torch.testing.assert_close(sums, parts.sums.scale[:, None, None].expand_as(sums))

    order = torch.randperm(256, generator=torch.Generator().manual_seed(4))
    shuffled = copy.deepcopy(network.network)
    patches = batch.unfold(2, 14, 14).unfold(3, 14, 14).flatten(2, 3)[:, :, order]
    moved = patches.unflatten(2, (16, 16)).permute(0, 1, 2, 4, 3, 5).reshape(batch.shape)
    with torch.no_grad():
        shuffled.pos_embed[:, 1:] = shuffled.pos_embed[:, 1:][:, order]
    other = parts_of(tower_of(Backbone.from_timm(shuffled, name="shuffled")), moved)
    torch.testing.assert_close(other.sums.heads, parts.sums.heads, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        other.rows[..., 1:], parts.rows[..., 1:][..., order], rtol=1e-4, atol=1e-6
    )


def rank(rows):
    sizes = torch.linalg.svdvals(rows)
    return int((sizes > 1e-5 * sizes[0]).sum())


@pytest.mark.slow
def test_rank_of_a_head_is_its_width_and_three_and_one_less_around_its_mean():
    tower = tower_of(backbone("vit_tiny_patch16_224", {}))
    batch = torch.randn(90, 3, 224, 224, generator=torch.Generator().manual_seed(5))
    sums = sums_of(tower, batch)
    for variant, most in (("shared", 3), ("own", 2)):
        head = Shares(tower, variant).heads(sums)[:, 3, 1].double()
        assert rank(head) <= tower.width + most
        assert rank(head - head.mean(dim=0)) <= tower.width + most - 1


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["shared", "own"])
def test_units_over_the_length_of_their_image_sum_to_length_one(variant):
    tower = tower_of(backbone("vit_tiny_patch16_224", {}))
    batch = torch.randn(90, 3, 224, 224, generator=torch.Generator().manual_seed(5))
    sums, shares = sums_of(tower, batch), Shares(tower, variant)
    units, plain = shares.all(sums, unit_length=True), shares.all(sums)
    total = units.sum(dim=1)
    torch.testing.assert_close(total.norm(dim=1), torch.ones(90), rtol=1e-5, atol=0)
    output = tower.output(batch)
    torch.testing.assert_close(total, output / output.norm(dim=1, keepdim=True))
    torch.testing.assert_close(units * output.norm(dim=1)[:, None, None], plain)
    # What is constant differs by image then: centring takes no dimension away.
    head = units[:, 1 + 3 * tower.heads + 1].double()
    most = {"shared": 3, "own": 2}[variant]
    assert rank(head - head.mean(dim=0)) <= tower.width + most
    assert rank(head - head.mean(dim=0)) > tower.width


@pytest.mark.slow
def test_in_double_precision_units_add_up_to_a_billionth_of_a_thousandth(monkeypatch):
    monkeypatch.setattr(torch.Tensor, "float", torch.Tensor.double)
    torch.set_default_dtype(torch.float64)
    try:
        options = {"img_size": 224, "num_classes": 10}
        network = backbone("vit_small_patch14_dinov2", options).network.double()
        tower = tower_of(Backbone.from_timm(network, name="double"))
        batch = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
        output, sums, parts = (
            network.forward_head(network.forward_features(batch), pre_logits=True),
            sums_of(tower, batch),
            parts_of(tower, batch),
        )
        assert output.dtype == sums.heads.dtype == torch.float64
        direction = torch.randn(output.shape[1])
        for variant in ("shared", "own"):
            shares = Shares(tower, variant)
            assert residual_of(shares.all(sums).sum(dim=1), output) <= 1e-12
            tokens = shares.token_scores(parts, direction).sum(dim=3).flatten(1)
            assert residual_of(tokens, (shares.heads(sums) @ direction).flatten(1)) <= 1e-12
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["resnet18", "vit_small_patch16_18x2_224", "swin_tiny_patch4_window7_224"]
)
def test_what_is_no_sum_is_refused_in_a_sentence(name):
    network = timm.create_model(name)
    with pytest.raises(UnitsError, match=r"transformer|sum"):
        tower_of(Backbone.from_timm(network, name=name))


@pytest.mark.slow
@pytest.mark.parametrize("pool", ["map", "avgmax"])
def test_tokens_that_are_pooled_otherwise_are_refused_with_what_can_be_taken_apart(pool):
    network = timm.create_model("vit_tiny_patch16_224", global_pool=pool)
    said = "no share of it.*the class token or the mean of their tokens can be"
    with pytest.raises(UnitsError, match=said):
        tower_of(Backbone.from_timm(network, name="pooled"))


@pytest.mark.slow
def test_a_head_on_class_token_and_mean_is_refused_with_what_to_take():
    trunk = timm.create_model("vit_tiny_patch16_224", num_classes=0)
    network = TokenHead(trunk, torch.randn(5, 384), torch.zeros(5))
    with pytest.raises(UnitsError, match=r"side by side.*Take the same network with a head on"):
        tower_of(Backbone.from_timm(network, name="both"))


@pytest.mark.slow
def test_a_classifier_of_convolutions_names_what_can_be_taken_apart(real_bench):
    with pytest.raises(UnitsError, match="vits and mini-vit"):
        tower_of(real_bench.pool.backbone("lite0"))
