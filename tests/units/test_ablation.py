"""Units taken away: none is the network, order is no matter, a planted background head is found."""

import json
from types import SimpleNamespace

import pytest
import torch

from sing_core.cli import unit_atlas, unit_words
from sing_core.errors import ImageSetError, UnitsError
from sing_core.files.samples import SAMPLES, sample_bytes
from sing_core.models.imagenet import imagenet_places
from sing_core.sets.chunks import ImageRow
from sing_core.units import recorded as recorded_units
from sing_core.units.ablation import ablated, ablation_sentence
from sing_core.units.atlas import direct_effects
from sing_core.units.inside import open_inside
from sing_core.units.recorded import Recorded
from sing_core.units.residual import Sums
from tests.benches import exit_code
from tests.units.photos import photo

CAT, DOG = "n02123045", "n02099601"
NAMES = ("embedding", "L0.H0", "L0.H1", "L0.MLP")


@pytest.fixture(scope="module")
def recorded(inside, record):
    sums = record([DOG] * 20).sums
    places = inside.logits(inside.shares.all(sums).sum(dim=1)).argmax(dim=-1).tolist()
    wnids = {place: wnid for wnid, place in imagenet_places().items()}
    # Classes are what the network reads, but for every fourth image.
    return record([wnids[p] if k % 4 else DOG for k, p in enumerate(places)])


def made(units, wnids):
    """Return a network of four units ``(n, 4, o)`` whose outputs are logits of cat and dog."""
    n, _, width = units.shape
    rest = [torch.zeros(n, 1, 1), torch.zeros(n, 1), torch.zeros(n), torch.zeros(n)]
    sums = Sums(units[:, :, None], *rest, torch.zeros(n, 1))
    weight = torch.zeros(1000, width)
    weight[imagenet_places()[CAT], 0] = weight[imagenet_places()[DOG], 1] = 1.0
    inside = SimpleNamespace(
        shares=SimpleNamespace(all=lambda block: block.heads[:, :, 0]),
        tower=SimpleNamespace(unit_names=NAMES, layers=(0,), heads=2),
        logits=lambda outputs: outputs @ weight.mT,
    )
    rows = tuple(ImageRow(k, f"{k}", wnid, f"{k}") for k, wnid in enumerate(wnids))
    return inside, Recorded(sums, rows, ())


@pytest.mark.slow
@pytest.mark.parametrize("how", ["mean", "zero"])
def test_no_unit_taken_away_is_the_network_as_it_is(inside, recorded, how):
    found = ablated(inside, recorded, [], how)
    assert found.accuracy == direct_effects(inside, recorded)[0].accuracy
    assert 0 < found.accuracy.estimate < 1
    assert (found.change.estimate, found.change.low, found.change.high) == (0, 0, 0)
    assert found.worst == DOG
    assert found.worst_accuracy.low <= found.worst_accuracy.estimate <= found.worst_accuracy.high
    assert found.as_row()["units"] == "none"


@pytest.mark.slow
@pytest.mark.parametrize("how", ["mean", "zero"])
def test_the_order_of_units_is_no_matter_and_twice_is_once(inside, recorded, how):
    first, second = ["L11.H0", "L11.MLP", "embedding"], ["L10.H3", "L9.H1"]
    one = ablated(inside, recorded, first + second, how)
    assert one == ablated(inside, recorded, second + first, how)
    assert one == ablated(inside, recorded, [*second, *first, "l9.h1"], how)
    assert one.units == ("embedding", "L9.H1", "L10.H3", "L11.H0", "L11.MLP")


@pytest.mark.slow
def test_all_units_gone_leave_one_answer_for_all(inside, record):
    two = record([DOG if k % 2 else CAT for k in range(20)])
    found = ablated(inside, two, inside.tower.unit_names)
    assert found.accuracy.estimate in (0.0, 0.5)
    assert found.worst_accuracy.estimate == 0


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_mean_and_zero_agree_for_a_unit_whose_mean_is_zero_and_for_no_other():
    units = drawn(60, 4, 2)
    units[:, 1] -= units[:, 1].mean(dim=0)
    units[:, 2] += torch.tensor([4.0, 0.0])  # speaks for cats whatever the image shows
    known = made(units, [CAT, DOG] * 30)
    mean, zero = (ablated(*known, ["L0.H0"], how) for how in ("mean", "zero"))
    assert mean.accuracy == zero.accuracy
    assert mean.worst_accuracy == zero.worst_accuracy
    mean, zero = (ablated(*known, ["L0.H1"], how) for how in ("mean", "zero"))
    assert mean.worst_accuracy.estimate < zero.worst_accuracy.estimate


def test_without_a_planted_background_head_the_class_that_is_read_worst_is_read_better():
    wnids = [CAT, DOG] * 40
    units = 0.1 * drawn(80, 4, 2, seed=1)
    animal = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).repeat(40, 1)
    units[:, 3] += animal
    grass = torch.isin(torch.arange(80) % 8, torch.tensor([0, 3, 5, 7]))  # behind most dogs
    units[:, 2, 0] += 3.0 * grass - 1.5  # a head that takes grass for a cat, water for a dog
    known = made(units, wnids)
    base, without = (ablated(*known, names) for names in ([], ["L0.H1"]))
    assert base.worst_accuracy.estimate < 0.5
    assert without.worst_accuracy.low > base.worst_accuracy.high
    assert without.change.estimate > 0
    assert ablated(*known, ["L0.H0"]).worst_accuracy.estimate < 0.5, "another head is no cure"
    said = ablation_sentence(base, without)
    assert "With their mean in place of L0.H1" in said
    assert "before, the worst one was in" in said


@pytest.mark.slow
def test_units_and_classes_that_are_not_there_are_refused(inside, record, recorded):
    with pytest.raises(UnitsError, match=r"L0\.H0 to L11\.H5"):
        ablated(inside, recorded, ["L12.H0"])
    with pytest.raises(ImageSetError, match="two classes"):
        ablated(inside, record([""] * 20), ["L0.H0"])


COMMANDS = {
    "head-atlas": (["head-atlas"], {"replaced", "texts", "accuracy", "low", "high"}, 16),
    "completeness": (
        ["completeness", "--texts", "{texts}", "--size", "2", "--size", "4"],
        {"replaced", "texts", "accuracy", "low", "high"},
        4,
    ),
    "ablate": (
        ["ablate", "--unit", "L11.H0", "--unit", "L11.MLP", "--how", "zero"],
        {"units", "how", "accuracy", "change", "worst_class", "worst_accuracy", "worst_low"},
        2,
    ),
    "of a text": (
        ["head-images", "--layer", "11", "--head", "3", "--text", "a cat", "--top", "2"],
        {"rank", "image", "score"},
        2,
    ),
    "like one": (
        ["head-images", "--layer", "11", "--head", "3", "--like", "{like}", "--top", "2"],
        {"rank", "image", "score"},
        2,
    ),
    "like a photo": (
        ["head-images", "--layer", "11", "--head", "3", "--photo", "{photo}", "--top", "4"],
        {"rank", "image", "score"},
        4,
    ),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Return class folders of two photos each."""
    root = tmp_path_factory.mktemp("classes")
    for number, sample in enumerate(SAMPLES[:4]):
        folder = root / (CAT if number % 2 else DOG)
        folder.mkdir(exist_ok=True)
        (folder / sample.file).write_bytes(sample_bytes(sample.name))
    return root


@pytest.mark.slow
@pytest.mark.parametrize("name", list(COMMANDS))
def test_commands_over_a_set_print_their_rows(
    name, folders, real_bench, monkeypatch, capsys, tmp_path
):
    for module in (unit_atlas, unit_words):
        monkeypatch.setattr(module, "open_bench", lambda settings: real_bench)
    path, texts = tmp_path / "cat.png", tmp_path / "texts.txt"
    photo().save(path)
    texts.write_text("a red photo\na dog\nat night\na drawing\nunder water\nmany people\n", "utf-8")
    words, keys, count = COMMANDS[name]
    inside = open_inside(real_bench, "mini-vit")
    like = recorded_units.record(real_bench, inside, folders).images[0].name
    words = [word.format(photo=path, texts=texts, like=like) for word in words]
    code = exit_code(monkeypatch, *words, "--images", folders, "--json")
    out, err = capsys.readouterr()
    assert code == 0, err
    rows = [json.loads(line) for line in out.splitlines()]
    assert len(rows) == count
    assert keys <= rows[0].keys()
    if name == "ablate":
        assert [row["units"] for row in rows] == ["none", "L11.H0 L11.MLP"]
        assert rows[0]["change"] == 0
    if name == "head-atlas":
        assert rows[0]["replaced"] == "nothing"
    if name == "completeness":
        assert [row["texts"] for row in rows] == [None, 0, 2, 4]
    if name == "like one":
        assert like not in {row["image"] for row in rows}
    if "rank" in keys:
        assert [row["rank"] for row in rows] == list(range(1, count + 1))


def test_a_wrong_unit_is_refused_before_images_are_looked_at(
    folders, real_bench, monkeypatch, capsys
):
    monkeypatch.setattr(unit_atlas, "open_bench", lambda settings: real_bench)
    monkeypatch.setattr(unit_atlas, "_recorded", None)  # calling it would fail
    words = ("ablate", "--unit", "L10.H3", "--unit", "L99.H0", "--images", folders)
    assert exit_code(monkeypatch, *words) == 2
    assert "“L99.H0” is no unit" in capsys.readouterr().err
