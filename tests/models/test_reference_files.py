"""References from a real little hub: pinned, checked, and never of random weights in silence."""

import json

import open_clip
import pytest
import torch
from huggingface_hub import constants
from open_clip import pretrained
from safetensors.torch import load_file, save_file

from sing_core.errors import UnknownNameError, WeightsUnavailableError
from sing_core.files.hub_progress import watching
from sing_core.models.reference_files import folder_weights, reference_files
from sing_core.models.references import load_reference
from sing_core.models.registry import all_references
from sing_core.settings import Settings
from tests.tiny_clip import SIGLIP, TINY, small_tokeniser, tiny_clip
from tests.tiny_hub import COMMIT, serving

REPOSITORY = "somebody/tiny-clip"
NAME = f"hf-hub:{REPOSITORY}"
PROMPTS = ["a dog", "a much longer prompt about a dog"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny")
    return tiny_clip(folder, 0), folder


@pytest.fixture
def hub(tiny, hub_at):
    with serving() as made:
        for path in tiny[1].iterdir():
            made.files[REPOSITORY, path.name] = path.read_bytes()
        hub_at(made.url)
        yield made


@pytest.fixture
def settings(tmp_path):
    return Settings(cache_dir=tmp_path / "cache", device="cpu")


@pytest.mark.slow
def test_a_repository_is_fetched_pinned_watched_and_then_read_without_the_hub(
    hub, tiny, settings, monkeypatch
):
    seen = []
    with watching(lambda *news: seen.append(news)):
        found = load_reference(NAME, settings)
    direct = tiny[0].encode_text(found.tokenise(PROMPTS)).detach()
    torch.testing.assert_close(found.embed_texts(PROMPTS), direct, rtol=1e-4, atol=1e-5)
    assert found.preprocess.transforms[-1].mean == [0.5] * 3
    assert seen[-1][0] == "open_clip_model.safetensors"
    assert COMMIT in reference_files(NAME, settings).source
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    again = load_reference(NAME, settings)
    assert torch.equal(again.embed_texts(PROMPTS), found.embed_texts(PROMPTS))


def test_without_its_weights_a_repository_is_refused_and_not_drawn_at_random(hub, settings):
    del hub.files[REPOSITORY, "open_clip_model.safetensors"]
    hub.files[REPOSITORY, "open_clip_pytorch_model.bin"] = b"a pickle"
    with pytest.raises(WeightsUnavailableError, match=r"no open_clip_.*404.*pickle.*not opened"):
        load_reference(NAME, settings)
    assert (REPOSITORY, "open_clip_pytorch_model.bin") not in hub.asked


@pytest.mark.slow
def test_weights_by_the_older_name_are_found(hub, settings, tiny):
    payload = hub.files.pop((REPOSITORY, "open_clip_model.safetensors"))
    hub.files[REPOSITORY, "open_clip_pytorch_model.safetensors"] = payload
    assert load_reference(NAME, settings).embed_texts(PROMPTS).shape == (2, 16)


def test_a_tag_is_fetched_with_its_own_preprocessing(hub, tiny, settings, monkeypatch, tmp_path):
    (tmp_path / "tiny-arch.json").write_text(json.dumps(TINY["model_cfg"]))
    open_clip.add_model_config(tmp_path / "tiny-arch.json")
    tag = {
        "hf_hub": f"{REPOSITORY}/", "mean": (0.1, 0.2, 0.3), "std": (0.5,) * 3,
        "interpolation": "bicubic", "resize_mode": "squash",
    }  # fmt: skip
    monkeypatch.setitem(pretrained._PRETRAINED, "tiny-arch", {"mine": tag})
    found = load_reference("tiny-arch/mine", settings)
    assert found.preprocess.transforms[-1].mean == (0.1, 0.2, 0.3)
    assert tuple(found.preprocess.transforms[0].size) == (32, 32), "squashed, not cropped"
    direct = tiny[0].encode_text(found.tokenise(PROMPTS)).detach()
    torch.testing.assert_close(found.embed_texts(PROMPTS), direct, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_a_tokeniser_in_a_repository_of_its_own_is_fetched_too(hub, settings, tmp_path):
    small_tokeniser(tmp_path)
    for path in tmp_path.glob("*.json"):
        hub.files[SIGLIP["text_cfg"]["hf_tokenizer_name"], path.name] = path.read_bytes()
    torch.manual_seed(0)
    own = {name: value for name, value in SIGLIP.items() if name != "custom_text"}
    model = open_clip.CustomTextCLIP(**own).eval()
    save_file(model.state_dict(), tmp_path / "weights.safetensors")
    payload = (tmp_path / "weights.safetensors").read_bytes()
    hub.files["somebody/siglip", "open_clip_model.safetensors"] = payload
    hub.files["somebody/siglip", "open_clip_config.json"] = json.dumps(
        {"model_cfg": SIGLIP}
    ).encode()
    found = load_reference("hf-hub:somebody/siglip", settings)
    direct = model.encode_text(found.tokenise(["a red dog"])).detach()
    torch.testing.assert_close(found.embed_texts(["a red dog"]), direct, rtol=1e-4, atol=1e-5)
    assert found.tokenise(["a red dog"])[0, :4].tolist() == [3, 4, 6, 1], "the repository's words"


def test_bad_repositories_are_sentences(hub, settings):
    hub.files["somebody/odd", "open_clip_config.json"] = b'{"architectures": []}'
    hub.files["somebody/odd", "open_clip_model.safetensors"] = b""
    with pytest.raises(WeightsUnavailableError, match="describes no open_clip model"):
        load_reference("hf-hub:somebody/odd", settings)
    hub.files["somebody/short", "open_clip_config.json"] = json.dumps(TINY).encode()
    hub.files["somebody/short", "open_clip_model.safetensors"] = b"short"
    with pytest.raises(WeightsUnavailableError, match="is damaged, cut short or no safetensors"):
        load_reference("hf-hub:somebody/short", settings)
    with pytest.raises(WeightsUnavailableError, match="knows no repository somebody/nothing"):
        load_reference("hf-hub:somebody/nothing", settings)
    with pytest.raises(UnknownNameError):
        load_reference("hf-hub:../../etc", settings)


def test_every_row_of_the_table_is_one_that_open_clip_knows():
    for row in all_references(Settings()):
        if row.ships:
            continue
        architecture, tag = row.name.split("/")
        known = open_clip.get_pretrained_cfg(architecture, tag)
        assert known["hf_hub"].rstrip("/") == row.repository
        assert open_clip.get_model_config(architecture)["embed_dim"] == row.dim


def test_what_is_fetched_is_what_lies_in_the_folder(hub, settings, tiny):
    files = reference_files(NAME, settings)
    folder = files.source.removeprefix("local-dir:")
    fetched = load_file(f"{folder}/open_clip_model.safetensors")
    assert all(torch.equal(value, tiny[0].state_dict()[name]) for name, value in fetched.items())


@pytest.mark.parametrize("name", ["a" * 300, "a" * 5_000, "a\0b", "missing"])
def test_a_folder_of_no_possible_name_is_no_model(name, tmp_path):
    with pytest.raises(WeightsUnavailableError, match="not an open_clip model"):
        folder_weights(tmp_path / name)
