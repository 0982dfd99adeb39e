"""Classifiers from files: a typed name, what it may hold, and a sentence for what it may not."""

import pickle

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from sing_core.errors import HeadError, SingError, UnknownNameError, WeightsUnavailableError
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.head_variants import HeadVariant
from sing_core.models.backbones import load_backbone
from sing_core.models.names import (
    FileName,
    HubName,
    TimmName,
    file_state,
    parse_name,
    refuse_unknown,
)
from sing_core.models.networks import check_known, with_head
from sing_core.models.registry import find_model
from sing_core.models.token_head import TokenHead
from sing_core.models.trunks import assemble_trunk
from sing_core.settings import Settings
from sing_core.studies.photo import analyse_image
from sing_core.studies.question import Question

PROMPT = "an image of a jellyfish"
VIT = "vit_tiny_patch16_224"


@pytest.fixture(scope="module")
def lite0(tmp_path_factory):
    path = tmp_path_factory.mktemp("own") / "mine.safetensors"
    save_file(load_file(assemble_trunk("tf_efficientnet_lite0", Settings())), path)
    return path


@pytest.fixture
def small(tmp_path):
    """A resnet18 with three classes of its own, as somebody would save it."""
    torch.manual_seed(0)
    network = timm.create_model("resnet18", num_classes=3)
    path = tmp_path / "small.safetensors"
    save_file(network.state_dict(), path)
    return path


def refused(name, kind=WeightsUnavailableError):
    with pytest.raises(kind) as caught:
        load_backbone(name, Settings())
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith((".", "?"))
    return str(caught.value)


def test_a_name_says_where_its_weights_are(tmp_path):
    assert parse_name("resnet18.a1_in1k") == TimmName("resnet18.a1_in1k")
    assert parse_name("hf-hub:a/b@main") == HubName("a/b", "main")
    file = tmp_path / "a@b" / "x.safetensors"
    assert parse_name(f"resnet18@{file}") == FileName("resnet18", file)
    head = tmp_path / "head.safetensors"
    assert parse_name(f"resnet18@{file}@{head}") == FileName("resnet18", file, head)
    for wrong in (
        "hf-hub:",
        "hf-hub:a",
        "hf-hub:../x",
        "hf-hub:a/b@",
        "hf-hub:a/b@../x",
        "@x",
        "resnet18@",
    ):
        with pytest.raises(UnknownNameError, match="is needed"):
            parse_name(wrong)


def test_names_that_no_system_can_open_are_told_so():
    with pytest.raises(UnknownNameError, match="holds no zero byte"):
        parse_name("resnet18@/tmp/a\0b.safetensors")
    with pytest.raises(UnknownNameError, match="a user that this machine does not know"):
        parse_name("resnet18@~nobody-of-this-name/x.safetensors")


def test_names_that_nobody_knows_are_told_what_there_is():
    for name in ("vgg", "../../etc/passwd", "x" * 3000, "", "lite0 "):
        with pytest.raises(UnknownNameError, match="There are: lite0, lite1, lite2"):
            check_known(name, Settings())
    check_known("resnet18", Settings())


@pytest.mark.slow
def test_a_copy_of_a_shipped_classifier_gives_the_very_same_scores(lite0, toy_bench, chelsea):
    ask = {"prompt": PROMPT, "steps": 5}
    name = f"tf_efficientnet_lite0@{lite0}"
    for mode in ("steer", "remove"):
        own = analyse_image(toy_bench, chelsea, Question(model=name, mode=mode, **ask))
        shipped = analyse_image(toy_bench, chelsea, Question(model="lite0", mode=mode, **ask))
        assert own.sweep == shipped.sweep
        assert own.top5_before == shipped.top5_before
        assert (own.model, own.nullity) == (name, 280)


@pytest.mark.slow
def test_another_classifier_has_no_translator_and_its_head_is_known_all_the_same(small, toy_bench):
    name = f"resnet18@{small}"
    with pytest.raises(WeightsUnavailableError, match="There is no translator from"):
        toy_bench.translator(name, "mini")
    whole = toy_bench.classifier(name)
    facts = (whole.entry.feature_dim, whole.entry.classes, whole.linear.head.nullity)
    assert facts == (512, 3, 509)


@pytest.mark.slow
def test_class_names_may_lie_beside_the_weights(small, toy_bench):
    small.with_suffix(".txt").write_text("ant\nbee\ncrow\n")
    assert load_backbone(f"resnet18@{small}", Settings()).labels == ("ant", "bee", "crow")
    small.with_suffix(".txt").write_text("ant\nbee\n")
    text = refused(f"resnet18@{small}")
    assert "small.txt has 2 names, and the head in small.safetensors has 3 classes" in text


@pytest.mark.slow
def test_names_that_were_corrected_are_read_anew_by_a_running_server(small, toy_bench):
    name, listing = f"resnet18@{small}", small.with_suffix(".txt")
    listing.write_text("ant\nbee\ncrow\n")
    before = file_state(name)
    assert toy_bench.classifier(name).labels == ("ant", "bee", "crow")
    listing.write_text("ant\nbee\nraven\n")
    assert file_state(name) != before
    assert toy_bench.classifier(name).labels == ("ant", "bee", "raven")
    variant = HeadVariant(classes=(0, 1))
    assert toy_bench.deciding(name, variant).labels == ("ant", "bee", "raven")
    listing.unlink()
    assert toy_bench.classifier(name).labels == ()


@pytest.mark.slow
def test_what_a_file_may_not_be_is_said_in_a_sentence(small, tmp_path):
    weights = load_file(small)
    disguised = tmp_path / "disguised.safetensors"
    torch.save(weights, disguised)
    plain = tmp_path / "plain.pt"
    plain.write_bytes(pickle.dumps([1]))
    for path in (disguised, plain):
        assert "is a pickle" in refused(f"resnet18@{path}")
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(small.read_bytes()[:-1_000])
    empty = tmp_path / "empty.safetensors"
    empty.write_bytes(b"")
    for path in (cut, empty):
        assert "is damaged, cut short or no safetensors file" in refused(f"resnet18@{path}")
    other = tmp_path / "weights.txt"
    other.write_text("hello")
    assert "no .safetensors file" in refused(f"resnet18@{other}")
    assert "no such file" in refused(f"resnet18@{tmp_path / 'none.safetensors'}")
    assert "cannot be read" in refused(f"resnet18@{tmp_path}")


@pytest.mark.slow
def test_what_does_not_fit_the_architecture_is_said_in_a_sentence(small, tmp_path):
    weights = load_file(small)
    assert "does not hold a mobilenetv3_small_050" in refused(f"mobilenetv3_small_050@{small}")
    wrong = tmp_path / "wrong.safetensors"
    save_file({**weights, "layer1.0.conv1.weight": torch.zeros(64, 64, 1, 1)}, wrong)
    assert "layer1.0.conv1.weight in the shape (64, 64, 1, 1)" in refused(f"resnet18@{wrong}")
    headless = {k: v for k, v in weights.items() if not k.startswith("fc.")}
    save_file(headless, wrong)
    assert "holds no head" in refused(f"resnet18@{wrong}", HeadError)
    save_file({**weights, "fc.weight": torch.full((3, 512), float("nan"))}, wrong)
    assert "not finite" in refused(f"resnet18@{wrong}", HeadError)
    assert "No classifier is called “resnet0”" in refused(f"resnet0@{small}", UnknownNameError)


@pytest.mark.slow
def test_a_file_that_is_not_the_one_its_checksum_names_is_refused(small):
    import hashlib

    note = small.with_name(f"{small.name}.sha256")
    note.write_text(f"{hashlib.sha256(small.read_bytes()).hexdigest()}  {small.name}\n")
    load_backbone(f"resnet18@{small}", Settings())
    tampered = bytearray(small.read_bytes())
    tampered[-1] ^= 1
    small.write_bytes(bytes(tampered))
    assert "was changed or damaged" in refused(f"resnet18@{small}")
    note.write_text("no digest")
    assert "holds no SHA-256" in refused(f"resnet18@{small}")


@pytest.mark.slow
def test_a_file_that_was_saved_again_is_another_classifier(small, toy_bench):
    name = f"resnet18@{small}"
    first, state = toy_bench.entry(name).weights_digest, file_state(name)
    weights = load_file(small)
    save_file({**weights, "fc.bias": weights["fc.bias"] + 1}, small)
    assert file_state(name) != state
    assert toy_bench.entry(name).weights_digest != first
    assert file_state("lite0") == file_state("resnet18@/nowhere.safetensors") == ""


@pytest.mark.slow
def test_a_bad_file_leaves_the_previous_classifier_usable(small, tmp_path, toy_bench, chelsea):
    good = toy_bench.pool.backbone(f"resnet18@{small}")
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(small.read_bytes()[:1_000])
    for bad in (f"resnet18@{cut}", f"vgg11@{small}", "hf-hub:no", "resnet18@/nowhere.safetensors"):
        with pytest.raises(SingError):
            toy_bench.classifier(bad)
    assert toy_bench.pool.backbone(f"resnet18@{small}") is good
    assert toy_bench.features(f"resnet18@{small}", chelsea).shape == (512,)


@pytest.mark.parametrize(("times", "kind"), [(1, "VisionTransformer"), (2, "TokenHead")])
@pytest.mark.slow
def test_a_separate_head_is_put_where_its_width_says(times, kind, tmp_path):
    torch.manual_seed(0)
    trunk = timm.create_model(VIT, num_classes=0)
    save_file(trunk.state_dict(), tmp_path / "trunk.safetensors")
    weight, bias = torch.randn(20, 192 * times), torch.randn(20)
    head = {"classifier.weight": weight, "classifier.bias": bias, "other.weight": torch.ones(2, 2)}
    save_file(head, tmp_path / "head.safetensors")
    name = f"{VIT}@{tmp_path / 'trunk.safetensors'}@{tmp_path / 'head.safetensors'}"
    backbone = load_backbone(name, Settings())
    assert type(backbone.network).__name__ == kind
    assert torch.equal(backbone.weight, weight)
    assert torch.equal(backbone.bias, bias)
    assert backbone.head_error <= 1e-5
    assert HeadDecomposition.from_weight(backbone.weight).nullity == 192 * times - 20
    batch = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        tokens = trunk.eval().forward_features(batch)
    patches = tokens[:, 1:].mean(1)
    expected = torch.cat([tokens[:, 0], patches], 1) if times == 2 else tokens[:, 0]
    torch.testing.assert_close(backbone.features(batch), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_a_head_of_another_width_or_none_at_all_is_refused(tmp_path):
    trunk = timm.create_model(VIT, num_classes=0)
    with pytest.raises(HeadError, match="reads 7 features; this backbone gives 192, or 384"):
        with_head(trunk, (torch.zeros(5, 7), torch.zeros(5)))
    save_file(trunk.state_dict(), tmp_path / "trunk.safetensors")
    name = f"{VIT}@{tmp_path / 'trunk.safetensors'}"
    assert "holds no head" in refused(name, HeadError)
    save_file({"a.b": torch.zeros(2, 2)}, tmp_path / "head.safetensors")
    assert "holds no head" in refused(f"{name}@{tmp_path / 'head.safetensors'}")


def test_the_row_of_dinov2_names_a_backbone_and_a_head_apart():
    entry = find_model("dinov2_large.imagenet1k_1_layer", Settings())
    assert entry.head_repository
    assert entry.feature_dim == 2 * 1024
    assert TokenHead.__doc__


@pytest.mark.slow
def test_no_name_that_timm_knows_is_refused_by_its_text_alone():
    older = timm.models._registry._deprecated_models
    names = [*timm.list_models()[::40], *sorted(older)[::10], "resnet18.a1_in1k", "vgg16.nonsense"]
    for name in (*names, "hf-hub:owner/name", "resnet18@file.safetensors", "lite0"):
        refuse_unknown(name, Settings())
    for name in ("nope", "resnet0", "lite 0", "сова", "nothing.a1_in1k"):
        with pytest.raises(UnknownNameError, match="No classifier is called"):
            refuse_unknown(name, Settings())
