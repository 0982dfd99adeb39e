"""One contract for every classifier: the feature, the head, and ``W f + b`` being the logits."""

import hashlib

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from sing_core.errors import HeadError, ShapeError, UnknownNameError, WeightsUnavailableError
from sing_core.files.images import decode_image
from sing_core.maths.head import HeadDecomposition
from sing_core.models import backbones
from sing_core.models.backbones import Backbone, digest_of, head_check, head_of, load_backbone
from sing_core.models.imagenet import imagenet_labels
from sing_core.settings import Settings
from tests.shared_data import reference_photos

LITES = ("lite0", *(pytest.param(name, marks=pytest.mark.slow) for name in ("lite1", "lite2")))
FIXED_SIZE = ("vit", "mixer")
SMALL = {
    "linear": ("resnet18", {}),
    "dropout before the head": ("resnet18", {"drop_rate": 0.5}),
    "1x1 convolution": ("resnetv2_50x1_bit", {"num_classes": 50}),
    "hidden layer in the head": ("mobilenetv3_small_050", {"num_classes": 50}),
    "norm before the head": ("convnext_atto", {}),
    "norm and hidden layer": ("convnext_atto", {"head_hidden_size": 64, "num_classes": 50}),
    "class token": ("vit_tiny_patch16_224", {}),
    "average of tokens": ("mixer_s32_224", {"num_classes": 50}),
    "no bias": ("resnet18", {"num_classes": 50}),
}
LARGE = {"convolutions as hidden layers": ("vgg11", {})}


def photo(seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def build(kind):
    architecture, options = (SMALL | LARGE)[kind]
    network = timm.create_model(architecture, pretrained=False, **options)
    if not architecture.startswith(FIXED_SIZE):  # small photos are quicker and ask the same
        network.pretrained_cfg = {**network.pretrained_cfg, "input_size": (3, 64, 64)}
    if kind == "no bias":
        network.fc.bias = None
    for part in network.modules():  # heads start as zeros in some architectures
        if isinstance(part, nn.Linear | nn.Conv2d) and not part.weight.any():
            nn.init.normal_(part.weight, std=0.02)
    return network


def small_resnet():
    torch.manual_seed(0)
    return Backbone.from_timm(build("linear"), name="r")


def hooks(network):
    names = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return sum(len(getattr(part, name)) for part in network.modules() for name in names)


@pytest.fixture(params=[*SMALL, *(pytest.param(k, marks=pytest.mark.slow) for k in LARGE)])
def pair(request):
    torch.manual_seed(0)
    network = build(request.param)
    before = hooks(network)
    return Backbone.from_timm(network, name=request.param), network, before


@pytest.mark.slow
def test_every_head_reproduces_the_logits_of_its_network(pair):
    backbone, network, hooks_before = pair
    batch = torch.stack([backbone.preprocess(photo(seed)) for seed in (0, 1)])
    features = backbone.features(batch)
    with torch.inference_mode():
        expected = network(batch.to(memory_format=torch.channels_last))
    assert features.shape == (2, backbone.feature_dim)
    assert features.dtype == torch.float32
    assert not features.is_inference()
    assert not features.requires_grad
    largest = float(expected.abs().max())
    assert float((backbone.logits(features) - expected).abs().max()) <= 1e-5 * largest
    assert backbone.head_error <= 1e-5
    assert backbone.weight.shape == (expected.shape[1], backbone.feature_dim)
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert hooks(network) == hooks_before
    head = HeadDecomposition.from_weight(backbone.weight)
    assert head.rank == min(backbone.weight.shape)
    assert head.nullity == max(0, backbone.feature_dim - len(backbone.weight))


def test_a_narrow_transformer_has_no_null_space():
    weight, _ = head_of(timm.create_model("vit_tiny_patch16_224"))
    torch.nn.init.normal_(weight)
    assert HeadDecomposition.from_weight(weight).nullity == 0


@pytest.mark.slow
def test_a_vector_that_the_head_does_not_read_is_refused_with_the_number(monkeypatch):
    network = timm.create_model("resnet18").eval()
    honest = backbones._penultimate
    monkeypatch.setattr(backbones, "_penultimate", lambda net, x: honest(net, x) * 1.01)
    with pytest.raises(HeadError, match=r"differs from the network's logits by \d\.\de-\d\d"):
        Backbone.from_timm(network, name="wrong")
    assert hooks(network) == 0


@pytest.mark.slow
def test_a_head_of_another_layer_is_refused():
    network = timm.create_model("resnet18").eval()
    weight, bias = head_of(network)
    for wrong in (-weight, weight.flip(0), weight * float("nan")):
        with pytest.raises(HeadError, match="cannot be analysed"):
            head_check(network, wrong, bias, (3, 64, 64), "cpu")
    with pytest.raises(HeadError, match="reads 100 features, the network gives 512"):
        head_check(network, weight[:, :100], bias, (3, 64, 64), "cpu")


@pytest.mark.parametrize(
    ("architecture", "options", "kind"),
    [
        ("resnet18", {"num_classes": 0}, "Identity"),
        ("levit_128s", {}, "has 2 heads and averages"),
    ],
)
def test_a_network_without_one_linear_head_is_refused(architecture, options, kind):
    with pytest.raises(HeadError, match=kind):
        Backbone.from_timm(timm.create_model(architecture, **options), name=architecture)


def test_a_wide_convolution_is_no_head():
    network = timm.create_model("resnet18")
    network.fc = nn.Conv2d(512, 10, 3)
    with pytest.raises(HeadError, match="Conv2d"):
        head_of(network)


@pytest.mark.slow
def test_the_digest_knows_every_parameter_and_buffer():
    network = timm.create_model("resnet18", num_classes=3)
    first = digest_of(network)
    assert len(first) == len(hashlib.sha256().hexdigest())
    assert digest_of(network) == first
    network.bn1.running_mean[0] += 1e-3
    assert digest_of(network) != first


def test_a_batch_of_the_wrong_shape_is_refused():
    backbone = small_resnet()
    with pytest.raises(ShapeError, match="images, 3, height, width"):
        backbone.features(torch.ones(3, 64, 64))


@pytest.mark.slow
def test_extraction_gives_the_same_rows_in_order_whatever_the_batch():
    backbone = small_resnet()
    photos = [photo(seed) for seed in range(5)]
    single = torch.cat([backbone.features(backbone.preprocess(p)[None]) for p in photos])
    for size in (1, 2, 5, 16):
        found = list(backbone.extract(photos, batch_size=size))
        assert [len(rows) for rows in found] == [size] * (5 // size) + [5 % size] * (5 % size > 0)
        torch.testing.assert_close(torch.cat(found), single, rtol=1e-4, atol=1e-5)
    lazily = torch.cat(list(backbone.extract((lambda p=p: p) for p in photos)))
    torch.testing.assert_close(lazily, single, rtol=1e-4, atol=1e-5)
    assert list(backbone.extract([])) == []


def test_a_photo_that_cannot_be_decoded_stops_the_extraction():
    backbone = small_resnet()
    with pytest.raises(ZeroDivisionError):
        list(backbone.extract([photo(), lambda: 1 / 0]))


def test_a_name_that_nobody_knows_is_an_error_in_words():
    with pytest.raises(UnknownNameError, match="No classifier is called “no/such”"):
        load_backbone("no/such", Settings())


@pytest.mark.slow
@pytest.mark.parametrize("name", LITES)
def test_the_embedded_classifiers_see_the_right_thing_and_keep_it_without_the_null_part(name):
    backbone = load_backbone(name, Settings())
    head = HeadDecomposition.from_weight(backbone.weight)
    assert (backbone.feature_dim, head.rank, head.nullity) == (1280, 1000, 280)
    assert backbone.head_error <= 1e-5
    labels = imagenet_labels()
    for path, class_index in reference_photos():
        image = decode_image(path.read_bytes()).image
        feature = backbone.features(backbone.preprocess(image)[None])[0]
        logits = backbone.logits(feature)
        top5 = logits.topk(5).indices.tolist()
        assert class_index in top5, (path.name, [labels[i] for i in top5])
        drift = (backbone.logits(head.remove_null(feature)) - logits).abs().max()
        assert float(drift) <= 1e-5 * float(logits.abs().max())
        assert float(torch.linalg.vector_norm(head.null_part(feature))) > 0


def test_weights_of_another_digest_are_refused(monkeypatch):
    monkeypatch.setattr(backbones, "digest_of", lambda network: "0" * 64)
    with pytest.raises(WeightsUnavailableError, match="not the pinned ones"):
        load_backbone("lite0", Settings())


def test_names_of_another_number_of_classes_are_left_out_and_said():
    network = timm.create_model("test_resnet", num_classes=3)
    kept = Backbone.from_timm(network, name="own", labels=("ant", "bee", "crow"))
    assert (kept.labels, kept.notes) == (("ant", "bee", "crow"), ())
    found = Backbone.from_timm(network, name="own", labels=("ant", "bee"), notes=("Read.",))
    assert found.labels == ()
    assert found.notes == (
        "Read.",
        "own came with 2 class names for the 3 classes of its head; they are left out.",
    )


@pytest.mark.parametrize(("classes", "is_said"), [(1000, True), (999, False)])
def test_a_thousand_classes_without_names_are_taken_for_imagenets_and_that_is_said(
    classes, is_said, tmp_path
):
    path = tmp_path / "mine.safetensors"
    network = timm.create_model("test_resnet", num_classes=classes)
    save_file(network.state_dict(), path)
    notes = load_backbone(f"test_resnet@{path}", Settings()).notes
    assert ("they are taken for those of ImageNet-1k" in " ".join(notes)) == is_said
    path.with_suffix(".txt").write_text("\n".join(f"species {i}" for i in range(classes)))
    assert load_backbone(f"test_resnet@{path}", Settings()).notes == ()
