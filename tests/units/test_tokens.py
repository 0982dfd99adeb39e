"""Maps, ledgers and segments of a photo: exact sums, planted truths, degenerate cases."""

import numpy as np
import pytest
import torch
from PIL import Image

from sing_core.errors import UnitsError
from sing_core.maths.equivalents import NullLine
from sing_core.maths.head_variants import HeadVariant
from sing_core.maths.linear_head import LinearHead
from sing_core.units.inside import open_inside, unit_index
from sing_core.units.layer_norm import residual_of
from sing_core.units.ledger import hidden_tokens, ledger
from sing_core.units.moved import moved_map
from sing_core.units.segmentation import Segmenter, agreement, foreground, measures, rollout
from sing_core.units.tokens import look_inside, picture_of, pulled_back, stretched, token_map
from tests.units.photos import photo


@pytest.fixture(scope="module")
def seen(real_bench):
    """The cat, inside the embedded reference by its own words, and inside the classifier."""
    native = look_inside(open_inside(real_bench, "mini-vit"), photo())
    classifier = look_inside(open_inside(real_bench, "mini", "vits"), photo())
    return {"mini-vit": native, "vits": classifier}


def deciding(found):
    variant = found.inside.variant_for(found.output, HeadVariant())
    return found.inside.deciding(variant)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mini-vit", "vits"])
def test_null_and_principal_maps_add_up_to_the_whole(seen, name):
    found = seen[name]
    linear = deciding(found)
    text = found.inside.vocabulary.embeddings[281]
    whole, null, principal = (
        token_map(found, pulled_back(found.inside, text, part, linear))
        for part in ("full", "null", "principal")
    )
    torch.testing.assert_close(null.heat + principal.heat, whole.heat, rtol=1e-4, atol=1e-6)
    assert null.total + principal.total == pytest.approx(whole.total, abs=1e-5)
    translated = found.translated
    unit = text.double() / text.double().norm()
    bias = float(found.inside.translator.bias.double() @ unit / translated.norm())
    assert whole.total + bias == pytest.approx(
        float(translated @ unit / translated.norm()), abs=1e-5
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mini-vit", "vits"])
def test_the_ledger_sums_to_everything_and_leaves_every_logit(seen, name):
    found = seen[name]
    linear = deciding(found)
    text = found.inside.vocabulary.embeddings[281]
    made = ledger(found, linear, text, "tabby")
    assert made.residual <= 1e-5
    assert float(made.shares.share.sum()) == pytest.approx(1, abs=1e-6)
    unit = text.double() / text.double().norm()
    cosine = float(found.translated @ unit / found.translated.norm())
    assert float(made.scores.sum()) + made.offset == pytest.approx(cosine, abs=1e-5)
    kept = linear.logits(found.output)
    for null in linear.head.null_part(found.units.double()):
        moved = linear.logits(found.output.double() - null)
        assert float((moved - kept).abs().max()) <= 1e-4 * float(kept.abs().max())
    rows = made.as_rows()
    assert rows[-1]["unit"] == "residual"
    assert [row["unit"] for row in rows[: len(made.names)]] == list(found.inside.tower.unit_names)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mini-vit", "vits"])
def test_extra_columns_of_a_ledger_are_what_they_say(seen, name):
    found = seen[name]
    linear = deciding(found)
    made = ledger(found, linear, found.inside.vocabulary.embeddings[281], "tabby")
    rows = made.as_rows()[: len(made.names)]
    assert list(rows[0])[-3:] == ["linear_share_deg", "null_norm", "principal_norm"]
    for row, unit in zip(rows, found.units.double(), strict=True):
        assert row["null_norm"] == pytest.approx(float(linear.head.null_part(unit).norm()))
        assert row["principal_norm"] == pytest.approx(
            float(linear.head.principal_part(unit).norm())
        )
        squares = row["null_norm"] ** 2 + row["principal_norm"] ** 2
        assert squares == pytest.approx(row["norm"] ** 2, rel=1e-6)
    total = sum(row["linear_share_deg"] for row in rows)
    assert total == pytest.approx(float(made.left.linear_share_deg.sum()))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mini-vit", "vits"])
def test_tokens_share_out_what_is_hidden_exactly(seen, name):
    found = seen[name]
    linear = deciding(found)
    names, parts = found.by_token
    assert residual_of(parts.sum(dim=0)[None], found.output[None]) <= 1e-5
    made = ledger(found, linear, found.inside.vocabulary.embeddings[281], "t", by_token=True)
    assert made.names == names
    assert float(made.shares.share.sum()) == pytest.approx(1, abs=1e-6)
    shares = dict(zip(names, made.shares.share.tolist(), strict=True))
    drawn = hidden_tokens(found, linear)
    assert drawn.total == pytest.approx(1, abs=1e-4)
    assert drawn.prefix == pytest.approx(shares["class token"], abs=1e-4)
    for y, x in ((0, 0), (3, 5), (7, 7)):
        assert float(drawn.heat[y, x]) == pytest.approx(shares[f"token {y},{x}"], abs=1e-4)
    by_unit = ledger(found, linear, found.inside.vocabulary.embeddings[281], "t")
    layers, heads = len(found.inside.tower.layers), found.inside.tower.heads
    of_heads = float(by_unit.shares.share[1 : 1 + layers * heads].sum())
    assert float(drawn.heat.sum()) + drawn.prefix == pytest.approx(of_heads, abs=1e-4)


def test_a_planted_token_has_the_whole_map_and_without_a_null_space_there_is_none(seen):
    found = seen["mini-vit"]
    names, parts = found.by_token
    place = names.index("token 2,6")
    basis = torch.linalg.qr(parts[torch.arange(len(parts)) != place].double().mT).Q
    direction = parts[place].double()
    direction = direction - basis @ (basis.mT @ direction)
    others = torch.linalg.qr(torch.cat([direction[:, None], torch.eye(512).double()], dim=1)).Q
    linear = LinearHead.from_weight(others[:, 1:512].mT)
    drawn = hidden_tokens(found, linear)
    assert float(drawn.heat[2, 6]) == pytest.approx(1, abs=1e-2)
    assert float(drawn.heat.abs().sum()) < 1.1
    assert hidden_tokens(found, LinearHead.from_weight(torch.eye(512))) is None


@pytest.mark.slow
def test_heads_alone_add_up_to_the_map_and_contrasts_are_antisymmetric(seen):
    found = seen["mini-vit"]
    inside = found.inside
    first, second = (
        pulled_back(inside, inside.vocabulary.embeddings[k], "full", None) for k in (281, 3)
    )
    layers, heads = len(inside.tower.layers), inside.tower.heads
    alone = [token_map(found, first, (a, b)).heat for a in range(layers) for b in range(heads)]
    torch.testing.assert_close(torch.stack(alone).sum(0), token_map(found, first).heat)
    there, back = token_map(found, first - second).heat, token_map(found, second - first).heat
    torch.testing.assert_close(there, -back)


def test_a_planted_head_has_the_whole_ledger(seen):
    found = seen["mini-vit"]
    inside = found.inside
    heads = found.units[1 : 1 + 72]
    loud = int(heads.norm(dim=1).argmax())
    basis = torch.linalg.qr(found.units[torch.arange(85) != loud + 1].double().mT).Q
    direction = found.units[loud + 1].double()
    direction = direction - basis @ (basis.mT @ direction)
    others = torch.linalg.qr(
        torch.cat([direction[:, None], torch.eye(len(direction)).double()], dim=1)
    ).Q[:, 1 : len(direction)]
    linear = LinearHead.from_weight(others.mT)  # sees everything but what one head wrote alone
    made = ledger(found, linear, inside.vocabulary.embeddings[281], "tabby")
    assert linear.head.nullity == 1
    assert float(made.shares.share[loud + 1]) == pytest.approx(1, abs=1e-6)
    assert inside.tower.unit_names[loud + 1] in made.sentence


def test_units_are_found_by_their_names(seen):
    inside = seen["mini-vit"].inside
    assert inside.tower.unit_names[unit_index(inside, "l11.h3")] == "L11.H3"
    with pytest.raises(UnitsError, match=r"L0\.H0 to L11\.H5"):
        unit_index(inside, "L12.H0")


def test_a_perfect_map_agrees_with_everything_and_its_inverse_with_nothing():
    mask = torch.zeros(40, 60, dtype=torch.bool)
    mask[10:30, 20:40] = True
    assert measures([agreement(mask.double(), mask)]) == (1.0, 1.0)
    inverted = measures([agreement(1 - mask.double(), mask)])
    assert inverted == (0.0, 0.0)
    accuracy, _ = measures([agreement(torch.ones(4, 4), mask)])  # constant: all background
    assert accuracy == pytest.approx(1 - mask.double().mean().item())
    doubled = agreement(2 * mask.double() + 1, mask)
    assert doubled == agreement(mask.double(), mask)


@pytest.mark.slow
def test_segments_have_the_photos_size_and_find_what_stands_in_front(real_bench):
    scene = Image.new("RGB", (300, 200), (90, 140, 200))
    scene.paste(photo().resize((120, 120)).convert("RGB"), (90, 40))
    segmenter = Segmenter.open(real_bench, "mini-vit", "vits")
    found = segmenter.foreground(scene)
    smooth, threshold = found.picture(scene.size)
    assert smooth.shape == (200, 300)
    assert 0 < threshold < 1
    taken = np.asarray(smooth > threshold)
    inside = taken[40:160, 90:210].mean()
    outside = (taken.sum() - taken[40:160, 90:210].sum()) / (300 * 200 - 120 * 120)
    assert inside > 2 * outside
    assert found.label in segmenter.plain.labels


@pytest.mark.slow
def test_finer_tokens_leave_the_network_as_it_was(real_bench):
    backbone = real_bench.pool.backbone("vits")
    batch = backbone.preprocess(photo())[None]
    before, table = backbone.features(batch), backbone.network.pos_embed.shape
    fine = open_inside(real_bench, "mini", "vits", side=224)
    assert look_inside(fine, photo()).grid == (16, 16)
    torch.testing.assert_close(backbone.features(batch), before)
    assert backbone.network.pos_embed.shape == table
    with pytest.raises(UnitsError, match="225 pixels"):
        open_inside(real_bench, "mini", "vits", side=225)


def test_rolled_out_rows_sum_to_one(seen):
    found = seen["mini-vit"]
    attention = torch.rand(12, 65, 65, generator=torch.Generator().manual_seed(0)).double()
    attention = attention / attention.sum(dim=-1, keepdim=True)
    row = rollout(found, attention)
    assert row.shape == (8, 8)
    eye = torch.eye(65, dtype=torch.float64)
    joint = eye
    for layer in attention:
        joint = (layer + eye) / 2 @ joint
    torch.testing.assert_close(joint.sum(dim=-1), torch.ones(65, dtype=torch.float64))
    torch.testing.assert_close(row.flatten(), joint[0, 1:])


def test_maps_become_pictures_and_a_constant_one_stays_black():
    grey = picture_of(stretched(torch.tensor([[0.0, 1.0], [2.0, 4.0]])), (20, 10))
    assert grey.size == (20, 10)
    assert grey.mode == "L"
    assert (grey.getextrema()) == (0, 255)
    assert picture_of(stretched(torch.full((2, 2), 3.0)), (4, 4)).getextrema() == (0, 0)


def test_the_class_alone_and_all_likely_ones_are_two_routes(seen):
    found = seen["vits"]
    probabilities = torch.zeros(1000)
    probabilities[281] = 1.0
    likely, first = (foreground(found, probabilities, route) for route in ("likely", "class"))
    torch.testing.assert_close(likely.heat, first.heat)
    probabilities[3] = 0.9
    assert not torch.equal(foreground(found, probabilities).heat, first.heat)


@pytest.mark.parametrize("way", ["towards", "removing"])
def test_a_step_scales_the_map_of_what_is_hidden_and_brings_the_rest(seen, way):
    found = seen["vits"]
    linear, translator = deciding(found), found.inside.translator
    text = found.inside.vocabulary.embeddings[281]
    make = {
        "towards": lambda: NullLine.towards(text, found.output, linear, translator),
        "removing": lambda: NullLine.removing(found.output, linear, translator),
    }[way]
    line = make()
    unit = text.double() / text.double().norm()
    epsilon = 0.4 * float(linear.head.null_part(found.output.double()).norm())
    moved = moved_map(found, linear, text, line.direction, epsilon)
    feature = found.output.double() + epsilon * line.direction
    hidden = translator.linear(linear.head.null_part(feature))
    cosine = float(hidden @ unit / translator.apply(feature).norm())
    assert moved.tokens.total + moved.brought == pytest.approx(cosine, abs=1e-5)
    if way == "removing":
        assert moved.kept == pytest.approx(0.6, abs=1e-9)
        assert moved.brought == pytest.approx(0, abs=1e-9)
    else:
        assert moved.brought > 0.01


def test_null_removal_leaves_no_map_and_no_step_leaves_it_as_it_was(seen):
    found = seen["vits"]
    linear = deciding(found)
    text = found.inside.vocabulary.embeddings[281]
    line = NullLine.removing(found.output, linear, found.inside.translator)
    still = token_map(found, pulled_back(found.inside, text, "null", linear))
    first = moved_map(found, linear, text, line.direction, 0.0)
    torch.testing.assert_close(first.tokens.heat, still.heat)
    last = moved_map(found, linear, text, line.direction, line.removal)
    assert abs(last.kept) < 1e-9
    assert float(last.tokens.heat.abs().max()) < 1e-9
