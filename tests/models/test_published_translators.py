"""The authors' published translators: taken over to the digit, or refused in one sentence."""

import pickle
import shutil

import numpy as np
import pytest
import torch
import yaml

from sing_core.errors import TranslatorFileError
from sing_core.maths.head import HeadDecomposition
from sing_core.maths.scores import attribute_score_deg, image_score_deg
from sing_core.maths.translator import Translator
from sing_core.models.published_translators import read_published
from sing_core.models.references import OPENAI_VIT_L14
from sing_core.pictures.karlo.renderer import SPACE_ID
from tests.shared_data import shared

THEIRS = ("convnext", "deit", "densenet", "dinovit1", "efficientnet", "eva02_large")


def folder_of(name):
    return shared(f"sing_reference/translators/{name}") / "linear"


@pytest.mark.parametrize("name", THEIRS)
def test_theirs_and_ours_give_the_same_embeddings(name, tmp_path):
    folder = folder_of(name)
    stored = torch.load(folder / "best.pt", weights_only=True)
    card = yaml.safe_load((folder / "metadata.yaml").read_text())
    features = np.random.default_rng(0).standard_normal((50, card["in_dim"]))
    weight, bias = (stored[key].double().numpy() for key in ("weight", "bias"))
    direct = features @ weight.T + bias
    path = tmp_path / "ours.safetensors"
    read_published(folder).save(path)
    ours = Translator.load(path)
    found = ours.apply(torch.from_numpy(features)).numpy()
    np.testing.assert_allclose(found, direct, rtol=1e-6, atol=1e-6)
    # Their own code computes in float32; that is near, too.
    single = torch.nn.functional.linear(torch.from_numpy(features).float(), **stored).numpy()
    np.testing.assert_allclose(found, single, rtol=1e-4, atol=1e-4)
    assert ours.weight.shape == (768, card["in_dim"])
    assert ours.details["authors_name"] == name
    assert (ours.space_id, ours.details["reference"]) == (SPACE_ID, OPENAI_VIT_L14.name)


@pytest.mark.slow
def test_scores_run_end_to_end_with_their_translator_and_their_attributes():
    import timm

    translator = read_published(folder_of("efficientnet"))
    # Six prompts an attribute, the last being their mean; the names beside them are pickled.
    texts = np.load(shared("sing_reference/attribute_embeddings_broden_style_fp16.npz"))
    attributes = torch.from_numpy(texts["embeddings"][:, -1]).double()
    assert attributes.shape == (173, 768)
    torch.manual_seed(0)
    network = timm.create_model("tf_efficientnet_b0").eval()
    with torch.inference_mode():
        trunk = network.forward_features(torch.randn(2, 3, 64, 64))
        features = network.forward_head(trunk, pre_logits=True).clone()
    head = HeadDecomposition.from_weight(network.get_classifier().weight.detach())
    assert head.nullity == 280
    z, moved = (translator.apply(f) for f in (features, head.remove_null(features)))
    is_deg = image_score_deg(z, moved)
    as_deg = attribute_score_deg(z[:, None], moved[:, None], attributes[None])
    assert bool((is_deg > 0).all())
    assert as_deg.shape == (2, len(attributes))
    assert bool((as_deg.abs() <= is_deg[:, None] + 1e-9).all())


@pytest.fixture
def made(tmp_path):
    """A small translator in their layout, and a function that changes its card."""
    folder = tmp_path / "linear"
    folder.mkdir()
    card = {
        "model_name": "efficientnet",
        "architecture": "linear",
        "embedding_backend": "kakao_karlo_v1_alpha_image_variations",
        "in_dim": 5,
        "out_dim": 3,
        "checkpoint_file": "best.pt",
    }

    def write(**changes):
        (folder / "metadata.yaml").write_text(yaml.safe_dump(card | changes))
        return folder

    torch.save({"weight": torch.randn(3, 5), "bias": torch.randn(3)}, folder / "best.pt")
    write()
    return folder, write


def test_a_made_one_is_read_and_carries_what_it_is_told(made):
    folder, _ = made
    found = read_published(folder, model="mine", model_digest="abc")
    assert (found.model, found.model_digest) == ("mine", "abc")
    assert read_published(folder).model == "tf_efficientnet_b0.ns_jft_in1k"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"architecture": "mlp"}, "only linear"),
        ({"embedding_backend": "other"}, "embedding backend “other” is not known"),
        ({"in_dim": "five"}, "in another form: in_dim"),
        ({"checkpoint_file": "../best.pt"}, "outside its own folder"),
        ({"checkpoint_file": "other.pt"}, r"other\.pt is missing"),
        ({"in_dim": 6}, "does not have the 6 inputs"),
    ],
)
def test_a_card_that_does_not_fit_is_refused_in_one_sentence(made, changes, words):
    _, write = made
    with pytest.raises(TranslatorFileError, match=words):
        read_published(write(**changes))


def test_a_missing_or_broken_card_is_refused(made, tmp_path):
    folder, _ = made
    with pytest.raises(TranslatorFileError, match="cannot be read"):
        read_published(tmp_path / "nowhere")
    for text, words in (("a: [", "is not YAML"), ("- 1", "does not say"), ("", "does not say")):
        (folder / "metadata.yaml").write_text(text)
        with pytest.raises(TranslatorFileError, match=words):
            read_published(folder)


class Harmful:
    """What a checkpoint must not be able to do."""

    def __reduce__(self):
        return (print, ("a checkpoint ran code",))


def test_a_checkpoint_that_is_not_plain_weights_is_not_opened(made, capsys):
    folder, _ = made
    path = folder / "best.pt"
    whole = path.read_bytes()
    path.write_bytes(pickle.dumps({"weight": Harmful()}))
    with pytest.raises(TranslatorFileError, match="not opened"):
        read_published(folder)
    torch.save({"weight": Harmful(), "bias": torch.zeros(3)}, path)
    with pytest.raises(TranslatorFileError, match="not opened"):
        read_published(folder)
    assert capsys.readouterr().out == ""
    for damaged in (whole[: len(whole) // 2], b"", b"no weights at all"):
        path.write_bytes(damaged)
        with pytest.raises(TranslatorFileError, match="not opened"):
            read_published(folder)
    weight, bias = torch.ones(3, 5), torch.ones(3)
    for wrong, words in (
        ({"weight": weight}, "`weight` and `bias`"),
        ({"weight": weight, "bias": bias, "more": bias}, "`weight` and `bias`"),
        ([weight, bias], "`weight` and `bias`"),
        ({"weight": weight, "bias": 3}, "does not have"),
        ({"weight": weight * float("nan"), "bias": bias}, "not finite"),
    ):
        torch.save(wrong, path)
        with pytest.raises(TranslatorFileError, match=words):
            read_published(folder)
    shutil.rmtree(folder)
    with pytest.raises(TranslatorFileError):
        read_published(folder)
