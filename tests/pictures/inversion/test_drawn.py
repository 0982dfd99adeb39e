"""Drawn equivalents: the picture is steered, its logits held; where that fails, it says so."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import cosine_similarity

from sing_core.errors import RenderCancelledError, RenderError, WeightsUnavailableError
from sing_core.pictures.inversion.drawn import Drawing, DrawnRenderer
from sing_core.pictures.inversion.eye import Eye
from sing_core.pictures.inversion.recipe import InversionRecipe, Stage
from sing_core.pictures.inversion.renderer import InversionRenderer
from sing_core.pictures.inversion.tower import Tower
from sing_core.pictures.protocol import RenderRequest

SHORT = InversionRecipe(first=Stage(64, 2, 3 / 7), preview_every=2)
QUICK = Drawing(stages=(Stage(64, 12, 3 / 7),))


@pytest.fixture(scope="module")
def tower(real_bench):
    return Tower.of(real_bench.pool.reference("mini"))


@pytest.fixture(scope="module")
def feature(real_bench, chelsea):
    return real_bench.features("lite0", chelsea)


@pytest.fixture(scope="module")
def drawer(real_bench, tower):
    eye = Eye.of(real_bench.pool.backbone("lite0"), fast=False)
    base = InversionRenderer(eye, "lite0", SHORT, real_bench.translator("lite0", "mini"))
    linear = real_bench.classifier("lite0").linear
    return DrawnRenderer(base, base.translator, tower, linear.weight, linear.bias, QUICK)


@pytest.fixture(scope="module")
def asked(real_bench, feature):
    """The photo's own feature, and one that leads towards another meaning inside the null space."""
    head = real_bench.classifier("lite0").linear.head
    other = torch.randn(1280, generator=torch.Generator().manual_seed(0))
    step = head.null_part(other).float()
    return torch.stack([feature, feature + 10 * step / step.norm()])


def request_of(drawer, vectors, photo, **changes):
    fields = {"space_id": drawer.space_id, "seed": 0, "size": 128} | changes
    return RenderRequest(vectors, photo=np.asarray(photo.image), **fields)


@pytest.mark.slow
def test_the_tower_sees_what_the_reference_sees(real_bench, tower, chelsea):
    side = min(chelsea.image.size)
    square = chelsea.image.crop((0, 0, side, side)).resize((260, 260))
    pixels = torch.from_numpy(np.asarray(square).copy()).permute(2, 0, 1)[None].float() / 255
    seen = tower.embed(pixels.requires_grad_())
    known = real_bench.pool.reference("mini").embed_images([square])
    assert float(cosine_similarity(seen.detach(), known)) > 0.999
    seen.sum().backward()
    assert bool(pixels.grad.abs().sum() > 0)


@pytest.mark.slow
def test_a_picture_is_steered_and_says_how_far_it_came(drawer, asked, chelsea):
    told = []
    drawn = drawer.render(request_of(drawer, asked, chelsea), on_progress=told.append)
    assert drawn.frames.shape == (2, 128, 128, 3)
    assert told[-1].step == told[-1].steps == 2 + 12
    assert np.abs(drawn.frames[0].astype(int) - drawn.frames[1]).mean() > 1
    assert "nothing was asked of it but its logits" in drawn.facts["row 0"]
    assert "degrees towards what was asked" in drawn.facts["row 1"]
    again = drawer.render(request_of(drawer, asked, chelsea))
    assert np.array_equal(drawn.frames, again.frames)


@pytest.mark.slow
def test_where_the_reference_sees_no_move_it_says_that_it_gets_nowhere(drawer, asked, chelsea):
    strict = replace(drawer, drawing=replace(QUICK, nowhere_deg=90.0))
    drawn = strict.render(request_of(drawer, asked[1:], chelsea))
    assert "gets nowhere" in drawn.facts["row 0"]


@pytest.mark.slow
def test_the_classes_that_the_asked_step_leaves_are_held(drawer, asked, feature):
    before = torch.ones(1, 512)
    whole = drawer._goal(feature[None], asked, before)
    assert bool((whole.weights > 0).all()), "no logit moves, so all are held"
    torch.testing.assert_close(whole.weights.sum(1), torch.ones(2))
    weight = drawer.weight
    still = torch.cat([weight[:5], weight[7:8]])
    step = torch.linalg.lstsq(still, torch.tensor([0.0] * 5 + [40.0])[:, None]).solution[:, 0]
    held = drawer._goal(feature[None], (feature + step)[None], before).weights[0]
    assert bool((held[:5] > 0).all())
    assert float(held[7]) == 0, "the class that the step moves is free"


@pytest.mark.slow
def test_what_it_cannot_draw_is_refused_and_it_stops_when_asked(drawer, asked, chelsea):
    with pytest.raises(RenderError, match="128"):
        drawer.render(request_of(drawer, asked, chelsea, size=64))
    with pytest.raises(RenderCancelledError):
        drawer.render(request_of(drawer, asked, chelsea), should_stop=lambda: True)
    bare = InversionRenderer(drawer.inversion.eye, "lite0", SHORT)
    with pytest.raises(WeightsUnavailableError, match="steered by a translator"):
        DrawnRenderer.of(bare, drawer.tower, drawer.weight, drawer.bias)
