"""The denoiser and its use as a prior: on the real weights, on a sample photograph."""

import pytest
import torch

from sing_core.errors import WeightsUnavailableError
from sing_core.files.images import decode_image
from sing_core.files.samples import sample_bytes
from sing_core.pictures.inversion.denoiser import Denoiser
from sing_core.pictures.inversion.layout import layout_prior
from sing_core.pictures.inversion.prior import denoiser_path, shipped_prior
from sing_core.pictures.inversion.recipe import Pull
from sing_core.settings import Settings


@pytest.fixture(scope="module")
def prior():
    return shipped_prior(Settings(), "cpu")


@pytest.fixture(scope="module")
def photo():
    image = decode_image(sample_bytes("chelsea")).image
    side = min(image.size)
    square = image.crop((0, 0, side, side)).resize((128, 128))
    pixels = torch.frombuffer(bytearray(square.tobytes()), dtype=torch.uint8)
    return square, pixels.view(1, 128, 128, 3).permute(0, 3, 1, 2).float() / 255


def noisy_of(clean, sigma):
    return clean + sigma * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))


def error_of(found, clean):
    return float((found - clean).square().mean())


def test_three_quarters_of_the_noise_are_taken_away(prior, photo):
    _, clean = photo
    for sigma in (0.12, 0.3):
        found = prior.network(noisy_of(clean, sigma), torch.tensor([sigma]), None)
        assert found.shape == clean.shape
        assert error_of(found, clean) < 0.25 * sigma**2


def test_the_layout_helps_against_strong_noise(prior, photo):
    square, clean = photo
    noisy, level = noisy_of(clean, 0.5), torch.tensor([0.5])
    alone = prior.network(noisy, level, None)
    told = prior.network(noisy, level, layout_prior(square, 128)[None])
    assert error_of(told, clean) < error_of(alone, clean)


def test_a_row_without_a_layout_is_the_same_as_none_at_all(prior, photo):
    _, clean = photo
    level = torch.tensor([0.2])
    bare = prior.network(clean, level, torch.full_like(clean, torch.nan))
    torch.testing.assert_close(bare, prior.network(clean, level, None))


def test_without_noise_a_picture_stays_as_it_is(photo):
    _, clean = photo
    torch.manual_seed(0)
    found = Denoiser()(clean, torch.tensor([1e-4]), None)
    torch.testing.assert_close(found, clean, rtol=0, atol=1e-3)


def test_the_prior_pulls_a_noisy_picture_harder_than_a_photograph(prior, photo):
    square, clean = photo
    layouts = layout_prior(square, 128)[None].expand(2, -1, -1, -1)
    both = torch.cat([clean, noisy_of(clean, 0.15)]).requires_grad_()
    generator = torch.Generator().manual_seed(0)
    losses = prior.loss(both, layouts, Pull(), 0.5, generator)
    assert losses.shape == (2,)
    assert float(losses[1].detach()) > 2 * float(losses[0].detach())
    losses.sum().backward()
    moved = both.detach() - 0.5 * both.grad * clean.numel() / Pull().weight / 2
    assert error_of(moved[1:], clean) < error_of(both.detach()[1:], clean)


def test_the_noise_level_falls_in_even_ratios():
    pull = Pull(first=0.4, last=0.1)
    assert [pull.sigma(share) for share in (0.0, 0.5, 1.0)] == pytest.approx([0.4, 0.2, 0.1])


def test_a_denoiser_that_is_missing_or_another_is_refused(tmp_path):
    settings = Settings(assets_dir=tmp_path)
    with pytest.raises(WeightsUnavailableError, match="missing or damaged"):
        shipped_prior(settings, "cpu")
    path = denoiser_path(settings)
    path.parent.mkdir(parents=True)
    path.write_bytes(denoiser_path(Settings()).read_bytes()[:-1] + b"\0")
    with pytest.raises(WeightsUnavailableError, match="missing or damaged"):
        shipped_prior(settings, "cpu")
