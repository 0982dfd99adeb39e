"""The command that a page of tables offers, pasted into a shell: it prints that page's table."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from pages._view import commands
from pages._view.tables import classes, concepts
from sing_core.leakage.class_filter import NOTHING_LEFT, ClassFilter
from tests.pages.driver import ROOT, App

HOSTILE = (
    "carpenter's \"kit\"", "$(touch pwned) `touch pwned`; touch pwned", "--json", "-x && \\",
    "ﬁsh – Übergröße 魚 🐟", "!! #{} *", "two\nlines",
)  # fmt: skip


def opened(name, panel="", **query):
    """Open a page with its command, or that of one of its panels, unfolded."""
    return App.at_page(name, unfolded=[panel or name], **query)


def copied(app):
    (code,) = app.at.code
    return code.value


def table(app, column):
    (found,) = (d.value for d in app.at.dataframe if d.value.columns[0] == column)
    return found


@pytest.fixture
def shell(tmp_path):
    """Run text in a shell in an empty folder; nothing but what is put there may be there after."""

    def run(text, **environment):
        there = sorted(tmp_path.iterdir())
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", text],
            cwd=tmp_path,
            env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), **environment},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert sorted(tmp_path.iterdir()) == there
        return done

    return run


@pytest.fixture
def printed(shell):
    """Run a copied command and return its rows as a table."""

    def run(text):
        return pd.DataFrame(
            [json.loads(row) for row in shell(f"{text} --json").stdout.split("\n")[:-1]]
        )

    return run


def words_of(text, shell):
    """What a program is given that is called like this."""
    told = shell(f"python() {{ printf '%s\\0' \"$@\"; }}\n{text}").stdout
    return told.split("\0")[:-1]


def assert_same(shown, rows):
    said = {name: shown[name] == "yes" for name in ("untouched", "spurious") if name in shown}
    shown = shown.assign(**said)  # a page says it in words, --json as true and false
    assert list(shown.columns) == list(rows.columns)
    pd.testing.assert_frame_equal(shown, rows, check_dtype=False, rtol=0, atol=1e-9)


@pytest.mark.slow
def test_unfiltered_the_command_of_the_classes_has_no_filter_and_prints_the_table(printed):
    app = opened("classes")
    text = copied(app)
    assert text == "python -m sing_core classes --model lite0 --set embedded --order decided"
    shown = table(app, "class")
    assert len(shown) == 1000
    assert_same(shown, printed(text))


@pytest.mark.slow
def test_all_filters_together_are_in_the_command_and_change_no_p_value(printed):
    app = opened("classes", q=" AR", group="Other objects", least="2", model="lite1")
    text = copied(app)
    assert text == (
        "python -m sing_core classes --model lite1 --set embedded --search AR "
        "--group 'Other objects' --least 2 --order decided"
    )
    shown = table(app, "class")
    assert 1 < len(shown) < 200
    assert_same(shown, printed(text))
    every = table(opened("classes", model="lite1"), "class").set_index("class")
    assert_same(shown, every.loc[shown["class"]].reset_index())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("search", "group", "written"),
    [
        ("R's", "", "--search 'R'\"'\"'s'"),
        ("ﬁsh", "", "--search 'ﬁsh'"),
        ("n01443537", "", "--search n01443537"),
        ("", "Other mammals", "--group 'Other mammals'"),
    ],
)
def test_each_filter_alone_prints_the_table(printed, search, group, written):
    app = opened("classes", q=search, group=group)
    text = copied(app)
    assert f" {written} " in text
    assert_same(table(app, "class"), printed(text))


@pytest.mark.parametrize("text", HOSTILE)
def test_text_that_a_shell_would_run_stays_data(shell, text):
    asked = classes.command(ClassFilter(text, "Fish", 3), "lite0", "embedded")
    assert words_of(asked, shell) == [
        "-m", "sing_core", "classes", "--model", "lite0", "--set", "embedded",
        "--search", text, "--group", "Fish", "--least", "3", "--order", "decided",
    ]  # fmt: skip


@pytest.mark.slow
def test_a_search_of_hostile_text_finds_nothing_and_says_so(shell):
    hostile = "--least $(touch pwned)'\""
    app = opened("classes", q=hostile)
    assert [info.value for info in app.at.info] == [NOTHING_LEFT]
    done = shell(classes.command(ClassFilter(hostile), "lite0", "embedded") + " --json")
    assert (done.stdout, done.stderr.strip()) == ("", NOTHING_LEFT)


@pytest.mark.slow
def test_at_its_defaults_the_command_of_the_concepts_leaves_template_and_bound_out(printed):
    app = opened("concepts", list="goldfish\njellyfish\nlemon", of="all")
    text = copied(app)
    assert text == (
        "python -m sing_core concepts --model lite0 --set embedded "
        "--concept goldfish --concept jellyfish --concept lemon"
    )
    assert_same(table(app, "concept"), printed(text))


@pytest.mark.slow
def test_template_bound_class_and_hostile_concepts_are_in_the_command(printed):
    lines = ["goldfish", "$(touch pwned) `x`", 'a "dog\'s" bed', "--json", "魚 – Übergröße"]
    app = opened("concepts", list="\n".join(lines), of="goldfish", template="it's {}; ls")
    app.at.number_input(key="concepts.bound").set_value(0.5500001)
    app.at.button[0].click().run()
    text = copied(app)
    assert "--class goldfish --concept goldfish" in text
    assert text.endswith("--bound 0.5500001")
    shown = table(app, "concept")
    assert list(shown["concept"]) == lines
    assert shown["prompt"].iloc[0] == "it's goldfish; ls"
    assert_same(shown, printed(text))


@pytest.mark.slow
def test_an_uploaded_list_is_named_as_its_file(printed, tmp_path):
    name = "my $(list) 'of' fish.txt"
    (tmp_path / name).write_text("goldfish\nstingray\n", "utf-8")
    app = opened("concepts", of="goldfish")
    app.at.file_uploader(key="concepts.file").set_value(
        (name, (tmp_path / name).read_bytes(), "text/plain")
    )
    app.at.button[0].click().run()
    shown = table(app, "concept")
    assert list(shown["concept"]) == ["goldfish", "stingray"]
    assert_same(shown, printed(copied(app)))


def test_a_zero_byte_in_a_linked_template_is_the_space_that_the_page_reads(printed):
    asked = concepts.Asked("goldfish", None, "a\0big {}", concepts.OF_THE_VOCABULARY)
    text = concepts.command(asked, "lite0", "embedded", "")
    assert text.endswith("--template 'a big {}'")
    assert asked.parse().prompts == ("a big goldfish",)


@pytest.mark.slow
def test_the_page_says_where_its_bound_comes_from_and_how_to_change_it():
    app = opened("concepts", list="goldfish\nlemon")
    app.at.number_input(key="concepts.bound").set_value(0.25)
    app.at.button[0].click().run()
    (note,) = (caption for caption in app.captions if "As good as 0" in caption)
    assert "within ±0.25°" in note
    assert "is a fifth of the standard deviation" in note
    assert "over the 1,268 concepts of the reference’s own vocabulary" in note
    assert "changed in the form" in note
    assert app.query["bound"] == "0.25"
    linked = opened("concepts", list="goldfish\nlemon", bound="0.25")
    assert linked.at.number_input(key="concepts.bound").value == 0.25
    assert linked.at.dataframe[0].value.equals(app.at.dataframe[0].value)
    told = opened("concepts", list="goldfish\nlemon", bound="99")
    assert "The link asks for a bound that cannot be used" in told.warnings[0]


@pytest.mark.slow
def test_the_commands_of_compare_name_the_chosen_classifiers_in_order(printed):
    app = opened("compare", models="lite2,lite0")
    table_of, pairs_of = copied(app).split("\n")
    assert table_of == "python -m sing_core compare --model lite0 --model lite2 --set embedded"
    assert pairs_of == f"{table_of} --paired"
    assert_same(table(app, "model"), printed(table_of))
    assert set(printed(pairs_of)["first"]) | set(printed(pairs_of)["second"]) == {"lite0", "lite2"}


def test_another_reference_than_every_commands_default_is_named(monkeypatch):
    monkeypatch.setattr(commands.loaders, "reference", lambda: "ViT-L-14/openai")
    text = classes.command(ClassFilter(), "hf-hub:a/b", "my set")
    assert text == (
        "python -m sing_core classes --model hf-hub:a/b --set 'my set' "
        "--reference ViT-L-14/openai --order decided"
    )


def submit(app, text):
    (button,) = (found for found in app.at.button if text in found.label)
    button.click().run()
    return app


@pytest.mark.slow
def test_steering_towards_a_prompt_stays_on_the_page_and_its_command_prints_it(printed):
    app = submit(opened("compare", "compare.steer", models="lite0,lite1"), "Steer every image")
    text = copied(app.run())  # whatever is done next, the answer stays
    assert text == (
        "python -m sing_core compare --model lite0 --model lite1 --set embedded "
        "--prompt 'an image of a red fox' --image-score 40"
    )
    said = "\n".join(found.value for found in app.at.markdown)
    for row in printed(text).to_dict("records"):
        assert f"|AS| {row['abs_as']:.3f}° (95 %: {row['abs_as_low']:.3f}°" in said
        title = {"lite0": "EfficientNet-Lite0", "lite1": "EfficientNet-Lite1"}[row["model"]]
        turned = f"{row['feasible_image_score_deg']:.1f}° with {title} (|AS| "
        assert f"{turned}{row['feasible_abs_as']:.1f}° of {row['abs_as']:.1f}°)" in said
    assert said.index("No network that ends in a ReLU gives these features") < said.index(
        "**: |AS| "
    )


@pytest.mark.slow
def test_steering_a_class_towards_every_other_stays_and_its_command_prints_it(printed):
    app = submit(opened("classes", "classes.steer", **{"class": "goldfish"}), "Steer goldfish")
    text = copied(app.run())
    labels = [button.proto.label for button in app.at.get("download_button")]
    assert labels.count("Table (CSV)") == labels.count("Table (Parquet)") == 2
    assert "--steer goldfish --image-score 40" in text
    assert_same(table(app, "target"), printed(text))
    app.at.selectbox(key="classes.class").set_value("lemon").run()
    assert not [found for found in app.at.dataframe if found.value.columns[0] == "target"]


@pytest.mark.slow
def test_a_score_that_no_step_reaches_is_a_sentence():
    app = opened("classes", "classes.steer", **{"class": "goldfish"})
    app.at.number_input(key="classes.is").set_value(170.0)
    submit(app, "Steer goldfish")
    assert "No step brings any image of goldfish to IS = 170°." in [i.value for i in app.at.info]
