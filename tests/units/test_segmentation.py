"""Foreground by token maps and its rivals: the stated order, planted gradients, known attention."""

import json

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from sklearn.metrics import average_precision_score

from sing_core.cli import units
from sing_core.models.backbones import Backbone
from sing_core.units.inside import open_inside
from sing_core.units.residual import attention_of, parts_of
from sing_core.units.segmentation import (
    Foreground,
    Segmenter,
    agreement,
    average_precision,
    grad_cam,
    measures,
    raw_attention,
)
from sing_core.units.tokens import as_picture, look_inside
from sing_core.units.towers import tower_of
from tests.benches import exit_code
from tests.units.photos import photo


def enlarged(heat, size):
    return torch.nn.functional.interpolate(heat[None, None], size, mode="bilinear")[0, 0]


def test_a_map_is_enlarged_before_it_is_clipped_and_stretched():
    heat = torch.tensor([[-3.0, 1.0], [1.0, 0.5]], dtype=torch.float64)
    smooth, threshold = Foreground("a cat", heat).picture((40, 40))
    wide = enlarged(heat, (40, 40)).clamp_min(0)
    torch.testing.assert_close(smooth, wide / wide.max())
    assert (float(smooth.min()), float(smooth.max())) == (0, 1)
    assert threshold == pytest.approx(float((wide / wide.max()).mean()))
    first = enlarged(heat.clamp_min(0), (40, 40))  # clipped on the grid: another map
    assert int((first > 0).sum()) > int((smooth > 0).sum())


@pytest.mark.parametrize("value", [-0.3, 0.0, 0.3])
def test_a_map_without_differences_has_no_foreground(value):
    smooth, threshold = Foreground("a cat", torch.full((16, 16), value)).picture((37, 53))
    assert (float(smooth.abs().max()), threshold) == (0, 0)
    mask = torch.zeros(53, 37, dtype=torch.bool)
    assert measures([agreement(torch.full((16, 16), value), mask)])[0] == 1


@pytest.mark.slow
def test_pictures_of_segments_are_black_and_white_at_their_ends(real_bench):
    found = Segmenter.open(real_bench, "mini", "vits").foreground(photo())
    assert as_picture(found.picture(photo().size)[0]).getextrema() == (0, 255)
    assert float(found.heat.min()) < 0, "what it keeps is not clipped"


def test_average_precision_is_that_of_both_questions_about_every_pixel():
    mask = torch.zeros(6, 8, dtype=torch.bool)
    mask[1:4, 2:7] = True
    assert average_precision(mask.double(), mask) == 1
    drawn = torch.rand(6, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    drawn = (drawn * 10).round()  # some are equal
    spread = (drawn - drawn.min()) / (drawn.max() - drawn.min())
    right = torch.cat([~mask.flatten(), mask.flatten()]).numpy()
    scores = torch.cat([1 - spread.flatten(), spread.flatten()]).numpy()
    assert average_precision(drawn, mask) == pytest.approx(average_precision_score(right, scores))
    constant = np.r_[np.ones(48), np.zeros(48)]
    assert average_precision(torch.ones(3, 4), mask) == pytest.approx(
        average_precision_score(right, constant)
    )


@pytest.mark.slow
def test_photos_of_one_name_and_the_photos_themselves_are_not_written_over(
    real_bench, monkeypatch, capsys, tmp_path
):
    monkeypatch.setattr(units, "open_bench", lambda settings: real_bench)
    first, second = tmp_path / "cat.png", tmp_path / "other" / "cat.png"
    second.parent.mkdir()
    photo().save(first)
    Image.new("RGB", (90, 60), (200, 40, 40)).save(second)
    kept = first.read_bytes()
    words = ("segment", first, second, "--out", tmp_path, "--model", "", "--json")
    assert exit_code(monkeypatch, *words) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["file"] for row in rows] == ["cat-2.png", "cat-3.png"]
    assert first.read_bytes() == kept
    for row, size in zip(rows, (photo().size, (90, 60)), strict=True):
        with Image.open(tmp_path / row["file"]) as cut:
            assert cut.size == size
    likely = (tmp_path / "cat-2.png").read_bytes()
    alone = tmp_path / "alone"
    words = ("segment", first, "--out", alone, "--model", "", "--route", "class", "--json")
    assert exit_code(monkeypatch, *words) == 0
    assert (alone / "cat.png").read_bytes() != likely


@pytest.mark.slow
def test_raw_attention_is_the_last_layers_first_row_and_attention_is_of_every_layer(real_bench):
    inside = open_inside(real_bench, "mini-vit")
    found = look_inside(inside, photo())
    attention = attention_of(inside.tower, inside.prepare(photo())[None])[0]
    assert attention.shape == (12, 65, 65)
    torch.testing.assert_close(attention.sum(dim=-1), torch.ones(12, 65))
    # The class token's rows are those that the output reads, up to the last norm's sigma.
    rows = found.parts.rows[0].mean(dim=1) / found.parts.sums.scale[0]
    torch.testing.assert_close(attention[:, 0], rows, rtol=1e-4, atol=1e-6)
    expected = attention[-1, 0, 1:].reshape(8, 8) * found.parts.sums.scale[0]
    torch.testing.assert_close(raw_attention(found), expected, rtol=1e-4, atol=1e-6)


def small(seed=0):
    torch.manual_seed(seed)
    return timm.create_model(
        "vit_tiny_patch16_224", img_size=32, embed_dim=12, depth=2, num_heads=2, num_classes=3,
        pretrained_cfg_overlay={"input_size": (3, 32, 32)},
    ).eval()  # fmt: skip


def test_attention_without_questions_is_even():
    network = small()
    for block in network.blocks:  # no query asks for anything: every token gives alike
        with torch.no_grad():
            block.attn.qkv.weight[:12] = 0
            block.attn.qkv.bias[:12] = 0
    tower = tower_of(Backbone.from_timm(network, name="even"))
    batch = torch.randn(1, 3, 32, 32)
    found = attention_of(tower, batch)
    torch.testing.assert_close(found, torch.full((1, 2, 5, 5), 1 / 5))
    rows = parts_of(tower, batch)
    torch.testing.assert_close(
        rows.rows, (rows.sums.scale / 5)[:, None, None, None].expand(1, 2, 2, 5)
    )


def test_grad_cam_is_the_mean_slope_over_patches_along_each_patch():
    network = small()
    batch = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    asked = torch.randn(12, generator=torch.Generator().manual_seed(2))
    heat = grad_cam(network, batch, lambda output: output @ asked)
    with torch.no_grad():
        last = network.blocks[0](network._pos_embed(network.patch_embed(batch)))

    def value(tokens):
        with torch.no_grad():
            seen = network.norm(network.blocks[1](tokens))
            return float(network.forward_head(seen, pre_logits=True)[0] @ asked)

    slopes, step = torch.zeros(4, 12, dtype=torch.float64), 1e-4
    network, last, asked = network.double(), last.double(), asked.double()
    for patch in range(4):
        for place in range(12):
            up, down = last.clone(), last.clone()
            up[0, 1 + patch, place] += step
            down[0, 1 + patch, place] -= step
            slopes[patch, place] = (value(up) - value(down)) / (2 * step)
    expected = (last[0, 1:] @ slopes.mean(dim=0)).clamp_min(0)
    torch.testing.assert_close(heat.double(), expected, rtol=1e-3, atol=1e-7)
    assert float(expected.max()) > 0


def test_grad_cam_leaves_the_network_without_slopes():
    network = small()
    grad_cam(network, torch.randn(1, 3, 32, 32), lambda output: output.sum())
    assert all(value.grad is None for value in network.parameters())
