"""Probes and real equivalents of a set in which the truth is planted."""

import pytest
import torch

from sing_core.errors import ImageSetError, TextListError
from sing_core.leakage import probes
from sing_core.leakage.alarm_rows import sentence
from sing_core.leakage.alarms import alarms, other_alarms
from sing_core.leakage.probes import GROUPS, labelled, probe
from sing_core.leakage.real_pairs import logit_coordinates, real_pairs
from sing_core.leakage.scored_sets import open_set
from sing_core.leakage.strata import POOLED, said_of, within
from sing_core.maths.scores import angle_deg
from sing_core.settings import Settings
from tests import toy
from tests.prepared_sets import WNIDS, made_up_set

pytestmark = pytest.mark.slow  # sets are prepared

EACH = 24
LABELS = (0, 1, 281, 555)  # of the wnids of the made-up set


@pytest.fixture(scope="module")
def settings(toy_assets, tmp_path_factory):
    return Settings(assets_dir=toy_assets, cache_dir=tmp_path_factory.mktemp("evidence"))


@pytest.fixture
def bench(settings, toy_reference):
    return toy.make_bench(settings)


@pytest.fixture
def few_draws(monkeypatch):
    monkeypatch.setattr(probes, "DRAWS", 3)


def planted(bench, name, features_of, strata=None):
    place = bench.settings.cache_dir / "prepared" / name
    if not place.exists():
        made_up_set(
            bench, place, counts=(EACH,) * 4, chunk_rows=32, features_of=features_of, strata=strata
        )
    return open_set(bench, "lite0", images=name)


def hidden_classes(bench):
    """Return what makes features of which only the null part knows the class."""

    def features_of(entry, n):
        generator = torch.Generator().manual_seed(3)
        head = bench.classifier(entry.name).linear.head
        lead = torch.randn(4, entry.feature_dim, generator=generator)
        noise = torch.rand(n, entry.feature_dim, generator=generator)
        return noise + head.null_part(lead).float().repeat_interleave(EACH, dim=0)

    return features_of


def twins(bench):
    """Return what makes features in pairs: one principal part, and opposite null parts."""

    def features_of(entry, n):
        generator = torch.Generator().manual_seed(4)
        head = bench.classifier(entry.name).linear.head
        half = torch.rand(n // 2, entry.feature_dim, generator=generator)
        seen, inside = head.principal_part(half), head.null_part(half)
        return torch.cat([seen + inside, seen - inside]).float()

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


def test_twins_that_differ_in_the_null_space_alone_find_each_other(bench):
    scored = planted(bench, "twins", twins(bench))
    found = real_pairs(scored, 1)
    half = 2 * EACH
    assert {pair.row: pair.other_row for pair in found.rows} == {
        row: (row + half) % (2 * half) for row in range(2 * half)
    }
    assert found.logit_distance < 1e-4
    assert (found.agreeing, found.nearest < 1e-4) == (1, True)
    assert found.sentence.startswith("Most images have one that nearly agrees: the nearest in")
    assert "which the classifier does tell apart" not in found.meaning
    for pair in found.rows:
        assert pair.swapped == pytest.approx(pair.angle, abs=1e-3), "the twin is the equivalent"
        assert pair.label == LABELS[pair.row // EACH]
    assert found.null_distance > 1


def near_twins(bench):
    """Return what makes twins whose null parts differ by little: others' are farther away."""

    def features_of(entry, n):
        generator = torch.Generator().manual_seed(6)
        head = bench.classifier(entry.name).linear.head
        half = torch.rand(n // 2, entry.feature_dim, generator=generator)
        return torch.cat([half, half - 0.1 * head.null_part(half)]).float()

    return features_of


def test_whether_images_have_an_equivalent_is_said_by_the_nearest_not_by_the_one_chosen(bench):
    found = real_pairs(planted(bench, "near twins", near_twins(bench)))
    assert found.logit_distance > 0.3, "the farthest null part of ten is no twin's"
    assert (found.nearest < 1e-4, found.agreeing, found.neighbours) == (True, 1, 10)
    assert found.sentence.startswith(
        "Most images have one that nearly agrees: the nearest in logits is 0 % of the usual "
    )
    assert "100 % have one within 10 %). Of the 10 nearest the one with the" in found.sentence
    assert "which the classifier does tell apart" in found.meaning
    none = real_pairs(planted(bench, "noise", None))
    assert none.sentence.startswith("Most images have none that nearly agrees: the nearest in")
    assert none.agreeing == 0


def test_the_numbers_of_a_pair_are_those_of_its_two_images(bench):
    scored = planted(bench, "noise", None)
    rows = list(range(4 * EACH))
    features = torch.cat([part for _, part in scored.features(rows)]).double()
    linear, translator = scored.linear, bench.translator("lite0", "mini")
    found = {pair.row: pair for pair in real_pairs(scored, 5).rows}
    logits = features @ linear.weight.double().mT
    apart = torch.cdist(logits, logits).fill_diagonal_(torch.inf)
    null = linear.head.null_part(features)
    for row in (0, 17, 95):
        near = apart[row].topk(5, largest=False).indices
        other = int(near[torch.linalg.vector_norm(null[near] - null[row], dim=1).argmax()])
        assert found[row].other_row == other
        z = translator.apply(features.float())
        assert found[row].angle == pytest.approx(float(angle_deg(z[row], z[other])), abs=1e-3)
        swapped = translator.apply(features[row] - null[row] + null[other])
        assert found[row].swapped == pytest.approx(float(angle_deg(z[row], swapped)), abs=1e-3)
    turned = features @ logit_coordinates(linear)
    assert torch.allclose(torch.cdist(turned, turned), torch.cdist(logits, logits), atol=1e-5)


def strange(bench):
    """Return what makes features whose null parts are three times as long."""

    def features_of(entry, n):
        head = bench.classifier(entry.name).linear.head
        noise = torch.rand(n, entry.feature_dim, generator=torch.Generator().manual_seed(5))
        return (noise + 2 * head.null_part(noise)).float()

    return features_of


def test_a_longer_null_part_is_an_alarm_and_the_logits_do_not_hear_it(bench):
    usual = planted(bench, "noise", None)
    planted(bench, "strange", strange(bench))
    rows = {row.score: row for row in alarms(usual, "strange")}
    null, logits = rows["null_energy"], rows["probability"]
    assert null.auroc.low > 0.99
    assert null.fpr95 < 0.05
    assert logits.auroc.low <= 0.5 <= logits.auroc.high
    assert (null.n, null.looked_for) == (4 * EACH, 4 * EACH)
    said = sentence(tuple(rows.values()), "strange")
    assert (
        "the share of the feature in the null space, is higher for strange in 100 % of pairs"
        in said
    )


def test_a_shorter_null_part_warns_from_the_other_side_and_is_found_as_well(bench):
    usual = planted(bench, "noise", None)
    planted(bench, "strange", strange(bench))
    long = open_set(bench, "lite0", images="strange")
    there = {row.score: row for row in other_alarms(usual, long)}["null_energy"]
    back = {row.score: row for row in other_alarms(long, usual)}["null_energy"]
    assert (there.side, back.side) == ("higher", "lower")
    assert back.told_apart.estimate == pytest.approx(there.told_apart.estimate)
    assert back.fpr95 < 0.05, "of the side that warns"
    assert back.beyond_chance, "all told apart, with a lower end of AUROC of 0"


def test_nothing_to_tell_apart_is_said(bench):
    scored = planted(bench, "noise", None)
    with pytest.raises(ImageSetError, match="holds one kind of image only"):
        alarms(scored, "colours")
    with pytest.raises(ImageSetError, match="No class of noise has right and wrong"):
        alarms(scored)


def compared_images(scored):
    """How many images are of a class that is decided for rightly and wrongly."""
    return scored.ask(
        "SELECT count(*) AS n FROM images WHERE label IN (SELECT label FROM images GROUP BY label "
        "HAVING count(DISTINCT top1 = label) = 2)"
    )["n"][0].as_py()


def test_errors_and_kinds_of_images_are_told_apart_on_the_embedded_set(real_bench):
    scored = open_set(real_bench, "lite0", images="embedded")
    rows = {row.score: row for row in alarms(scored)}
    assert rows["probability"].auroc.low > 0.7, "who errs is less sure of it"
    assert rows["null_energy"].auroc.high < 0.5
    assert rows["null_energy"].fpr95 is None
    told, found = rows["null_energy"].told_apart, rows["null_energy"].auroc
    assert (told.low, told.estimate, told.high) == pytest.approx(
        (1 - found.high, 1 - found.estimate, 1 - found.low)
    )
    assert rows["null_energy"].beyond_chance
    assert rows["null_energy"].as_row()["auroc"] == told.estimate > 0.5
    (right, wrong) = (rows["max_logit"].n, rows["max_logit"].looked_for)
    assert right + wrong == compared_images(scored)
    assert rows["max_logit"].stratum == "64-pixel image", "photographs are alone in their classes"
    gap = rows["null_energy"].over_logits
    assert gap.high < 0, "the largest probability tells more apart"
    assert "percentage points more of them apart" in sentence(tuple(rows.values()), "errors")
    small = {row.score: row for row in alarms(scored, "64-pixel image")}
    assert (small["null_energy"].n, small["null_energy"].looked_for) == (800, 3_200)
    assert small["null_energy"].side == "lower"
