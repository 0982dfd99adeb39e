"""Pools of descriptions: of the sizes they say, each text once, embedded once."""

import re

import pytest
import torch

from sing_core.errors import PromptError, TextListError, UnknownNameError, WeightsUnavailableError
from sing_core.files.store import Store
from sing_core.models import pool as pool_module
from sing_core.models import text_pools
from sing_core.models.text_pools import POOLS, own_pool, pool_embeddings, text_pool
from sing_core.models.workbench import Workbench
from sing_core.settings import Settings
from tests import toy

FEW = ("an image of three people", "A sky with stars", "the")


@pytest.fixture(scope="module")
def pools():
    return {name: text_pool(name, Settings()) for name in POOLS}


def test_pools_are_as_large_as_they_say(pools):
    assert len(pools["general"]) >= 3_500
    assert len(pools["words"]) == 10_000
    assert len(pools["classes"]) == 2_000


@pytest.mark.parametrize("name", POOLS)
def test_no_text_comes_twice_and_all_come_in_the_same_order(pools, name):
    texts = pools[name]
    assert len({text.casefold() for text in texts}) == len(texts)
    assert all(text and text == " ".join(text.split()) for text in texts)
    assert text_pool(name, Settings()) == texts


def test_general_descriptions_are_short_and_read_like_english(pools):
    texts = pools["general"]
    assert max(map(len, texts)) <= 80
    assert not [text for text in texts if "{" in text or ";" in text or text[0].islower()]
    wrong = [text for text in texts if re.search(r"\b(a|an|the) (a|an|the)\b", text, re.IGNORECASE)]
    wrong += [
        text for text in texts if re.search(r"\b[Aa] [aeio]|\b[Aa]n (?!X-ray)[^aeiouAEIOU]", text)
    ]
    assert wrong == []


def test_common_words_come_first_and_are_whole(pools):
    words = pools["words"]
    assert words[:5] == ("the", "and", "was", "for", "with")
    assert all(word.isalpha() and word.islower() and len(word) >= 3 for word in words)
    assert {"water", "red", "music"} <= set(words[:3000])


def test_classes_are_named_first_and_then_described(pools):
    texts = pools["classes"]
    assert texts[1] == "an image of a goldfish"
    assert "goldfish" not in texts[1001]
    assert "freshwater" in texts[1001]


def test_the_general_pool_without_its_file_is_an_error_that_names_it(tmp_path):
    with pytest.raises(WeightsUnavailableError, match=r"general\.toml was looked for"):
        text_pool("general", Settings(assets_dir=tmp_path))


@pytest.mark.parametrize("name", ["", "General", "../general", "nouns"])
def test_an_unknown_pool_is_an_error_that_says_what_there_is(name):
    with pytest.raises(UnknownNameError, match="There are: general, words, classes"):
        text_pool(name, Settings())


def test_a_persons_own_list_is_cleaned_and_each_text_kept_once(tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("A  red\tcar\n\na red car\nstripes\n", "utf-8")
    assert own_pool(path, Settings()).lines == ("A red car", "stripes")
    path.write_bytes(b"caf\xe9\n")
    found = own_pool(path, Settings())
    assert found.lines == ("café",)
    assert "Latin-1" in found.notes[0]
    path.write_text("x" * 400, "utf-8")
    with pytest.raises(PromptError, match="400 characters"):
        own_pool(path, Settings())
    with pytest.raises(TextListError, match="cannot be read"):
        own_pool(tmp_path / "none.txt", Settings())


@pytest.fixture
def bench(toy_assets, toy_reference, tmp_path):
    return toy.make_bench(Settings(assets_dir=toy_assets, cache_dir=tmp_path))


def test_embeddings_are_of_length_one_in_the_order_of_the_texts(bench, toy_reference):
    found = pool_embeddings(bench, "mini", FEW)
    assert found.dtype == torch.float32
    raw = toy_reference.embed_texts(FEW)
    torch.testing.assert_close(found, raw / raw.norm(dim=1, keepdim=True))


def test_they_are_kept_on_disk_and_found_again_by_the_texts_alone(
    bench, toy_reference, monkeypatch
):
    first = pool_embeddings(bench, "mini", FEW)
    assert toy_reference.asked == list(FEW)
    fresh = toy.make_bench(bench.settings)
    with monkeypatch.context() as patch:
        patch.setattr(pool_module, "load_reference", None)
        assert torch.equal(pool_embeddings(fresh, "mini", list(FEW)), first)
        centred = pool_embeddings(fresh, "centred:mini", FEW)
    assert not torch.allclose(centred, first)
    torch.testing.assert_close(centred.norm(dim=1), torch.ones(len(FEW)))
    other = pool_embeddings(fresh, "mini", FEW[::-1])
    torch.testing.assert_close(other, first.flip(0))
    assert toy_reference.asked == [*FEW, *FEW[::-1]]


@pytest.mark.slow
def test_texts_embedded_otherwise_are_not_found(bench, toy_reference, monkeypatch):
    pool_embeddings(bench, "mini", FEW)
    monkeypatch.setattr(text_pools, "_VERSION", "next")
    pool_embeddings(bench, "mini", FEW)
    assert toy_reference.asked == [*FEW, *FEW]


def test_an_unknown_reference_is_an_error(bench):
    with pytest.raises(UnknownNameError):
        pool_embeddings(bench, "nobody", FEW)


@pytest.mark.slow
def test_the_shipped_reference_tells_what_the_general_pool_says(real_bench):
    texts = text_pool("general", real_bench.settings)
    some = texts[::40]
    found = pool_embeddings(real_bench, "mini", some)
    assert found.shape[0] == len(some)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(len(some)))
    alike = found @ found.mT - 2 * torch.eye(len(some))
    assert float(alike.max()) < 1 - 1e-4


@pytest.mark.slow
def test_whoever_waits_hears_how_far_the_reading_is_and_only_the_first_time(real_bench, tmp_path):
    bench = Workbench(real_bench.settings, real_bench.pool, Store(tmp_path))
    texts, heard = [f"a photo of {n} dogs" for n in range(150)], []
    pool_embeddings(bench, "mini", texts, lambda *now: heard.append(now))
    assert len(heard) > 1
    assert heard == sorted(heard)
    assert {total for _, total in heard} == {150}
    assert heard[-1] == (150, 150)
    heard.clear()
    pool_embeddings(bench, "mini", texts, lambda *now: heard.append(now))
    assert heard == []
