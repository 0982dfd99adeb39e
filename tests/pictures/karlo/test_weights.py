"""Karlo's weights: found, verified, refused in words. Every test loads as users do."""

import json
import os
import shutil
import threading

import pytest
import torch
from diffusers import UnCLIPImageVariationPipeline
from safetensors.torch import load_file, save_file

from sing_core.errors import NoDeviceError, SingError
from sing_core.pictures.karlo.files import (
    REPOSITORY,
    SAFETENSORS_REF,
    why_missing,
)
from sing_core.pictures.karlo.weights import load_karlo
from sing_core.settings import Settings
from tests import tiny_karlo
from tests.pictures.karlo.karlo_files import DECODER, refusal


def edit_json(path, **changes):
    found = json.loads(path.read_text("utf-8")) | changes
    path.write_text(json.dumps(found), "utf-8")


def edit_weights(path, change):
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, {"format": "pt"})


@pytest.mark.slow
def test_the_stock_loader_fails_on_the_hubs_layout_and_ours_does_not(karlo_dir, karlo_settings):
    """The day the first half fails, diffusers was repaired and this package may lose code."""
    with pytest.raises(ValueError, match="unclip is not one of the libraries"):
        UnCLIPImageVariationPipeline.from_pretrained(karlo_dir, local_files_only=True)
    told = []
    networks = load_karlo(karlo_settings, told.append)
    assert any("decoder" in sentence for sentence in told)
    assert (networks.small_px, networks.large_px) == (tiny_karlo.SMALL_PX, tiny_karlo.LARGE_PX)
    assert networks.embedding_dim == tiny_karlo.DIM
    assert networks.dtype == torch.float32


@pytest.mark.slow
def test_what_is_loaded_is_the_files_numbers_frozen_and_detached_from_the_file(
    karlo_dir, karlo_settings
):
    networks = load_karlo(karlo_settings)
    for name in ("decoder", "text_proj", "super_res_first", "super_res_last"):
        module = getattr(networks, name)
        expected = load_file(karlo_dir / name / "diffusion_pytorch_model.safetensors")
        own = module.state_dict()
        assert expected.keys() == own.keys()
        assert all(torch.equal(own[key], expected[key]) for key in own)
        assert not module.training
        assert not any(p.requires_grad or p.is_meta for p in module.parameters())
    before = networks.decoder.conv_in.weight.clone()
    (karlo_dir / DECODER).write_bytes(bytes((karlo_dir / DECODER).stat().st_size))
    assert torch.equal(networks.decoder.conv_in.weight, before)


def test_karlo_pads_the_empty_prompt_and_masks_the_padding(networks):
    mask = networks.empty_prompt.mask
    assert mask.shape == (1, tiny_karlo.TOKENS)
    assert mask[0].tolist() == [True, True] + [False] * (tiny_karlo.TOKENS - 2)
    assert networks.empty_prompt.embedding.shape == (1, tiny_karlo.DIM)


def test_loading_needs_no_network(karlo_settings, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the network was used")

    monkeypatch.setattr("socket.socket.connect", refuse)
    load_karlo(karlo_settings)


def test_loading_writes_nothing_to_standard_output_or_error(karlo_settings, capfd):
    load_karlo(karlo_settings)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "name",
    [
        DECODER,
        "text_encoder/model.safetensors",
        "super_res_last/config.json",
        "decoder_scheduler/scheduler_config.json",
        "tokenizer/vocab.json",
    ],
)
def test_a_missing_file_is_named_and_the_sentence_says_how_to_fetch_it(
    karlo_dir, karlo_settings, name
):
    assert why_missing(karlo_settings) is None
    (karlo_dir / name).unlink()
    message = refusal(karlo_settings)
    assert why_missing(karlo_settings) == message
    assert name in message
    assert REPOSITORY in message
    assert f"hf download {REPOSITORY} --revision {SAFETENSORS_REF}" in message
    assert "SING_KARLO_DIR" in message


def test_a_folder_that_is_not_there_is_named(tmp_path):
    assert "nowhere" in refusal(Settings(karlo_dir=tmp_path / "nowhere", cache_dir=tmp_path))


@pytest.mark.slow
def test_files_that_karlo_does_not_use_may_be_missing(karlo_dir, karlo_settings):
    for name in ("image_encoder", "feature_extractor"):
        shutil.rmtree(karlo_dir / name)
    (karlo_dir / "model_index.json").unlink()
    load_karlo(karlo_settings)


@pytest.mark.slow
def test_pickles_are_refused_until_each_is_allowed_by_name(karlo_dir, karlo_settings):
    expected = load_karlo(karlo_settings).decoder.state_dict()
    tiny_karlo.replace_by_pickles(karlo_dir)
    message = refusal(karlo_settings)
    assert "only as a pickle" in message
    assert "run code" in message
    # The sentence says what to set; leaving one out refuses that one.
    names = message.split("SING_KARLO_PICKLES=")[1].rstrip(".").split(",")
    assert len(names) == 5
    for left_out in names:
        some = ",".join(name for name in names if name != left_out)
        changed = karlo_settings.model_copy(update={"karlo_pickles": some})
        assert f"Karlo's {left_out} is there only as a pickle" in refusal(changed)
    allowed = karlo_settings.model_copy(update={"karlo_pickles": ", ".join(names)})
    found = load_karlo(allowed).decoder.state_dict()
    assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_a_pickle_that_runs_code_does_not_even_when_allowed(karlo_dir, karlo_settings, tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "it-ran"),)

    path = karlo_dir / "decoder" / "diffusion_pytorch_model.bin"
    (karlo_dir / DECODER).unlink()
    torch.save({"conv_in.weight": Trap()}, path)
    allowed = karlo_settings.model_copy(
        update={"karlo_pickles": "decoder/diffusion_pytorch_model.bin"}
    )
    assert "damaged or no weight file" in refusal(allowed)
    assert not (tmp_path / "it-ran").exists()


def test_safetensors_are_taken_where_both_lie(karlo_dir, karlo_settings):
    (karlo_dir / "decoder" / "diffusion_pytorch_model.bin").write_bytes(b"never opened")
    load_karlo(karlo_settings)


@pytest.mark.parametrize(
    ("name", "changes", "sentence"),
    [
        ("decoder/config.json", {"_class_name": "UNet2DModel"}, "describes UNet2DModel"),
        ("decoder/config.json", {"class_embed_type": None}, "decoder's class embedding"),
        ("decoder/config.json", {"out_channels": 3}, "does not fill"),
        ("decoder/config.json", {"block_out_channels": [32, 96]}, "does not fill"),
        ("decoder/config.json", {"down_block_types": ["Nonsense"]}, "no network that can be built"),
        ("super_res_last/config.json", {"sample_size": 64}, "super_res_last's side"),
        ("text_proj/config.json", {"clip_embeddings_dim": 48}, "does not fill"),
        ("text_encoder/config.json", {"architectures": ["CLIPModel"]}, "describes CLIPModel"),
        (
            "decoder_scheduler/scheduler_config.json",
            {"variance_type": "fixed_small_log"},
            "variance_type “fixed_small_log”",
        ),
        (
            "super_res_scheduler/scheduler_config.json",
            {"prediction_type": "sample"},
            "prediction_type “sample”",
        ),
        ("super_res_scheduler/scheduler_config.json", {"_class_name": "DDIMScheduler"}, "DDIM"),
    ],
)
def test_another_architecture_is_refused(karlo_dir, karlo_settings, name, changes, sentence):
    edit_json(karlo_dir / name, **changes)
    assert sentence in refusal(karlo_settings)


def test_a_device_that_refuses_is_not_said_to_be_a_fault_of_the_files(karlo_settings, monkeypatch):
    def refuse(self, *what, **how):
        raise RuntimeError("Found no NVIDIA driver on your system.")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(NoDeviceError, match="SING_DEVICE"):
        load_karlo(karlo_settings.model_copy(update={"device": "cuda"}))
    monkeypatch.setattr(torch.Tensor, "to", refuse)
    with pytest.raises(RuntimeError, match="NVIDIA driver"):
        load_karlo(karlo_settings)


def test_a_configuration_that_is_no_json_object_is_refused(karlo_dir, karlo_settings):
    for payload in ("[]", "{", "\0"):
        (karlo_dir / "decoder" / "config.json").write_text(payload)
        assert "decoder/config.json" in refusal(karlo_settings)


@pytest.mark.slow
def test_weights_that_lack_or_exceed_something_are_refused(karlo_dir, karlo_settings):
    """diffusers would fill the gap with random numbers and only log it."""
    for name, key in (
        (DECODER, "conv_in.weight"),
        ("text_encoder/model.safetensors", "text_projection.weight"),
    ):
        path = karlo_dir / name
        before = path.read_bytes()
        edit_weights(path, lambda tensors, key=key: tensors.pop(key))
        assert key in refusal(karlo_settings)
        path.write_bytes(before)
    edit_weights(karlo_dir / DECODER, lambda tensors: tensors.update(more=torch.zeros(1)))
    assert "more" in refusal(karlo_settings)


def test_parts_of_different_models_are_refused(karlo_dir, karlo_settings):
    """Each part is whole, and its neighbour expects another width."""
    from diffusers.pipelines.deprecated.unclip.text_proj import UnCLIPTextProjModel

    other = UnCLIPTextProjModel(clip_embeddings_dim=48, time_embed_dim=128, cross_attention_dim=40)
    other.save_pretrained(karlo_dir / "text_proj")
    assert "text_proj's embeddings is 48, and 32 is needed" in refusal(karlo_settings)


def test_a_revision_must_be_a_full_commit_hash():
    for wrong in ("main", SAFETENSORS_REF, "abc123", "A" * 40):
        with pytest.raises(ValueError, match="karlo_revision"):
            Settings(karlo_revision=wrong)


@pytest.mark.slow
def test_several_threads_load_at_once(karlo_settings):
    found, problems = [], []

    def load():
        try:
            found.append(load_karlo(karlo_settings).weights_id)
        except SingError as error:
            problems.append(error)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(set(found)) == 1
    assert len(found) == 4
