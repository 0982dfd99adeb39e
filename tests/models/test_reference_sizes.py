"""Weights of a reference against its configuration: positions are never resampled unsaid."""

import copy
import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from sing_core.errors import WeightsUnavailableError
from sing_core.models.references import load_reference
from sing_core.settings import Settings
from tests.tiny_clip import TINY, tiny_clip

CONFIG, WEIGHTS = "open_clip_config.json", "open_clip_model.safetensors"


@pytest.fixture
def folder(tmp_path):
    """A model trained at 32 px with prompts of 77 tokens."""
    tiny_clip(tmp_path / "tiny", 0)
    return tmp_path / "tiny"


def configured(folder, **changes):
    config = copy.deepcopy(TINY)
    for name, value in changes.items():
        tower, _, key = name.partition("__")
        config["model_cfg"][tower][key] = value
    (folder / CONFIG).write_text(json.dumps(config))


def refused(folder):
    with pytest.raises(WeightsUnavailableError) as caught:
        load_reference(f"local-dir:{folder}", Settings(device="cpu"))
    assert str(caught.value).endswith(".")
    return str(caught.value)


def as_a_pickle(folder, wrap):
    weights = load_file(folder / WEIGHTS)
    (folder / WEIGHTS).unlink()
    torch.save(wrap(weights), folder / "epoch_3.pt")


def epoch(weights):
    return {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in weights.items()}}


@pytest.mark.slow
@pytest.mark.parametrize("wrap", [None, dict, epoch])
def test_images_of_another_size_are_refused_and_the_size_is_named(folder, wrap):
    if wrap is not None:
        as_a_pickle(folder, wrap)
    configured(folder, vision_cfg__image_size=64)
    text = refused(folder)
    assert "has 5 positions for images, and its configuration says 64 x 64 px" in text
    assert "let image_size be 32 in open_clip_config.json." in text
    configured(folder)
    load_reference(f"local-dir:{folder}", Settings(device="cpu"))


@pytest.mark.parametrize("wrap", [None, epoch])
@pytest.mark.parametrize("asked", [32, 128])
def test_prompts_of_another_length_are_refused_and_the_length_is_named(folder, asked, wrap):
    if wrap is not None:
        as_a_pickle(folder, wrap)
    configured(folder, text_cfg__context_length=asked)
    text = refused(folder)
    assert (
        f"has 77 positions for the tokens of a prompt, and its configuration says {asked}" in text
    )
    assert "let context_length be 77 in open_clip_config.json." in text


def test_positions_of_no_square_are_refused_without_a_guess(folder):
    weights = load_file(folder / WEIGHTS)
    weights["visual.positional_embedding"] = torch.zeros(8, 32)
    save_file(weights, folder / WEIGHTS)
    assert "let image_size be what it was trained at" in refused(folder)


@pytest.mark.parametrize("wrap", [None, dict])
def test_quantised_weights_are_refused(folder, wrap):
    weights = load_file(folder / WEIGHTS)
    weights["visual.proj"] = weights["visual.proj"].to(torch.int8)
    save_file(weights, folder / WEIGHTS)
    if wrap is not None:
        as_a_pickle(folder, wrap)
    assert "visual.proj as " in refused(folder)


def test_a_text_tower_of_its_own_is_judged_the_same(tmp_path):
    import open_clip

    model = copy.deepcopy(TINY["model_cfg"]) | {"custom_text": True}
    torch.manual_seed(0)
    own = {name: value for name, value in model.items() if name != "custom_text"}
    save_file(open_clip.CustomTextCLIP(**own).state_dict(), tmp_path / WEIGHTS)
    written = {"model_cfg": model, "preprocess_cfg": TINY["preprocess_cfg"]}
    (tmp_path / CONFIG).write_text(json.dumps(written))
    load_reference(f"local-dir:{tmp_path}", Settings(device="cpu"))
    model["text_cfg"]["context_length"] = 32
    (tmp_path / CONFIG).write_text(json.dumps(written))
    assert "let context_length be 77" in refused(tmp_path)
