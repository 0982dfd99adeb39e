"""From feature to pixels with real classifiers: what is reported is what the pictures give."""

import numpy as np
import pytest
import torch
from PIL import Image

from sing_core.errors import SingError
from sing_core.files.images import Photo
from sing_core.studies.pixel_rows import NOISE, PROMPT, RANDOM, PixelRow
from sing_core.studies.pixels import (
    Effort,
    PixelReport,
    difference,
    meaning,
    search_pixels,
    sentence,
)
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


def row(toward, along, **others):
    measured = dict.fromkeys(PixelRow.__slots__, 0.0)
    values = {"toward": toward, "radius": 4, "along": along, "share_of_step": along / 8, "n": 1}
    return PixelRow(**(measured | values | others))


def report_of(*rows):
    grey = Image.new("RGB", (4, 4), "grey")
    return PixelReport(
        "lite0", "lite1", "a fox", 8.0, 40.0, 20.0, 0.01, "tabby", "lynx", rows, grey, {4: grey}
    )


# Whether a search finds anything in an untrained network is the machine's rounding, so that the
# words for both are asked of rows that are given.
def test_what_was_found_is_said_with_its_controls_and_whether_it_is_an_attack():
    found = report_of(row(PROMPT, 2.0, null_share=0.8), row(RANDOM, 1.0), row(NOISE, 0.08))
    assert "reaches 25 % of the step towards “a fox” (ε = 8)" in sentence(found)
    assert "80 % of what moves lies in the null space" in meaning(found)
    assert "reaches 12 % of such a step, noise of this radius 1.0 %" in meaning(found)
    assert "Is this an attack? Not on lite0’s decision" in meaning(found)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"other_top1_changed": 1.0}, "lite1 notices: its class is no longer lynx"),
        ({"other_logit_change": 0.2}, "lite1 keeps its class, but sees more than noise"),
        ({"other_logit_change": 0.05}, "lite1 does not notice"),
    ],
)
def test_whether_the_other_classifier_notices_is_said(values, said):
    noise = row(NOISE, 0.0, other_logit_change=0.1)
    assert said in meaning(report_of(row(PROMPT, 2.0, **values), row(RANDOM, 1.0), noise))


def test_that_nothing_was_found_is_said_without_a_verdict():
    found = report_of(row(PROMPT, 0.0, null_share=None))
    assert sentence(found).startswith("Nothing was found: within 4 of 255 levels")
    assert meaning(found).startswith("What was not reached need not be out of reach")


def test_a_difference_is_grey_where_there_is_none_and_white_at_the_radius():
    one, two = (Image.fromarray(np.full((1, 2, 3), v, dtype=np.uint8)) for v in (100, 104))
    assert np.array(difference(one, one, 4)).min() in (127, 128)
    assert np.array(difference(one, two, 4)).max() == 255


def test_a_step_of_no_length_is_refused(bench):
    with pytest.raises(SingError, match="no length"):
        search_pixels(bench, photo(), Question("lite0", "an image of a goldfish", epsilon=0.0))
