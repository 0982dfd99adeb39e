"""Training of the denoiser: batches follow from their number, and going on changes nothing."""

import io
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors import safe_open

from sing_core.errors import WeightsUnavailableError
from sing_core.files.images import decode_image
from sing_core.files.samples import SAMPLES, sample_bytes
from sing_core.making.data import ImageFolder
from sing_core.making.denoiser import Plan, Training, loss_of, train_denoiser
from sing_core.making.denoiser_patches import KEPT_BACK, SIDE, Patches, Share
from sing_core.maths.folds import fold_of
from sing_core.pictures.inversion.prior import denoiser_path
from sing_core.settings import Settings

SMALL = Share(batch=6, tiny=20, views=2)


def salient(folder):
    """Write a file like ECSSD's: photographs without class names."""
    buffers = []
    for sample in SAMPLES[:3]:
        buffer = io.BytesIO()
        decode_image(sample_bytes(sample.name)).image.resize((150, 140)).save(buffer, "JPEG")
        buffers.append(buffer.getvalue())
    pq.write_table(pa.table({"jpeg": buffers}), folder / "ecssd.parquet")


@pytest.fixture(scope="module")
def data(small_data, tmp_path_factory):
    folder = shutil.copytree(small_data, tmp_path_factory.mktemp("denoiser") / "data")
    salient(folder)
    return folder


@pytest.fixture(scope="module")
def patches(data):
    return Patches(data, SMALL)


@pytest.mark.slow
def test_a_batch_follows_from_its_number_alone(patches, data):
    first, again, other = patches.batch(3), Patches(data, SMALL).batch(3), patches.batch(4)
    assert first.clean.shape == first.noisy.shape == first.layout.shape == (6, 3, SIDE, SIDE)
    for name in ("clean", "noisy", "sigma"):
        assert torch.equal(getattr(first, name), getattr(again, name))
        assert not torch.equal(getattr(first, name), getattr(other, name))


@pytest.mark.slow
def test_the_noise_has_the_deviation_that_is_said(patches):
    for step in range(5):
        batch = patches.batch(step)
        said = batch.sigma
        found = (batch.noisy - batch.clean).square().mean((1, 2, 3)).sqrt()
        torch.testing.assert_close(found, said, rtol=0.1, atol=0)


def test_photographs_that_are_kept_back_are_not_among_the_patches(data):
    table = ImageFolder(data).table("sample")
    folds = [fold_of(table.digest(row)) for row in range(len(table))]
    used = sum(fold not in KEPT_BACK.values() for fold in folds)
    assert len(Patches(data, SMALL)._large) == SMALL.views * (used + 3)


@pytest.mark.slow
def test_going_on_is_the_same_as_not_having_stopped(patches, tmp_path):
    plan = Plan(steps=4, warm_up=1)
    whole, begun = Training(plan), Training(plan)
    for step in range(4):
        whole.learn(patches.batch(step))
    for step in range(2):
        begun.learn(patches.batch(step))
    begun.save(tmp_path / "last.pt")
    gone_on = Training(plan)
    gone_on.load(tmp_path / "last.pt")
    for step in range(2, 4):
        gone_on.learn(patches.batch(step))
    for ours, theirs in zip(whole.average.parameters(), gone_on.average.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.slow
def test_training_lowers_the_loss_on_patches_that_it_did_not_see(patches):
    training, unseen = Training(Plan(steps=40, warm_up=5)), patches.batch(999)
    with torch.no_grad():
        before = float(loss_of(training.network, unseen))
        for step in range(40):
            with torch.enable_grad():
                training.learn(patches.batch(step))
        after = float(loss_of(training.network, unseen))
    assert after < 0.95 * before


@pytest.mark.slow
def test_the_asset_is_written_with_what_made_it(data, tmp_path, monkeypatch):
    monkeypatch.setattr("sing_core.making.denoiser.Share", lambda: SMALL)
    settings, said = Settings(assets_dir=tmp_path / "assets"), []
    train_denoiser(settings, data, tmp_path / "work", said.append, Plan(steps=2))
    with safe_open(denoiser_path(settings), framework="pt") as file:
        assert file.metadata() == {"steps": "2", "seed": "0"}
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118
    assert said


def test_missing_photographs_are_said(small_data):
    with pytest.raises(WeightsUnavailableError, match="ecssd"):
        Patches(small_data, SMALL)
