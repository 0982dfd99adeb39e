"""Scores where chosen classes decide are kept beside those that ship, and change none of them."""

import pytest

from sing_core.errors import ImageSetError
from sing_core.leakage import variant_scores
from sing_core.leakage.score_files import facts_of, score_path
from sing_core.leakage.variant_scores import under
from sing_core.maths.head_variants import HeadVariant
from tests.leakage.variants import table
from tests.prepared_sets import files_of

pytestmark = pytest.mark.slow  # sets are prepared


def test_the_scores_of_the_whole_head_and_everything_that_ships_stay_as_they_are(
    whole, toy_assets, settings
):
    shipped = {path: path.read_bytes() for path in toy_assets.rglob("*") if path.is_file()}
    before = files_of(whole.folder.path)
    found = under(whole, HeadVariant((0, 555), centred=True))
    assert files_of(whole.folder.path) == before
    assert {p: p.read_bytes() for p in toy_assets.rglob("*") if p.is_file()} == shipped
    assert whole.path == score_path(whole.folder.path, "lite0", "mini")
    assert whole.path.name == "scores-mini.parquet"
    assert found.path.parent == settings.cache_dir / "variant-scores"
    facts = facts_of(whole.path)
    more = {"classes": "0,555", "centred": "yes"}
    assert facts.keys().isdisjoint(more)
    assert facts_of(found.path) == facts | more


def test_they_are_computed_once_and_again_where_the_file_is_damaged(whole):
    variant, told = HeadVariant((0, 281)), []

    def ask():
        told.clear()
        return under(whole, variant, lambda done, total: told.append((done, total)))

    first = ask()
    assert told == [(0, 10), (5, 10), (10, 10)]
    payload = first.path.read_bytes()
    assert ask().path == first.path
    assert told == []
    first.path.write_bytes(payload[:-40])
    ask()
    assert told
    assert first.path.read_bytes() == payload


def test_what_is_stopped_on_the_way_leaves_no_file(whole, settings):
    variant, folder = HeadVariant((1, 281)), settings.cache_dir / "variant-scores"
    before = sorted(folder.glob("*")) if folder.exists() else []

    def stop(done, total):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        under(whole, variant, stop)
    assert {path.suffix for path in {*folder.glob("*")} - {*before}} <= {".lock", ""}
    assert len(table(under(whole, variant))) == 10


def test_the_oldest_go_first_where_many_were_asked_for(whole, monkeypatch):
    monkeypatch.setattr(variant_scores, "_MOST_FILES", 2)
    found = [under(whole, HeadVariant((index, 555))) for index in (0, 1, 281)]
    assert [scored.path.exists() for scored in found] == [False, True, True]


def test_a_cache_that_cannot_be_written_is_said(whole, settings, monkeypatch):
    def refuse(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(variant_scores, "write_scores", refuse)
    with pytest.raises(ImageSetError, match="cannot be kept: No space left on device"):
        under(whole, HeadVariant((0, 1)))
