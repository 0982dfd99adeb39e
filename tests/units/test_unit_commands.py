"""The commands that take networks apart: the rows they print, and wrong names refused at once."""

import json

import pytest
from PIL import Image

from sing_core.cli import head_texts, unit_words, units
from sing_core.units import tokens
from tests.benches import exit_code
from tests.units.photos import photo

COMMANDS = {
    "units": ["units", "{photo}", "--reference", "mini-vit"],
    "tokens": ["units", "{photo}", "--reference", "mini-vit", "--tokens"],
    "head-texts": ["head-texts", "{photo}", "--layer", "11", "--head", "0", "--texts", "{texts}"],
    "ledger": ["ledger", "{photo}", "--model", "vits", "--reference", "mini"],
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
    "text-span": {"rank", "text", "gain", "stability", "explained", "shuffled", "bound", "kinds"},
    "null-words": {"subspace", "rank", "text", "stability", "variance_low", "explained", "kinds"},
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
    if name == "ledger":
        assert sum(row["null_share"] for row in rows) == pytest.approx(1, abs=1e-5)
    if name == "text-span":
        pooled = "800 full photographs and 3,200 64-pixel images, pooled"
        assert (rows[0]["kinds"], rows[0]["images"]) == (pooled, 4_000)
        assert f"Over 4,000 images ({pooled})" in " ".join(err.split())
    if name in ("units", "tokens"):
        assert rows[-1]["unit"] == "residual"
        assert rows[-1]["norm"] <= 1e-5
        shares = [row["null_share"] for row in rows if row["null_share"] is not None]
        assert sum(shares) == pytest.approx(1, abs=1e-5)
    if name == "segment":
        with Image.open(tmp_path / "cut" / "cat.png") as cut:
            assert (cut.size, cut.mode) == (photo().size, "L")
