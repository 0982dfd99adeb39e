"""From feature to pixels with real classifiers: what is reported is what the pictures give."""

import numpy as np
import pytest
import torch
from PIL import Image

from sing_core.errors import SingError
from sing_core.files.images import Photo
from sing_core.studies.pixels import Effort, difference, meaning, search_pixels, sentence
from sing_core.studies.question import Question
from tests.toy import make_assets, make_bench

pytestmark = pytest.mark.slow  # real classifiers, forth and back


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    from sing_core.models.references import space_id
    from sing_core.settings import Settings
    from tests.toy import ToyReference

    folder = make_assets(tmp_path_factory.mktemp("pixels") / "assets")
    made = make_bench(Settings(assets_dir=folder))
    toy = ToyReference("mini", space_id("mini", made.settings), [])
    made.pool.reference = lambda name: toy
    return made


def photo():
    values = np.random.default_rng(0).integers(60, 200, (64, 64, 3)).astype(np.uint8)
    return Photo.of("0" * 64, Image.fromarray(values).resize((256, 256), Image.Resampling.BICUBIC))


def test_what_is_reported_is_measured_on_the_pictures_and_stays_in_the_ball(bench):
    effort = Effort(radii=(2, 4), steps=3, starts=1, controls=1)
    question = Question("lite0", "an image of a goldfish")
    found = search_pixels(bench, photo(), question, effort=effort)
    assert [(row.toward, row.radius) for row in found.rows] == [
        (toward, radius)
        for radius in (2, 4)
        for toward in ("the prompt", "random directions", "noise")
    ]
    assert found.other == "lite1"
    before = torch.from_numpy(np.array(found.before, dtype=np.float32))
    for radius, after in found.after.items():
        moved = torch.from_numpy(np.array(after, dtype=np.float32)) - before
        assert float(moved.abs().max()) <= radius
    for row in found.rows:
        assert row.share_of_step == pytest.approx(row.along / found.epsilon)
        if row.toward != "noise":
            assert row.along >= 0
            assert row.top1_changed == 0
            assert row.logit_change <= found.budget * 1.001
    assert "ε = " in sentence(found) or "Nothing was found" in sentence(found)
    assert "Is this an attack?" in meaning(found)


def test_a_difference_is_grey_where_there_is_none_and_white_at_the_radius():
    one, two = (Image.fromarray(np.full((1, 2, 3), v, dtype=np.uint8)) for v in (100, 104))
    assert np.array(difference(one, one, 4)).min() in (127, 128)
    assert np.array(difference(one, two, 4)).max() == 255


def test_a_step_of_no_length_is_refused(bench):
    with pytest.raises(SingError, match="no length"):
        search_pixels(bench, photo(), Question("lite0", "an image of a goldfish", epsilon=0.0))
