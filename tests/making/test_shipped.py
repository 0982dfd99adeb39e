"""The shipped head on photographs it was not trained on, through the real open_clip model."""

from collections import Counter

import pytest
import torch
from PIL import Image, ImageEnhance, ImageFilter
from torch.nn.functional import normalize

from sing_core.files.images import decode_image
from sing_core.files.samples import sample_bytes
from sing_core.leakage.score_files import facts_of, query, score_path
from sing_core.maths.centre import Centre
from sing_core.maths.folds import OUTSIDE
from sing_core.maths.translator import Translator
from sing_core.maths.unseen import Unseen
from sing_core.models.embedded_reference import EMBED_DIM
from sing_core.models.imagenet import imagenet_labels
from sing_core.models.prompts import class_prompt
from sing_core.models.readings import shipped_centre_path
from sing_core.models.references import load_reference, space_id
from sing_core.settings import Settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mini():
    return load_reference("mini", Settings())


@pytest.fixture(scope="module")
def photos():
    names = ("chelsea", "coffee", "motorcycle", "rocket", "astronaut")
    return [decode_image(sample_bytes(name)).image for name in names]


def probability(mini, images, prompts):
    texts = normalize(mini.embed_texts(prompts), dim=1)
    return normalize(mini.embed_images(images), dim=1) @ texts.mT


def test_mini_recognises_a_cat_and_a_cup(mini, photos):
    labels = imagenet_labels()
    scores = probability(mini, photos[:2], [class_prompt(label) for label in labels])
    top = [{labels[i] for i in row} for row in scores.topk(5).indices.tolist()]
    assert top[0] & {"tabby cat", "tiger cat", "Egyptian Mau", "lynx"}
    assert top[1] & {"espresso", "coffee mug", "cup", "eggnog"}


@pytest.mark.parametrize(
    ("change", "prompts"),
    [
        (lambda i: i.convert("L").convert("RGB"), ("a color photo", "a black and white photo")),
        (
            lambda i: i.filter(ImageFilter.GaussianBlur(i.width / 60)),
            ("a sharp photo", "a blurry photo"),
        ),
        (lambda i: ImageEnhance.Brightness(i).enhance(0.25), ("a bright photo", "a dark photo")),
        (
            lambda i: small_on_grey(i),
            ("a close-up photo", "a photo from far away"),
        ),
    ],
    ids=["grey", "blur", "dark", "far"],
)
def test_a_changed_photo_moves_towards_the_words_for_the_change(mini, photos, change, prompts):
    before = probability(mini, photos, list(prompts))
    after = probability(mini, [change(photo) for photo in photos], list(prompts))
    moved = (after[:, 1] - after[:, 0]) - (before[:, 1] - before[:, 0])
    assert int((moved > 0).sum()) >= 3, moved
    assert float(moved.mean()) > 0


def small_on_grey(image):
    canvas = Image.new("RGB", image.size, "grey")
    small = image.resize((image.width // 4, image.height // 4))
    canvas.paste(small, (image.width * 3 // 8, image.height * 3 // 8))
    return canvas


@pytest.mark.parametrize("name", ["mini", "mini-vit"])
def test_the_centre_that_ships_is_that_of_the_reference_that_ships(name):
    settings = Settings()
    centre = Centre.load(shipped_centre_path(settings, name))
    assert centre.raw_space_id == space_id(name, settings), "run `making centres` again"
    assert space_id(f"centred:{name}", settings) == centre.space_id
    assert (centre.image.shape, centre.details["images"]) == ((EMBED_DIM,), "800")


def test_texts_and_images_live_in_one_raw_space(mini, photos):
    images, texts = mini.embed_images(photos[:1]), mini.embed_texts(["a cat"])
    assert images.shape == texts.shape == (1, EMBED_DIM)
    assert not torch.isclose(texts.norm(), torch.tensor(1.0), atol=1e-3)


@pytest.mark.parametrize("name", ["lite0", "lite1", "lite2"])
def test_the_embedded_set_has_two_strata_and_what_a_translator_saw_is_told_apart(name):
    settings = Settings()
    path = score_path(settings.assets_dir / "prepared" / "embedded", name, "mini")
    rows = query(path, "SELECT digest, stratum FROM all_images")
    strata, digests = rows["stratum"].to_pylist(), rows["digest"].to_pylist()
    assert Counter(strata) == {"full photograph": 800, "64-pixel image": 3200}
    translator = Translator.load(settings.assets_dir / "translators" / f"{name}--mini.safetensors")
    assert facts_of(path)["translator"] in translator.digests
    seen = Unseen.of(translator, digests).place != OUTSIDE
    if translator.folds is not None:
        full = [stratum == "full photograph" for stratum in strata]
        assert bool(seen[torch.tensor(full)].all())
        assert int(seen[~torch.tensor(full)].sum()) < 10
