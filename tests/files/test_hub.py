"""Files of a real little hub: fetched once, held to one commit, every failure in a sentence."""

import errno
import json
import os

import pytest
import timm
import torch
from huggingface_hub import constants
from safetensors.torch import save

from sing_core.errors import UnknownNameError, WeightsUnavailableError
from sing_core.files import hub as module
from sing_core.files.digests import _read_once
from sing_core.files.hub import cached, fetch, pinned_commit, was_pinned
from sing_core.files.hub_progress import watching
from sing_core.models.backbones import load_backbone
from sing_core.models.pool import ModelPool
from sing_core.settings import Settings
from tests.command import command
from tests.tiny_hub import COMMIT, serving

REPOSITORY = "somebody/tiny"
NAME = f"hf-hub:{REPOSITORY}"
CONFIG = {
    "architecture": "resnet18",
    "num_classes": 3,
    "pretrained_cfg": {
        "input_size": [3, 64, 64],
        "num_classes": 3,
        "classifier": "fc",
        "first_conv": "conv1",
        "label_names": ["ant", "bee", "crow"],
    },
}


@pytest.fixture(scope="module")
def weights():
    torch.manual_seed(0)
    network = timm.create_model("resnet18", num_classes=3)
    return network, save(network.state_dict())


@pytest.fixture
def hub(weights, hub_at):
    with serving() as made:
        made.put(
            REPOSITORY,
            config__json=json.dumps(CONFIG).encode(),
            model__safetensors=weights[1],
        )
        made.put("timm/resnet18.a1_in1k", model__safetensors=b"not weights")
        made.put(
            "somebody/pickles", config__json=json.dumps(CONFIG).encode(), pytorch_model__bin=b""
        )
        hub_at(made.url)
        yield made


@pytest.fixture
def settings(tmp_path):
    return Settings(cache_dir=tmp_path / "cache")


def refused(name, settings):
    with pytest.raises(WeightsUnavailableError) as caught:
        load_backbone(name, settings)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    return message


@pytest.mark.slow
def test_a_repository_of_the_hub_is_a_classifier_with_its_own_class_names(hub, weights, settings):
    backbone = load_backbone(NAME, settings)
    assert backbone.labels == ("ant", "bee", "crow")
    assert backbone.sight.side == 64
    assert torch.equal(backbone.weight, weights[0].fc.weight)
    assert backbone.head_error <= 1e-5


@pytest.mark.slow
def test_what_was_fetched_is_not_fetched_again_and_needs_no_network(hub, settings, monkeypatch):
    first = load_backbone(NAME, settings)
    assert sorted(hub.asked) == [(REPOSITORY, "config.json"), (REPOSITORY, "model.safetensors")]
    again = load_backbone(NAME, settings.model_copy(update={"offline": True}))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    last = load_backbone(NAME, settings)
    assert len(hub.asked) == 2
    assert first.weights_digest == again.weights_digest == last.weights_digest


@pytest.mark.slow
def test_who_watches_sees_every_byte_come_and_only_once(hub, weights, settings):
    seen = []
    with watching(lambda *facts: seen.append(facts)):
        fetch(REPOSITORY, "model.safetensors", settings)
        fetch(REPOSITORY, "model.safetensors", settings)  # lies there already
    size = len(weights[1])
    assert seen[-1] == ("model.safetensors", size, size)
    assert [there for _, there, _ in seen] == sorted({there for _, there, _ in seen})
    fetch(REPOSITORY, "config.json", settings)
    assert seen[-1][0] == "model.safetensors", "nobody watched any more"


@pytest.mark.slow
def test_the_commit_taken_first_is_held_to(hub, settings):
    fetch(REPOSITORY, "config.json", settings)
    assert pinned_commit(REPOSITORY, settings) == COMMIT
    hub.commit = "f" * 40  # the branch moves on
    assert fetch(REPOSITORY, "config.json", settings).commit == COMMIT
    newer = fetch(REPOSITORY, "config.json", settings, revision="main")
    assert newer.commit == "f" * 40
    assert pinned_commit(REPOSITORY, settings) == COMMIT


@pytest.mark.slow
def test_a_revision_may_be_asked_for(hub, settings):
    assert load_backbone(f"{NAME}@{COMMIT}", settings).labels == ("ant", "bee", "crow")
    assert "has no revision nowhere" in refused(f"{NAME}@nowhere", settings)


@pytest.mark.parametrize(
    ("name", "refusal", "words"),
    [
        ("hf-hub:nobody/nothing", None, "knows no repository nobody/nothing"),
        ("hf-hub:closed/tiny", (401, "RepoNotFound"), "HTTP 401"),
        ("hf-hub:closed/tiny", (403, "GatedRepo"), "granted access"),
        ("hf-hub:closed/tiny", (500, ""), "could not be fetched|could be reached"),
        ("hf-hub:somebody/pickles", None, "only as a pickle"),
        ("resnet18.a1_in1k", None, "damaged, cut short or no safetensors"),
    ],
)
def test_what_the_hub_does_not_give_is_a_sentence(hub, settings, name, refusal, words, monkeypatch):
    import re

    if refusal:
        hub.refusals["closed/tiny"] = refusal
        monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)
    assert re.search(words, refused(name, settings))


def test_without_a_network_the_sentence_comes_at_once(hub_at, settings):
    hub_at("http://127.0.0.1:9")  # nothing listens on the discard port
    for name in ("resnet18", NAME, "vgg16.tv_in1k"):
        assert "no model hub could be reached" in refused(name, settings)
    off = settings.model_copy(update={"offline": True})
    assert "the network is switched off" in refused(NAME, off)


@pytest.mark.slow
def test_a_full_disk_is_a_sentence_and_leaves_nothing_half_written(hub, settings, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:  # a disk cannot be filled in a test
        patch.setattr("huggingface_hub.file_download.http_get", full)
        assert "The disk is full" in refused(NAME, settings)
    assert load_backbone(NAME, settings).labels


@pytest.mark.slow
def test_content_that_is_not_what_was_announced_is_refused(hub, settings, weights):
    changed = bytearray(weights[1])
    changed[-1] ^= 1
    hub.served[REPOSITORY, "model.safetensors"] = bytes(changed)
    assert "is damaged or was changed" in refused(NAME, settings)


@pytest.mark.slow
def test_a_file_that_was_cut_in_the_cache_is_refused(hub, settings):
    path = fetch(REPOSITORY, "model.safetensors", settings).path.resolve()
    path.write_bytes(path.read_bytes()[:-100])
    assert "is damaged or was changed" in refused(NAME, settings)


@pytest.mark.slow
def test_a_byte_that_the_disk_changed_is_noticed_in_the_next_process(hub, settings):
    path = fetch(REPOSITORY, "model.safetensors", settings).path.resolve()
    before = path.stat()
    changed = bytearray(path.read_bytes())
    changed[-1] ^= 1
    path.write_bytes(bytes(changed))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    _read_once.cache_clear()  # as it is when a process begins
    with pytest.raises(WeightsUnavailableError, match="is damaged or was changed"):
        fetch(REPOSITORY, "model.safetensors", settings)


@pytest.mark.parametrize("payload", [b"", b"main", b"0123", b"\xff" * 40, b"a" * 5_000])
def test_a_damaged_note_of_the_commit_is_a_sentence_and_never_the_newest_one(
    payload, hub, settings
):
    fetch(REPOSITORY, "config.json", settings)
    (pin,) = (settings.cache_dir / "models").glob("*.revision")
    pin.write_bytes(payload)
    hub.commit = "f" * 40
    with pytest.raises(
        WeightsUnavailableError, match=r"note is damaged\. Name the commit"
    ) as caught:
        fetch(REPOSITORY, "config.json", settings)
    assert f"models/{pin.name} of the cache folder" in str(caught.value)
    assert cached(REPOSITORY, "config.json", settings) is None
    assert fetch(REPOSITORY, "config.json", settings, revision=COMMIT).commit == COMMIT
    assert was_pinned(REPOSITORY, settings)


@pytest.mark.slow
def test_a_bad_model_leaves_the_previous_one_usable(hub, settings):
    pool = ModelPool(settings)
    good = pool.backbone(NAME)
    with pytest.raises(WeightsUnavailableError):
        pool.backbone("hf-hub:nobody/nothing")
    assert pool.backbone(NAME) is good
    assert pool.loaded == (NAME,)


def test_what_is_no_timm_model_is_said_so(hub, settings):
    for config, words in ((b"{}", "names no architecture"), (b"[", "is no JSON")):
        hub.put("other/kind", config__json=config)
        hub.commit = f"{len(config):040x}"
        assert words in refused("hf-hub:other/kind", settings.model_copy(
            update={"cache_dir": settings.cache_dir / str(len(config))}
        ))  # fmt: skip
    for name, words in (("resnet18.nonsense", "it has a1_in1k"), ("vgg99", "or in timm")):
        with pytest.raises(UnknownNameError, match=words):
            load_backbone(name, settings)


@pytest.mark.slow
def test_nothing_is_in_the_cache_before_it_was_fetched(hub, settings):
    assert cached(REPOSITORY, "model.safetensors", settings) is None
    found = fetch(REPOSITORY, "model.safetensors", settings)
    assert cached(REPOSITORY, "model.safetensors", settings) == found.path
    assert module.offline(settings) is False


@pytest.mark.slow
def test_the_ecosystems_own_variables_hold_in_another_process(hub, tmp_path):
    places = {"HF_HOME": str(tmp_path / "home"), "HF_ENDPOINT": hub.url}
    done = command("fetch", NAME, "--json", **places)
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert (row["feature_dim"], row["classes"]) == (512, 3)
    assert list((tmp_path / "home" / "hub").glob("models--somebody--tiny/snapshots/*/config.json"))
    hub.files.clear()
    again = command("fetch", NAME, "--json", **places, HF_HUB_OFFLINE="1")
    assert json.loads(again.stdout) == row
    empty = command("fetch", NAME, "--json", HF_HOME=str(tmp_path / "other"), HF_HUB_OFFLINE="1")
    assert empty.returncode == 2
    assert "switched off" in json.loads(empty.stderr)["message"]
