"""Checkpoints as people have them: wrapped, averaged, profiled, without a bias, at another size."""

import shutil
import subprocess
import sys
import time

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from sing_core.errors import HeadError, SingError, WeightsUnavailableError
from sing_core.models.backbones import load_backbone
from sing_core.settings import Settings
from tests.shared_data import case

RESNET, VIT = "test_resnet", "test_vit"


@pytest.fixture(scope="module")
def plain():
    torch.manual_seed(0)
    return dict(timm.create_model(RESNET, num_classes=10).state_dict())


@pytest.fixture
def saved(tmp_path):
    def save(weights):
        path = tmp_path / "mine.safetensors"
        save_file({name: value.clone() for name, value in weights.items()}, path)
        return path

    return save


def loaded(path, architecture=RESNET):
    return load_backbone(f"{architecture}@{path}", Settings())


def refused(path, kind=WeightsUnavailableError, architecture=RESNET):
    with pytest.raises(kind) as caught:
        loaded(path, architecture)
    assert str(caught.value).endswith((".", "?"))
    return str(caught.value)


def prefixed(prefix, weights):
    return {prefix + name: value for name, value in weights.items()}


@pytest.mark.parametrize(
    "prefix",
    ["module.", "model.", "_orig_mod.", "backbone.", "net.module._orig_mod.", "state_dict_ema."],
)
def test_a_wrapper_is_taken_off_once_and_changes_nothing(prefix, plain, saved):
    bare = loaded(saved(plain))
    wrapped = loaded(saved(prefixed(prefix, plain)))
    assert wrapped.weights_digest == bare.weights_digest
    assert wrapped.notes == bare.notes == ()


def test_of_several_networks_the_averaged_one_is_taken_and_said_or_none(plain, saved):
    average = {name: value * 2 for name, value in plain.items()}
    both = prefixed("model.", plain) | prefixed("model_ema.module.", average)
    found = loaded(saved(both))
    assert torch.equal(found.weight, average["fc.weight"])
    (note,) = found.notes
    assert "2 whole networks (“model.”, “model_ema.module.”); the averaged weights" in note
    pair = prefixed("student.", plain) | prefixed("teacher.", average)
    assert "2 whole networks (“student.”, “teacher.”)" in refused(saved(pair))


@pytest.mark.parametrize("prefix", ["semantic.", "schema.", "cinema_model."])
def test_a_name_that_only_holds_ema_is_no_average(prefix, plain, saved):
    both = prefixed("model.", plain) | prefixed(prefix, {k: v * 2 for k, v in plain.items()})
    assert "2 whole networks" in refused(saved(both))


@pytest.mark.parametrize("kind", [torch.int8, torch.uint8, torch.complex64])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_weights_that_were_quantised_are_refused_and_not_cast(kind, prefix, plain, saved):
    name = "layer1.0.conv1.weight"
    quantised = {**plain, name: plain[name].to(kind)}
    text = refused(saved(prefixed(prefix, quantised)))
    assert f"has {prefix}{name} as " in text
    assert "What was quantised cannot be read without its scale." in text


def test_names_of_another_library_do_not_let_quantised_weights_through(saved):
    foreign = {
        "features.0.weight": torch.zeros(2, dtype=torch.int8),
        "fc.weight": torch.ones(2, 96),
    }
    assert "features.0.weight as I8 numbers" in refused(saved(foreign))


def test_a_name_of_a_hundred_thousand_parts_takes_no_minutes(plain, saved):
    path = saved({**plain, "a." * 100_000: torch.zeros(1)})
    began = time.process_time()
    assert "that is no name of weights" in refused(path)
    assert time.process_time() - began < 5


def test_what_nothing_reads_is_named_and_a_larger_network_is_not_taken_for_a_smaller(plain, saved):
    one = torch.zeros(1)
    counted = loaded(saved({**plain, "total_ops": one, "layer1.0.conv1.total_params": one}))
    (note,) = counted.notes
    assert note.endswith("left out: layer1.0.conv1.total_params, total_ops.")
    larger = refused(saved({**plain, "layer1.7.conv1.weight": one}))
    assert "holds more than a test_resnet: layer1.7.conv1.weight" in larger


def test_a_head_without_a_bias_has_zeros_and_old_files_have_no_counts(plain, saved):
    lean = {k: v for k, v in plain.items() if k != "fc.bias" and "num_batches" not in k}
    found = loaded(saved(lean))
    assert torch.equal(found.bias, torch.zeros(10))
    assert found.notes == ("The head fc has no bias; zeros stand for it.",)
    holed = {k: v for k, v in plain.items() if k != "layer1.0.conv1.weight"}
    assert "lacks layer1.0.conv1.weight of test_resnet" in refused(saved(holed))


@pytest.mark.parametrize("name", ["fc.1", "head.1", "classifier"])
def test_a_head_in_another_place_is_taken_and_said(name, plain, saved):
    trunk = {k: v for k, v in plain.items() if not k.startswith("fc.")}
    head = {f"{name}.weight": plain["fc.weight"], f"{name}.bias": plain["fc.bias"]}
    found = loaded(saved(trunk | head))
    assert torch.equal(found.weight, plain["fc.weight"])
    assert torch.equal(found.bias, plain["fc.bias"])
    assert found.notes[0].endswith(f"has no fc; the head was taken from {name}.")


@pytest.mark.slow
def test_heads_that_are_not_one_linear_layer_are_named(plain, saved):
    trunk = {k: v for k, v in plain.items() if not k.startswith("fc.")}
    layers = {"fc.0.weight": torch.zeros(96, 96), "fc.2.weight": plain["fc.weight"]}
    assert "several layers, or several heads (fc.0, fc.2)" in refused(
        saved(trunk | layers), HeadError
    )
    normed = {"fc.0.weight": torch.ones(96), "fc.1.weight": plain["fc.weight"]}
    assert "(fc.0, fc.1)" in refused(saved(trunk | normed), HeadError)
    two = {"head.weight": plain["fc.weight"], "classifier.weight": plain["fc.weight"]}
    assert "several heads (classifier, head)" in refused(saved(trunk | two), HeadError)
    assert "holds no head" in refused(saved(trunk), HeadError)
    deit = timm.create_model("deit_tiny_distilled_patch16_224", num_classes=3).state_dict()
    text = refused(saved(deit), HeadError, "deit_tiny_distilled_patch16_224")
    assert "has 2 heads (head and head_dist)" in text


@pytest.mark.parametrize("shape", [(), (10,), (0, 96), (1_000_000, 0), (400_000, 1), (10, 95)])
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_head_of_no_possible_shape_is_refused_before_anything_is_built(
    shape, prefix, plain, saved, monkeypatch
):
    path = saved(prefixed(prefix, {**plain, "fc.weight": torch.zeros(shape)}))
    monkeypatch.setattr(
        "sing_core.models.checkpoints._load", lambda *given: pytest.fail("It was built.")
    )
    began = time.monotonic()
    assert f"fc.weight in the shape {shape}" in refused(path, HeadError)
    assert time.monotonic() - began < 5


def test_names_of_another_library_do_not_let_an_absurd_head_through(saved):
    foreign = {"features.0.weight": torch.zeros(2), "fc.weight": torch.zeros(1_000_000, 0)}
    assert "fc.weight in the shape (1000000, 0)" in refused(saved(foreign), HeadError)
    bias = {"features.0.weight": torch.zeros(2), "fc.weight": torch.zeros(())}
    assert "fc.weight in the shape ()" in refused(saved(bias), HeadError)


@pytest.mark.slow
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_transformer_runs_at_the_size_it_was_trained_at_and_says_so(prefix, saved):
    torch.manual_seed(0)
    own = timm.create_model(VIT, num_classes=10, img_size=256).eval()
    found = loaded(saved(prefixed(prefix, own.state_dict())), VIT)
    batch = torch.randn(2, 3, 256, 256)
    with torch.inference_mode():
        torch.testing.assert_close(found.logits(found.features(batch)), own(batch))
    assert found.sight.side == 256
    (note,) = found.notes
    assert "trained at 256 x 256 px" in note


@pytest.mark.slow
def test_a_position_embedding_of_no_square_is_never_resampled(saved):
    wide = timm.create_model(VIT, num_classes=10, img_size=(160, 320)).state_dict()
    assert "It is not resampled" in refused(saved(wide), architecture=VIT)
    foreign = {"visual.positional_embedding": wide["pos_embed"][0], "fc.weight": torch.ones(3, 64)}
    assert "It is not resampled" in refused(saved(foreign), architecture=VIT)


def make(name, folder):
    script = case(name) / "make.py"
    subprocess.run([sys.executable, script], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def brought(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wrappers")
    make("checkpoint-wrappers", folder)
    return folder


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("ddp10", ""),
        ("lightning10", ""),
        ("compiled10", ""),
        ("nobias10", "has no bias"),
        ("extra10", "left out: total_ops, total_params"),
        ("extra2", "left out: criterion.center, ema_decay"),
        ("seqhead", "the head was taken from fc.1"),
        ("fp16_10", ""),
        ("bf16_10", ""),
    ],
)
@pytest.mark.slow
def test_checkpoints_of_the_shared_cases_load_and_what_is_not_plain_is_said(name, note, brought):
    found = loaded(brought / f"{name}.safetensors")
    assert found.weight.shape == (10, 96)
    assert note in " ".join(found.notes)
    assert bool(note) == bool(found.notes)
    head = "fc.1.weight" if name == "seqhead" else "fc.weight"
    weights = load_file(brought / f"{'seqhead' if name == 'seqhead' else 'plain10'}.safetensors")
    torch.testing.assert_close(found.weight, weights[head], rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize(
    ("name", "architecture", "words"),
    [
        ("deitd", "deit_tiny_distilled_patch16_224", "head and head_dist"),
        ("headless", RESNET, "holds no head"),
        ("gray10", RESNET, "conv1.0.weight in the shape (16, 1, 3, 3)"),
        ("vit160x320", VIT, "not resampled"),
        ("nan", RESNET, "not finite"),
    ],
)
@pytest.mark.slow
def test_checkpoints_of_the_shared_cases_that_cannot_be_taken_say_why(
    name, architecture, words, brought
):
    assert words in refused(brought / f"{name}.safetensors", SingError, architecture)


@pytest.mark.slow
def test_the_shared_case_of_another_size_runs_at_that_size(tmp_path):
    make("vit-trained-at-other-size", tmp_path)
    found = loaded(tmp_path / "vit256.safetensors", VIT)
    assert found.sight.side == 256
    assert "trained at 256 x 256 px" in found.notes[0]


@pytest.mark.parametrize(
    ("name", "words"),
    [("lab_bom", ""), ("lab_u16", ""), ("lab_ok", ""), ("lab_nine", "has 9 names, and the head")],
)
def test_labels_of_the_shared_cases_are_read_or_refused(name, words, plain, tmp_path):
    listing = case("labels-beside-weights") / f"{name}.txt"
    shutil.copy(listing, tmp_path / listing.name)
    path = tmp_path / f"{name}.safetensors"
    save_file(plain, path)
    if words:
        assert words in refused(path)
    else:
        labels = loaded(path).labels
        assert (len(labels), labels[0][:3]) == (10, "aaa")
