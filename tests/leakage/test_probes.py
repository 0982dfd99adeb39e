"""What a linear probe reads in each part of the features, where the truth is planted."""

import pytest
import torch

from sing_core.errors import ImageSetError, TextListError
from sing_core.leakage import probes
from sing_core.leakage.alarms import alarms, other_alarms
from sing_core.leakage.probes import GROUPS, labelled, probe
from sing_core.leakage.real_pairs import real_pairs
from sing_core.leakage.scored_sets import open_set
from sing_core.leakage.strata import POOLED, said_of, within
from tests.leakage.planted_sets import EACH, planted
from tests.prepared_sets import WNIDS

pytestmark = pytest.mark.slow  # sets are prepared


@pytest.fixture
def few_draws(monkeypatch):
    monkeypatch.setattr(probes, "DRAWS", 3)


def hidden_classes(bench):
    """Return what makes features of which only the null part knows the class."""

    def features_of(entry, n):
        generator = torch.Generator().manual_seed(3)
        head = bench.classifier(entry.name).linear.head
        lead = torch.randn(4, entry.feature_dim, generator=generator)
        noise = torch.rand(n, entry.feature_dim, generator=generator)
        return noise + head.null_part(lead).float().repeat_interleave(EACH, dim=0)

    return features_of


def test_classes_that_only_the_null_part_knows_are_read_there_and_lost_without_it(bench, few_draws):
    found = probe(planted(bench, "hidden", hidden_classes(bench)))
    rate = {row.subspace: row.accuracy.estimate for row in found.rows}
    assert (found.labels, found.n, found.chance) == (4, 4 * EACH, 0.25)
    assert rate["null"] > 0.95
    assert rate["principal"] < 0.5
    assert found.lost.estimate == pytest.approx(rate["full"] - rate["principal"])
    assert "Without the null part" in found.sentence
    assert "fewer of the images are read rightly: it adds something" in found.sentence
    assert [row.dim for row in found.rows] == [280, 280, 280, 1000, 1280]
    assert [row.draws for row in found.rows] == [1, 3, 3, 1, 1]


def test_noise_is_read_from_nowhere(bench, few_draws):
    found = probe(planted(bench, "noise", None))
    for row in found.rows:
        assert row.accuracy.low <= 0.25 + 0.1, row
    assert not found.lost.decided


def every_other(bench):
    """Return features whose classes every other image hides in its null part, and their kinds."""
    hidden, odd = hidden_classes(bench), torch.arange(4 * EACH) % 2 == 1

    def features_of(entry, n):
        noise = torch.rand(n, entry.feature_dim, generator=torch.Generator().manual_seed(7))
        return torch.where(odd[:, None], hidden(entry, n), noise)

    kinds = {
        f"{wnid}/{place:03d}.jpg": ("plain", "telling")[place % 2]
        for wnid in WNIDS
        for place in range(EACH)
    }
    return features_of, kinds


def test_one_kind_of_images_is_asked_alone_and_of_several_it_is_said_that_they_are_pooled(
    bench, few_draws
):
    scored = planted(bench, "two kinds", *every_other(bench))
    found = {kind: probe(within(scored, kind)) for kind in ("plain", "telling", "")}
    rate = {kind: table.row("null").accuracy.estimate for kind, table in found.items()}
    assert rate["telling"] > 0.95
    assert rate["plain"] < 0.5 < rate[""] < 0.9, "the mean is of neither"
    assert [table.n for table in found.values()] == [2 * EACH, 2 * EACH, 4 * EACH]
    assert [table.stratum for table in found.values()] == ["plain", "telling", POOLED]
    assert "several kinds are pooled" in said_of(found[""].stratum)
    pairs = real_pairs(within(scored, "plain"), 3)
    assert {pair.name for pair in pairs.rows} | {pair.other for pair in pairs.rows} == {
        name for name, kind in every_other(bench)[1].items() if kind == "plain"
    }
    assert (pairs.stratum, real_pairs(scored, 3).stratum) == ("plain", POOLED)
    usual = planted(bench, "noise", None)
    assert {row.stratum for row in alarms(scored, "noise")} == {POOLED}
    assert {row.stratum for row in other_alarms(usual, scored)} == {POOLED}
    assert {row.stratum for row in alarms(scored, "telling")} == {""}, "one kind beside the other"
    assert {row.n for row in alarms(within(scored, "plain"), "noise")} == {2 * EACH}
    with pytest.raises(ImageSetError, match="only plain is looked at"):
        alarms(within(scored, "plain"), "telling")


def test_a_table_says_what_is_read(bench, few_draws, tmp_path):
    scored = planted(bench, "hidden", hidden_classes(bench))
    names = scored.ask("SELECT name, label FROM images ORDER BY row").to_pylist()
    table = tmp_path / "furry.csv"
    lines = [f'"{one["name"]}",{"fish" if one["label"] < 2 else "no fish"}' for one in names]
    table.write_text("\n".join([*lines, "not-there.jpg,fish"]), encoding="utf-8")
    found = probe(scored, table=table)
    assert (found.asked, found.labels, found.chance) == ("furry", 2, 0.5)
    assert found.row("null").accuracy.estimate > 0.95
    for text, said in (("a\nb", "no table of labels"), ("x.jpg,fish", "names no image")):
        table.write_text(text, encoding="utf-8")
        with pytest.raises(TextListError, match=said):
            probe(scored, table=table)


def test_what_cannot_be_judged_on_what_was_never_seen_is_refused(bench):
    scored = planted(bench, "noise", None)
    with pytest.raises(ImageSetError, match="two labels with 5 classes each"):
        probe(scored, GROUPS)
    with pytest.raises(ImageSetError, match="not “colours”"):
        probe(scored, "colours")


def test_groups_are_read_in_classes_that_the_probe_never_saw(real_bench):
    found = labelled(open_set(real_bench, "lite0", images="embedded"), GROUPS)
    fold_of = {}
    for index, fold in zip(found.classes.tolist(), found.folds.tolist(), strict=True):
        assert fold_of.setdefault(index, fold) == fold, "a class is in one fold"
    for label in range(int(found.labels.max()) + 1):
        assert set(found.folds[found.labels == label].tolist()) == set(range(5))
