"""The restored transformer: the package's lower blocks under the trained half, in whole steps."""

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file

from sing_core.errors import WeightsUnavailableError
from sing_core.models import restored_vit
from sing_core.models.focus_vit import ARCHITECTURE, SIZE, encoder_weights
from sing_core.models.restored_vit import packed, restored_weights, unpacked, upper_path
from sing_core.settings import Settings


def network():
    return timm.create_model(ARCHITECTURE, img_size=SIZE, num_classes=1000)


def trained_half(state):
    return {
        name: value
        for name, value in state.items()
        if restored_vit._is_trained(name) or name.startswith("head.")
    }


@pytest.mark.slow
def test_the_classifier_is_the_package_below_and_the_trained_file_above(tmp_path):
    student = network()
    trained = trained_half(student.state_dict())
    save_file(packed(trained), tmp_path / "upper.safetensors")
    weights = restored_weights(tmp_path / "upper.safetensors")
    student.load_state_dict(weights)
    below = encoder_weights()
    assert torch.equal(weights["blocks.5.mlp.fc1.weight"], below["blocks.5.mlp.fc1.weight"])
    upper, wanted = weights["blocks.6.mlp.fc1.weight"], trained["blocks.6.mlp.fc1.weight"]
    half_a_step = wanted.abs().amax(1, keepdim=True) / 254
    assert bool(((upper - wanted).abs() <= 1.001 * half_a_step).all())
    assert torch.equal(weights["head.weight"], trained["head.weight"].half().float())


@pytest.mark.slow
def test_what_ships_is_the_trained_half_and_no_more():
    stored = load_file(upper_path(Settings()))
    assert unpacked(stored).keys() == trained_half(network().state_dict()).keys()


@pytest.mark.slow
def test_a_trained_file_that_lacks_a_block_is_refused(tmp_path):
    save_file({"head.bias": torch.zeros(1000)}, tmp_path / "upper.safetensors")
    with pytest.raises(WeightsUnavailableError, match="does not hold the trained blocks"):
        restored_weights(tmp_path / "upper.safetensors")


def test_steps_without_their_lengths_are_refused():
    with pytest.raises(WeightsUnavailableError, match=r"blocks\.6\.x\.scales"):
        unpacked({"blocks.6.x.steps": torch.zeros(2, 2, dtype=torch.int8)})


@pytest.mark.slow
def test_a_trained_file_that_is_damaged_is_a_sentence(tmp_path):
    path = tmp_path / "upper.safetensors"
    path.write_bytes(upper_path(Settings()).read_bytes()[:1000])
    with pytest.raises(WeightsUnavailableError, match="missing or damaged"):
        restored_weights(path)
