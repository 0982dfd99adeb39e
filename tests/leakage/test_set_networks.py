"""Networks as translators of a prepared set: trained once, on what the reference sees in it."""

import pytest
import torch
from torch.nn.functional import cosine_similarity

from sing_core.errors import ImageSetError
from sing_core.files.images import decode_image
from sing_core.files.samples import sample_bytes
from sing_core.files.store import Store
from sing_core.leakage import set_networks, translations
from sing_core.leakage.choices import measured_by, towards_by
from sing_core.leakage.scored_sets import open_set
from sing_core.leakage.strata import within
from sing_core.leakage.translations import NEAREST
from sing_core.maths.nonlinear import ARCHITECTURES
from sing_core.maths.training import Recipe
from sing_core.models.pool import ModelPool
from sing_core.models.workbench import Workbench
from sing_core.sets.chunks import ImageRow, SetFolder
from sing_core.sets.reference_rows import reference_rows
from sing_core.settings import Settings

pytestmark = pytest.mark.slow  # real features; networks are trained

FEW = Recipe(learning_rate=1e-3, epochs=1, hidden=32)


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    settings = Settings(cache_dir=tmp_path_factory.mktemp("networks"))
    bench = Workbench(settings, ModelPool(settings), Store(settings.cache_dir))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(set_networks, "RECIPE", FEW)
        yield open_set(bench, "lite0", images="embedded")


@pytest.fixture(scope="module")
def trained(scored):
    """The set once its networks are trained; what was said meanwhile, and the choices before."""
    said = []
    before = measured_by(scored, range(300), networks=True)
    set_networks.train_networks(scored, lambda *words: said.append(words))
    return scored, said, before


def test_what_the_reference_sees_is_what_its_translators_were_measured_by(scored):
    """The cosine that is noted with the shipped translator is over the full photographs."""
    seen = reference_rows(scored.bench, scored.folder, "centred:mini")
    images, pieces = [], []
    for own, features in scored.features(seen.rows.tolist()):
        images += own
        pieces.append(features)
    assert [image.row for image in images] == seen.rows.tolist()
    full = within(scored, "full photograph").ask("SELECT row FROM images")["row"].to_pylist()
    mine = torch.isin(seen.rows, torch.tensor(full))
    guess, true = (
        scored.unseen(images).apply(torch.cat(pieces)).float()[mine],
        seen.embeddings[mine],
    )
    near = cosine_similarity(guess, true, dim=-1).mean()
    noted = float(scored.bench.translator("lite0", "mini").details["cosine"])
    assert float(near) == pytest.approx(noted, abs=5e-3)


def test_an_exact_tower_needs_no_embeddings_and_another_one_is_none(scored, tmp_path):
    bench, folder = scored.bench, scored.folder
    seen = reference_rows(bench, folder, "mini-vit")
    vits = open_set(bench, "vits", images="embedded")
    (images, features), *_ = vits.features(seen.rows[:64].tolist())
    head = bench.translator("vits", "mini-vit")
    assert torch.allclose(head.apply(features).float(), seen.embeddings[: len(images)], atol=1e-4)
    photo = decode_image(sample_bytes("chelsea")).image
    own, reference = bench.pool.backbone("vits"), bench.pool.reference("mini-vit")
    assert torch.equal(own.preprocess(photo), reference.preprocess(photo)), "the very same picture"
    assert "exact" not in bench.translator("lite2", "mini").details


def test_a_set_without_embeddings_and_tower_says_what_to_do(scored, tmp_path):
    kept = SetFolder.create(tmp_path / "bare", scored.folder.facts)
    with pytest.raises(ImageSetError, match="--embed"):
        reference_rows(scored.bench, kept, "mini")


def test_every_network_is_a_choice_once_it_is_trained_and_only_where_asked_for(trained):
    scored, said, before = trained
    fits = {fit for _, _, fit in before.scores}
    assert fits.isdisjoint(ARCHITECTURES)
    found = measured_by(scored, range(300), networks=True)
    added = set(found.scores) - set(before.scores)
    assert added == {(read, "mini", a) for read in ("raw", "centred") for a in ARCHITECTURES}
    assert set(measured_by(scored, range(300)).scores) == set(before.scores)
    assert next(iter(found.scores)) == next(iter(before.scores))
    assert [words[0] for words in said] == [a for a in ARCHITECTURES for _ in range(5)]
    tables = dict(towards_by(scored, ("goldfish",), 1, networks=True).tables)
    assert added <= set(tables)


def test_what_is_trained_is_not_trained_again(trained, monkeypatch):
    scored, _, _ = trained
    monkeypatch.setattr(set_networks, "cross_train", None)  # calling it would fail
    assert set_networks.networks_state(scored) == (True,) * len(ARCHITECTURES)
    assert set_networks.train_networks(scored) == ARCHITECTURES


def test_a_network_that_is_the_linear_map_shows_the_same_images():
    chance = torch.Generator().manual_seed(0)
    true = torch.randn(200, 16, generator=chance)
    near, far = (true + k * torch.randn(200, 16, generator=chance) for k in (0.5, 3.0))
    images = tuple(ImageRow(row, f"{row}", "", f"{row:064x}") for row in range(200))
    classes = (*(row // 2 for row in range(198)), 500, 501)
    found = translations._compared(
        {translations.SHIPPED: far, translations.HERE: near, "mlp3": near}, true, images, classes
    )
    shipped, here, network = found.rows
    assert (here.shared, network.shared) == (1, 1)
    assert shipped.shared < 0.5
    assert shipped.apart.high < 0
    assert here.cosine == network.cosine
    assert (network.apart.estimate, network.apart.low, network.apart.high) == (0, 0, 0)
    assert torch.equal(found.places[translations.HERE], found.places["mlp3"])
    assert found.places["mlp3"].shape == (200, NEAREST)
    assert not (found.places["mlp3"] == torch.arange(200)[:, None]).any()
    assert "comes 0.000 below (not told from 0) the cosine" in found.sentence
    assert "shares 100 % with that map" in found.sentence
    one_each = translations._compared(
        {translations.SHIPPED: far, translations.HERE: near}, true, images, tuple(range(200))
    )
    assert one_each.rows[1].same_class == 0
    assert "No other translator" in one_each.sentence


def test_networks_trained_for_a_moment_find_other_images(trained):
    found = translations.translations(trained[0])
    rows = {row.translator: row for row in found.rows}
    assert list(rows) == [translations.SHIPPED, translations.HERE, *ARCHITECTURES]
    assert rows[translations.HERE].same_class > 0.1
    assert all(rows[a].shared < 1 for a in ARCHITECTURES)
    assert all(rows[a].apart.high < 0 for a in ARCHITECTURES), "a moment is too short"
    assert all(row.cosine.low < row.cosine.estimate < row.cosine.high for row in found.rows)
