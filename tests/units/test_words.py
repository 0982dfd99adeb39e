"""Heads and the null space in words: moments stand for images, planted texts are found first."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from sing_core.cli import head_texts, unit_words, units
from sing_core.errors import ImageSetError, StaleArtefactError, UnitsError
from sing_core.files.samples import SAMPLES, sample_bytes
from sing_core.making.unit_moments import check_same
from sing_core.maths.head_variants import WHOLE_HEAD, HeadVariant
from sing_core.maths.linear_head import LinearHead
from sing_core.maths.text_span import text_span
from sing_core.maths.translator import Translator
from sing_core.units import tokens
from sing_core.units.heads import HeadWords, head_words, photo_texts
from sing_core.units.inside import open_inside
from sing_core.units.layer_norm import Shares
from sing_core.units.moments import HeadMoments, keep_moments, kept_path, shipped_moments
from sing_core.units.recorded import UnitNetwork, record, unpacked, were_recorded
from sing_core.units.residual import Sums, sliced, sums_of
from sing_core.units.set_words import words_of_set
from sing_core.units.stable_words import Word
from sing_core.units.words import null_words, sentence
from tests.benches import exit_code
from tests.units.photos import photo


@pytest.fixture(scope="module")
def sums(inside):
    """Units of forty crops of the cat."""
    whole = photo()
    crops = [whole.crop((5 * k, 3 * k, 5 * k + 180, 3 * k + 180)) for k in range(40)]
    return sums_of(inside.tower, torch.stack([inside.prepare(crop) for crop in crops]))


def texts(inside, count=200):
    found = torch.nn.functional.normalize(inside.vocabulary.embeddings[:count].float(), dim=-1)
    return inside.vocabulary.labels[:count], found


@pytest.mark.slow
def test_moments_stand_for_the_images_themselves(inside, sums):
    moments = HeadMoments.of(sums, inside.tower.identity)
    rows = inside.shares.heads(sums)[:, 9, 2].double()
    stand_ins = moments.stand_ins(inside, 9, 2, list(range(8)))
    torch.testing.assert_close(stand_ins.mean(0), rows.mean(0), rtol=1e-4, atol=1e-6)
    cov = torch.cov(rows.mT, correction=0)
    other = torch.cov(stand_ins.mT, correction=0)
    assert float((cov - other).norm() / cov.norm()) < 2e-3  # correlations are half precision
    _, embeddings = texts(inside)
    ours, theirs = (text_span(some, embeddings, 3, rank=20) for some in (stand_ins, rows))
    # Of 40 images in 66 dimensions half precision leaves the first directions alone as they were.
    assert ours.chosen == theirs.chosen
    torch.testing.assert_close(ours.gains, theirs.gains, rtol=0.03, atol=0)


@pytest.mark.slow
def test_moments_survive_the_disk_and_damage_is_named(inside, sums, tmp_path):
    moments = HeadMoments.of(sums, inside.tower.identity, {"set": "crops"})
    path = tmp_path / "moments.safetensors"
    moments.save(path)
    again = HeadMoments.load(path)
    assert (again.images, again.details) == (40, {"set": "crops"})
    torch.testing.assert_close(again.alike, moments.alike)
    payload = bytearray(path.read_bytes())
    payload[-5] ^= 255
    path.write_bytes(payload)
    with pytest.raises(StaleArtefactError, match="not those that were saved"):
        HeadMoments.load(path)


@pytest.mark.slow
def test_a_planted_text_is_the_first_word_of_its_head_alone(inside, sums):
    labels, embeddings = texts(inside)
    into = inside.shares.head_maps[11, 4].double()  # (d, e)
    wanted = torch.linalg.lstsq(into, embeddings[17].double()[:, None]).solution[:, 0]
    swing = torch.linspace(-60, 60, len(sums))[torch.randperm(len(sums))]
    heads = sums.heads.clone()
    heads[:, 11, 4] += swing[:, None] * (wanted / wanted.norm()).float()
    planted = replace(sums, heads=heads)
    moments = HeadMoments.of(planted, inside.tower.identity)
    found = head_words(inside, moments, labels, embeddings, 11, 4, size=5)
    reach = into @ wanted
    nearest = int((embeddings.double() @ reach).abs().argmax())
    assert found.words[0].text == labels[nearest]
    assert found.words[0].stability == 1.0
    assert found.words[0].gain > 0.5
    usual = head_words(
        inside, HeadMoments.of(sums, inside.tower.identity), labels, embeddings, 11, 4, size=5
    )
    assert usual.words[0].gain < found.words[0].gain
    other = head_words(inside, moments, labels, embeddings, 11, 3, size=5)
    assert [word.text for word in other.words] == [
        word.text
        for word in head_words(
            inside, HeadMoments.of(sums, inside.tower.identity), labels, embeddings, 11, 3, size=5
        ).words
    ]


@pytest.mark.slow
def test_words_of_a_head_are_held_against_shuffled_texts_and_what_any_directions_could(
    inside, sums
):
    labels, embeddings = texts(inside)
    moments = HeadMoments.of(sums, inside.tower.identity)
    found = head_words(inside, moments, labels, embeddings, 11, 4, size=5)
    rows = moments.stand_ins(inside, 11, 4, list(range(8)))
    power = torch.linalg.eigvalsh(torch.cov(rows.mT, correction=0)).flip(0)
    assert found.bound == pytest.approx(float(power[:5].sum() / power.sum()), rel=1e-6)
    assert 0 < found.explained <= found.bound <= 1
    assert 0 < found.shuffled <= found.bound
    # Texts that are the head's own directions reach the bound; shuffled, they no longer do.
    axes = torch.linalg.svd(rows - rows.mean(dim=0), full_matrices=False)[2][:12].float()
    own = head_words(inside, moments, [f"axis {k}" for k in range(12)], axes, 11, 4, size=5)
    assert own.explained == pytest.approx(own.bound, rel=1e-3)
    assert own.shuffled < 0.8 * own.explained
    assert f"carry {100 * own.bound:.0f} % at most" in own.sentence
    assert f"shuffled embeddings {100 * own.shuffled:.0f} %" in own.sentence
    row = own.as_rows()[0]
    assert (row["rank"], row["shuffled"], row["bound"]) == (1, own.shuffled, own.bound)


def test_a_heads_sentence_leads_with_texts_that_return_and_marks_the_others():
    words = (Word(1, "loose", 0.5, 0.2), Word(2, "firm", 0.2, 0.9), Word(3, "also firm", 0.1, 0.5))
    said = HeadWords("L1.H1", words, 40, 0.1, 0.9).sentence
    assert "is first about “firm” and “also firm”" in said
    assert "2 of them return in at least half" in said
    assert [word.as_row()["unstable"] for word in words] == [True, False, False]
    loose = HeadWords("L1.H1", words[:1], 40, 0.1, 0.9).sentence
    assert "has no name that these images settle" in loose
    assert "first about" not in loose


@pytest.mark.slow
def test_the_text_that_was_planted_in_a_photo_is_the_one_it_shows_most(inside, sums):
    labels, embeddings = texts(inside)
    moments = HeadMoments.of(sums, inside.tower.identity)
    plain = tokens.look_inside(inside, photo())
    span = text_span(moments.stand_ins(inside, 11, 4, list(range(8))), embeddings, 20)
    for sign, end in ((1, "most"), (-1, "least")):
        into = inside.shares.head_maps[11, 4].double()
        step = torch.linalg.lstsq(into, span.atoms[3][:, None]).solution[:, 0]
        heads = plain.parts.sums.heads.clone()
        heads[0, 11, 4] += (sign * 1000 * step).float()
        parts = replace(plain.parts, sums=replace(plain.parts.sums, heads=heads))
        found = photo_texts(
            replace(plain, parts=parts), moments, labels, embeddings, 11, 4, size=20
        )
        assert [one.end for one in found] == ["most", "least"]
        shown = {one.end: one for one in found}[end]
        assert shown.text == labels[span.chosen[3]]
        assert sign * shown.coefficient > 0


@pytest.mark.slow
def test_a_photos_coefficients_are_those_of_its_own_output_and_its_maps_add_up(inside, sums):
    labels, embeddings = texts(inside)
    moments = HeadMoments.of(sums, inside.tower.identity)
    seen = tokens.look_inside(inside, photo())
    most, least = photo_texts(seen, moments, labels, embeddings, 10, 2)
    span = text_span(moments.stand_ins(inside, 10, 2, list(range(8))), embeddings, 60)
    own = span.coefficients(inside.shares.heads(seen.parts.sums)[0, 10, 2])
    assert most.coefficient == pytest.approx(float(own.max()), rel=1e-4)
    assert least.coefficient == pytest.approx(float(own.min()), rel=1e-4)
    classes = torch.nn.functional.normalize(
        inside.vocabulary.embeddings[: inside.vocabulary.n_classes].double(), dim=-1
    )
    direction = embeddings[labels.index(most.text)].double() - classes.mean(dim=0)
    length = seen.output.double().norm()
    wanted = float(inside.shares.heads(seen.parts.sums)[0, 10, 2].double() @ direction / length)
    assert most.tokens.total == pytest.approx(wanted, abs=1e-5)
    rows = most.as_rows()
    assert len(rows) == 8 * 8 + 1
    assert sum(row["score"] for row in rows) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.slow
def test_words_of_another_network_or_of_no_head_are_refused(inside, sums):
    labels, embeddings = texts(inside)
    moments = HeadMoments.of(sums, "of other weights")
    with pytest.raises(UnitsError, match="other weights"):
        head_words(inside, moments, labels, embeddings, 0, 0)
    with pytest.raises(UnitsError, match="layers 0 to 11 with heads 0 to 5"):
        head_words(inside, moments, labels, embeddings, 12, 0)


@pytest.mark.slow
def test_the_shipped_moments_are_of_the_network_that_ships(real_bench, inside):
    moments = shipped_moments(inside, real_bench.settings)
    assert moments.images == 4000
    labels, embeddings = texts(inside, 500)
    found = head_words(inside, moments, labels, embeddings, 11, 0, size=10)
    assert found.images == 4000
    assert len(found.words) == 10
    assert all(0 <= word.stability <= 1 for word in found.words)
    assert found.stable >= 1
    assert found.name in found.sentence


@pytest.mark.slow
def test_a_classifier_on_the_same_tower_has_the_same_moments_under_its_own_head(real_bench):
    classifier = open_inside(real_bench, "mini", "vits")
    moments = shipped_moments(classifier, real_bench.settings)
    labels, embeddings = texts(classifier, 500)
    found = head_words(classifier, moments, labels, embeddings, 11, 0, size=3)
    assert found.images == 4000
    assert not moments.are_of("another")
    with pytest.raises(UnitsError, match="recorded inside vits"):
        shipped_moments(
            replace(classifier, shares=Shares(replace(classifier.tower, identity="another"))),
            real_bench.settings,
        )


@pytest.mark.slow
def test_what_a_person_recorded_of_a_network_is_found_again_until_another_set_is(
    inside, sums, real_bench, tmp_path
):
    settings = real_bench.settings.model_copy(update={"cache_dir": tmp_path / "cache"})
    other = replace(inside, shares=Shares(replace(inside.tower, identity="b" * 64)))
    mine = HeadMoments.of(sums, "b" * 64, {"set": "crops"})
    assert keep_moments(mine, other, settings)
    found = shipped_moments(other, settings)
    assert (found.details, found.images) == ({"set": "crops"}, 40)
    few = HeadMoments.of(sliced(sums, slice(0, 9)), "b" * 64, {"set": "few"})
    assert keep_moments(few, other, settings)
    assert shipped_moments(other, settings).images == 9
    # Another network's are not its own, and what ships goes before what was recorded here.
    with pytest.raises(UnitsError, match="No set of images was recorded"):
        shipped_moments(
            replace(inside, shares=Shares(replace(inside.tower, identity="c" * 64))), settings
        )
    crops = HeadMoments.of(sums, inside.tower.identity, {"set": "crops"})
    assert not keep_moments(crops, inside, settings)
    assert shipped_moments(inside, settings).images == 4000
    path = kept_path(settings, other)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(StaleArtefactError):
        shipped_moments(other, settings)


@pytest.mark.slow
def test_the_command_that_records_images_leaves_words_for_the_page(
    inside, real_bench, capsys, tmp_path
):
    for sample in SAMPLES[:3]:
        (tmp_path / sample.file).write_bytes(sample_bytes(sample.name))
    other = replace(inside, shares=Shares(replace(inside.tower, identity="d" * 64)))
    with pytest.raises(UnitsError, match="No set of images was recorded"):
        shipped_moments(other, real_bench.settings)
    made = unit_words._moments(real_bench, other, tmp_path, quiet=True)
    assert "The Units page describes the heads of mini-vit" in capsys.readouterr().err
    found = shipped_moments(other, real_bench.settings)
    assert found.details == made.details
    assert (found.images, found.details["set"]) == (3, tmp_path.name)
    torch.testing.assert_close(found.alike, made.alike)


@pytest.mark.slow
def test_images_of_which_none_can_be_used_are_refused(inside, real_bench, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no image")
    with pytest.raises(ImageSetError, match="None of the images of"):
        unit_words._moments(real_bench, inside, tmp_path, quiet=True)


@pytest.mark.slow
def test_two_networks_with_one_tower_are_told_from_two_that_differ(inside, real_bench):
    check_same(inside, open_inside(real_bench, "mini", "vits"))
    shares = Shares(replace(inside.tower, begin=lambda batch: moved(inside.tower.begin(batch))))
    with pytest.raises(UnitsError, match="has not the tower"):
        check_same(inside, replace(inside, shares=shares))


def moved(begun):
    tokens, turns = begun
    return tokens * 1.01, turns


def test_what_is_recorded_is_kept_and_comes_back(real_bench, inside, tmp_path):
    for sample in SAMPLES[:3]:
        (tmp_path / sample.file).write_bytes(sample_bytes(sample.name))
    (tmp_path / "broken.png").write_bytes(b"no image")
    first = record(real_bench, inside, tmp_path)
    assert (len(first.images), len(first.problems)) == (3, 1)
    reports = []
    again = record(real_bench, inside, tmp_path, reports.append)
    torch.testing.assert_close(again.sums.heads, first.sums.heads, rtol=0, atol=0)
    assert all(done.under_way == 0 for done in reports)
    name = next(row.name for row in first.images if "chelsea" in row.name)
    place = [row.name for row in first.images].index(name)
    own = sums_of(inside.tower, inside.prepare(photo())[None])
    torch.testing.assert_close(first.sums.heads[place], own.heads[0], rtol=2e-2, atol=2e-3)


@pytest.mark.slow
def test_packing_is_undone(inside, sums):
    network = UnitNetwork(inside.tower, inside.prepare)
    batch = inside.prepare(photo())[None]
    packed = network.features(batch)
    assert packed.shape == (1, network.feature_dim)
    found, own = unpacked(inside.tower, packed), sums_of(inside.tower, batch)
    for name in Sums.__slots__:
        torch.testing.assert_close(getattr(found, name), getattr(own, name))


@pytest.fixture(scope="module")
def planted():
    """A head that reads the first ten of forty features; texts along single features."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.zeros(10, 40)
    weight[:, :10] = torch.randn(10, 10, generator=generator)
    features = torch.randn(200, 40, generator=generator) * 0.1
    features[:, 25] += 3 * torch.randn(200, generator=generator)  # hidden
    features[:, 4] += 5 * torch.randn(200, generator=generator)  # read
    translator = Translator(torch.eye(40), torch.zeros(40))
    return features, LinearHead.from_weight(weight), translator


def test_a_planted_null_attribute_is_the_first_word_of_the_null_space(planted):
    features, linear, translator = planted
    names = [f"text {k}" for k in range(40)]
    null, principal, random = null_words(features, linear, translator, names, torch.eye(40), size=3)
    assert (null.words[0].text, principal.words[0].text) == ("text 25", "text 4")
    assert null.words[0].stability == 1.0
    assert null.words[0].gain > 0.9
    assert null.dim == random.dim == 30
    low, high = random.shares
    assert null.share < low <= random.share <= high < 1
    assert low < high, "one random subspace is not the next"
    least, most = random.explained_of_all
    assert null.explained < least <= random.explained <= most
    said = sentence((null, principal, random), "this set")
    ends = f"less than in any of 19 random subspaces as large ({100 * least:.1f} to "
    assert ends in said
    assert f"{100 * null.share:.1f} % of what varies in meaning, less than in any of 19" in said
    row, other = random.as_rows()[0], null.as_rows()[0]
    assert (row["variance_low"], row["explained_high"]) == (low, most)
    assert (other["variance_low"], other["explained"]) == (None, null.explained)
    assert "“text 25”" in said


def test_a_null_space_that_has_more_of_the_meaning_than_random_ones_is_said_to(planted):
    features, linear, translator = planted
    hidden = features.clone()
    hidden[:, 4] *= 0.02
    names = [f"text {k}" for k in range(40)]
    found = null_words(hidden, linear, translator, names, torch.eye(40), size=3)
    assert found[0].share > found[2].shares[1]
    assert "of what varies in meaning, more than in any of 19 random" in sentence(found, "it")
    same = replace(found[0], share=sum(found[2].shares) / 2)
    assert "in meaning, within what 19 random" in sentence((same, *found[1:]), "it")


def test_shuffled_texts_explain_less_than_planted_ones(planted):
    features, linear, translator = planted
    names = [f"text {k}" for k in range(40)]
    generator = torch.Generator().manual_seed(1)
    shuffled = torch.nn.functional.normalize(torch.randn(40, 40, generator=generator), dim=-1)
    own = null_words(features, linear, translator, names, torch.eye(40), size=1)[0]
    other = null_words(features, linear, translator, names, shuffled, size=1)[0]
    assert other.words[0].gain < 0.6 * own.words[0].gain


def test_an_empty_null_space_and_too_few_images_are_said(real_bench, planted):
    features, linear, translator = planted
    with pytest.raises(ImageSetError, match="at least 4"):
        null_words(features[:3], linear, translator, ["a"], torch.eye(40)[:1], where="Cats")
    whole = LinearHead.from_weight(torch.eye(40))
    found = null_words(features, whole, translator, ["a", "b"], torch.eye(40)[:2])
    assert found[0].words == ()
    assert "Nothing of it is hidden" in sentence(found, "it")
    asked = real_bench, "embedded", "vits", "mini", WHOLE_HEAD, ["a"], torch.eye(512)[:1]
    with pytest.raises(ImageSetError, match="no null space"):
        words_of_set(*asked)


@pytest.mark.slow
def test_a_class_of_a_set_is_named_and_others_are_refused(real_bench):
    vocabulary = real_bench.vocabulary("mini")
    names = vocabulary.labels[:100]
    embeddings = torch.nn.functional.normalize(vocabulary.embeddings[:100].float(), dim=-1)
    asked = real_bench, "embedded", "lite0", "mini", HeadVariant(), names, embeddings
    found, said = words_of_set(*asked, class_name="goldfish", size=2)
    assert [part.subspace for part in found] == ["null", "principal", "random"]
    assert "“goldfish” (16 images) to EfficientNet-Lite0" in said
    with pytest.raises(ImageSetError, match="no class of ImageNet"):
        words_of_set(*asked, class_name="unicorns of old")
    with pytest.raises(ImageSetError, match="No prepared set"):
        words_of_set(real_bench, "nowhere", *asked[2:])


def test_asking_whether_a_set_was_recorded_leaves_nothing_behind(tmp_path):
    images, cache = tmp_path / "images", tmp_path / "cache"
    images.mkdir()
    photo().save(images / "cat.png")
    bench = SimpleNamespace(settings=SimpleNamespace(cache_dir=cache))
    tower = SimpleNamespace(name="a tower", identity="0" * 8)
    inside = SimpleNamespace(tower=tower, prepare=None)
    assert were_recorded(bench, inside, images) == (False, 1)
    assert not cache.exists()


COMMANDS = {
    "units": ["units", "{photo}", "--reference", "mini-vit"],
    "tokens": ["units", "{photo}", "--reference", "mini-vit", "--tokens"],
    "head-texts": ["head-texts", "{photo}", "--layer", "11", "--head", "0", "--texts", "{texts}"],
    "ledger": ["ledger", "{photo}", "--model", "vits", "--reference", "mini", "--top", "3"],
    "token-map": ["token-map", "{photo}", "--prompt", "a cat", "--out", "{folder}/map.png"],
    "segment": ["segment", "{photo}", "--out", "{folder}/cut"],
    "text-span": ["text-span", "--layer", "11", "--head", "0", "--size", "4", "--texts", "{texts}"],
    "null-words": ["null-words", "--class", "goldfish", "--size", "2", "--texts", "{texts}"],
}
KEYS = {
    "units": {"unit", "norm", "null_share", "score"},
    "tokens": {"unit", "norm", "null_share", "score"},
    "head-texts": {"end", "text", "coefficient", "row", "column", "score"},
    "ledger": {
        "unit",
        "null_share",
        "null_fraction",
        "attribute_score_deg",
        "linear_share_deg",
        "null_norm",
        "principal_norm",
    },
    "token-map": {"row", "column", "score"},
    "segment": {"image", "label", "threshold"},
    "text-span": {"rank", "text", "gain", "stability", "explained", "shuffled", "bound"},
    "null-words": {"subspace", "rank", "text", "gain", "stability", "variance_low", "explained"},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("token-map", "{photo}", "--unit", "foo"), "foo"),
        (("token-map", "{photo}", "--classes", "0-2000"), "0-2000 is no range of classes"),
        (("token-map", "{photo}", "--against", "\u200b"), "prompt"),
        (("ledger", "{photo}", "--classes", "unicorn"), "“unicorn” is no class of this head"),
        (("text-span", "--layer", "11", "--head", "99"), "There is no head 99"),
        (("head-texts", "{photo}", "--layer", "11", "--head", "99"), "There is no head 99"),
        (("head-properties", "--layer", "99"), "in layer 99"),
        (("null-words", "--class", "unicorns of old"), "no class of ImageNet"),
    ],
)
def test_a_wrong_name_is_refused_before_anything_is_computed_or_printed(
    words, said, real_bench, monkeypatch, capsys, tmp_path
):
    for module in (units, unit_words):
        monkeypatch.setattr(module, "open_bench", lambda settings: real_bench)
    monkeypatch.setattr(tokens, "look_inside", None)  # calling any of them would fail
    monkeypatch.setattr(unit_words, "_moments", None)
    for module in (unit_words, head_texts):
        monkeypatch.setattr(module, "pool_of", None)
    path = tmp_path / "cat.png"
    photo().save(path)
    code = exit_code(monkeypatch, *(word.format(photo=path) for word in words))
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1, "one sentence alone"


@pytest.mark.slow
@pytest.mark.parametrize("name", list(COMMANDS))
def test_commands_print_their_rows(name, real_bench, monkeypatch, capsys, tmp_path):
    for module in (units, unit_words):  # what is loaded already serves
        monkeypatch.setattr(module, "open_bench", lambda settings: real_bench)
    path, texts = tmp_path / "cat.png", tmp_path / "texts.txt"
    photo().save(path)
    texts.write_text("a red photo\na dog\nat night\na drawing\nunder water\nmany people\n", "utf-8")
    words = [word.format(photo=path, folder=tmp_path, texts=texts) for word in COMMANDS[name]]
    code = exit_code(monkeypatch, *words, "--json")
    out, err = capsys.readouterr()
    assert code == 0, err
    rows = [json.loads(line) for line in out.splitlines()]
    assert KEYS[name] <= rows[0].keys()
    if name == "tokens":
        assert {"embedding", "class token", "token 0,0", "token 7,7", "L11.MLP"} <= {
            row["unit"] for row in rows
        }
    if name == "head-texts":
        assert {row["end"] for row in rows} == {"most", "least"}
        assert len(rows) == 2 * (8 * 8 + 1)
    if name in ("units", "tokens"):
        assert rows[-1]["unit"] == "residual"
        assert rows[-1]["norm"] <= 1e-5
        shares = [row["null_share"] for row in rows if row["null_share"] is not None]
        assert sum(shares) == pytest.approx(1, abs=1e-5)
    if name == "segment":
        with Image.open(tmp_path / "cut" / "cat.png") as cut:
            assert (cut.size, cut.mode) == (photo().size, "L")
