"""The command line refuses first, in whole sentences: before it prints, and before it computes."""

import re
from typing import get_args, get_type_hints

import pytest
from typer.models import OptionInfo

from sing_core.cli.app import app, show

ASK = ("--model", "lite0", "--prompt", "an image of a jellyfish")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("probe", "--model", "lite0", "--read", "foo"), "'foo' is not one of 'classes', 'groups'"),
        (("multiverse", "--dimension", "0"), "it must be at least 1"),
        (("multiverse", "--dimension", "-3"), "it must be at least 1"),
        (("multiverse", "--dimension", "many"), "it must be a whole number"),
        (("classes", "--model", "lite0", "--image-score", "nan"), "it must be at most 179"),
        (("head", "lite0", "--threshold", "2"), "it must be at most 1"),
    ],
)
def test_a_wrong_value_is_a_sentence_of_ours_and_says_what_is_asked_for(arguments, said, refusal):
    message = refusal(*arguments, kind="UsageError")
    assert message.endswith(f": {said}.")
    assert "Value error" not in message
    assert "Input should" not in message


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SING_DEVICE", "gpu", "it must be 'auto', 'cpu' or 'cuda'"),
        ("SING_THREADS", "0", "it must be at least 1"),
        ("SING_OFFLINE", "perhaps", "it must be true or false"),
        ("SING_RENDER_TIMEOUT_S", "soon", "it must be a number"),
    ],
)
def test_a_wrong_setting_is_named_with_what_it_must_be(name, value, said, refusal, monkeypatch):
    monkeypatch.setenv(name, value)
    assert refusal("models", kind="SettingsError") == f"{name} cannot be used: {said}."


def numbers():
    """Yield command, option and its bounds, of every option that is a number."""
    for command in app.registered_commands:
        for name, hint in get_type_hints(command.callback, include_extras=True).items():
            option = next((x for x in get_args(hint) if isinstance(x, OptionInfo)), None)
            kinds = re.findall(r"\b(?:int|float)\b", str(get_args(hint)[:1]))
            if option is not None and kinds:
                yield f"{command.callback.__name__} {name}", kinds[0], option


def test_every_number_that_can_be_typed_has_a_bound(run):
    run("models")  # imports every command
    found = list(numbers())
    assert len(found) > 30
    # Without an upper bound, a number that is not finite would pass as large.
    assert [
        name
        for name, kind, option in found
        if option.min is None or (kind == "float" and option.max is None)
    ] == []


@pytest.mark.slow
def test_a_file_that_is_not_there_is_refused_before_anything_is_loaded(
    refusal, photos, tmp_path, monkeypatch
):
    for module in ("photo", "units", "pictures", "pixels", "arrays", "validate", "evidence"):
        monkeypatch.setattr(f"sing_core.cli.{module}.open_bench", None)  # calling it would fail
    gone, out = tmp_path / "gone.png", ("--out", tmp_path / "out")
    for words in (
        ("score", photos[0], gone, *ASK),
        ("sweep", gone, *ASK),
        ("token-map", gone),
        ("segment", photos[0], gone, *out),
        ("render", photos[0], gone, *ASK, "--epsilon", 1, *out),
        ("pixels", gone, "--prompt", "a dog"),
        ("features", photos[0], gone, "--model", "lite0", *out),
        ("embed", "--image", gone, *out),
        ("validate", gone, "--model", "lite0"),
        ("nuisances", gone),
    ):
        assert "gone.png: No such file" in refusal(*words, kind="FileError")
    assert not (tmp_path / "out").exists()


def test_a_classifier_is_no_second_one_to_itself(refusal, photos, monkeypatch):
    for module in ("leakage", "pixels"):
        monkeypatch.setattr(f"sing_core.cli.{module}.open_bench", None)
    message = refusal("classes", "--model", "lite0", "--versus", "lite0")
    assert "lite0 is the first one itself" in message
    message = refusal("pixels", photos[0], "--prompt", "a dog", "--other", "lite0")
    assert "lite0 would look on at itself" in message


def test_a_table_for_people_has_words_where_json_has_literals(capsys):
    rows = [{"agrees": True, "far": False, "share": None, "dose": 0.2, "many": [None, True]}]
    show(rows, as_json=False)
    shown = capsys.readouterr().out
    assert shown.split() == [
        "agrees", "yes", "far", "no", "share", "–", "dose", "0.2", "many", "–,", "yes",
    ]  # fmt: skip
    show(rows, as_json=True)
    printed = '{"agrees": true, "far": false, "share": null, "dose": 0.2, "many": [null, true]}'
    assert capsys.readouterr().out.strip() == printed
