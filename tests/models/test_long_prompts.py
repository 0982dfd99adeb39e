"""A prompt longer than the text tower's context: what is not read is said, and never merged."""

import json

import pytest
import torch

from sing_core.errors import PromptError
from sing_core.models.references import load_reference
from sing_core.settings import Settings
from sing_core.studies.export import write_embeddings
from sing_core.studies.photo import analyse_image, steer_image
from sing_core.studies.question import Question
from tests.shared_data import case
from tests.tiny_clip import tiny_clip

# Rare words are several tokens each; below the limit of 300 characters.
LONG = "an axolotl, a quokka, a pangolin and an okapi " * 5


@pytest.fixture(scope="module")
def mini(real_bench):
    return real_bench.pool.reference("mini")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiny") / "clip"
    tiny_clip(folder, 0)
    return load_reference(f"local-dir:{folder}", Settings(device="cpu"))


@pytest.mark.slow
@pytest.mark.parametrize("which", ["mini", "tiny"])
def test_words_that_change_nothing_are_named_and_no_others(which, request):
    reference = request.getfixturevalue(which)
    for short in ("a dog", "an image of a jellyfish.", "word " * 20 + "end"):
        assert reference.note_on(short) == ""
    words = [f"bird{i}" for i in range(60)]
    note = reference.note_on(" ".join(words))
    length = reference.tokenise(["a"]).shape[1]
    assert f"reads {length} tokens" in note
    check_left_out(reference, " ".join(words), note)


def check_left_out(reference, prompt, note):
    """Check that the end that a note names changes nothing, and one character more does."""
    left_out = note.split("“")[1].split("”")[0].removeprefix("…")
    assert prompt.endswith(left_out)
    read = prompt[: -len(left_out)].rstrip()
    whole = reference.embed_texts([prompt])
    assert torch.equal(reference.embed_texts([read]), whole)
    assert not torch.equal(reference.embed_texts([read[:-1]]), whole)


@pytest.mark.parametrize("which", ["mini", "tiny"])
@pytest.mark.parametrize(
    "prompt",
    [
        "红色的汽车和蓝色的天空" * 27,
        ",".join(["red", "green", "blue", "ochre"] * 16),
        "word " * 58 + "antidisestablishmentarianism",
        "word " * 74 + "antidisestablishmentarianism",
    ],
)
def test_an_end_without_blanks_is_named_by_its_characters(which, prompt, request):
    reference = request.getfixturevalue(which)
    rows = reference.tokenise(["a", prompt]), reference.tokenise(["a", prompt], context_length=2000)
    is_cut = bool((rows[0][1] != rows[1][1][: rows[0].shape[1]]).any())
    note = reference.note_on(prompt)
    assert bool("is left out" in note) == is_cut
    if is_cut and "the end of" not in note:
        check_left_out(reference, prompt, note)


@pytest.mark.parametrize("which", ["mini", "tiny"])
def test_words_without_blanks_that_differ_past_the_context_are_refused_together(which, request):
    reference = request.getfixturevalue(which)
    start = ",".join(["red", "green", "blue", "ochre"] * 15)
    with pytest.raises(PromptError, match=r"are read the same.*is left out"):
        reference.embed_texts([f"{start},dog", f"{start},cat"])


def test_words_that_a_reference_has_no_tokens_for_are_said_and_never_merged(mini):
    note = mini.note_on("a picture of ድመት")
    assert note == ("mini has no tokens for “ድመት”: it reads any such word as the same unknown one.")
    for first, second in (("ድመት", "ውሻ"), ("a 🫠 cat", "a 🫨 cat")):
        with pytest.raises(PromptError, match=r"are read the same\. mini has no tokens for"):
            mini.embed_texts([first, "a dog", second])
    assert mini.embed_texts(["ድመት", "ድመት"]).shape[0] == 2


def test_capitals_accents_and_points_are_no_difference(mini):
    prompts = ["a café", "A Cafe", "a  cafe", "a dog.", "a dog"]
    assert mini.embed_texts(prompts).shape[0] == 5


def test_prompts_that_differ_only_in_what_is_not_read_are_refused_together(mini):
    first, second = LONG + "and looks at the sea", LONG + "and looks at the land"
    assert len(second) < 300
    with pytest.raises(PromptError, match=r"are read the same.*is left out"):
        mini.embed_texts([first, "a dog", second])
    assert mini.embed_texts([first, first, "a dog"]).shape[0] == 3
    assert mini.embed_texts(["a dog", "A Dog"]).shape[0] == 2  # the same by the tokeniser's rules


def test_the_cases_people_brought(real_bench, tmp_path):
    path = case("prompt-past-context/prompts.txt")
    prompts = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
    assert len(prompts) == 2
    with pytest.raises(PromptError, match="are read the same"):
        write_embeddings(real_bench, [], prompts, "mini", tmp_path / "out.safetensors")
    row = write_embeddings(real_bench, [], prompts[:1], "mini", tmp_path / "out.safetensors")
    assert row["prompt_notes"][0].startswith("mini reads 64 tokens of a prompt: “")


@pytest.mark.slow
def test_a_report_and_a_steered_pair_say_it(real_bench, chelsea):
    question = Question("lite0", LONG, steps=3)
    report = analyse_image(real_bench, chelsea, question)
    assert report.prompt_note.startswith("mini reads 64 tokens")
    assert steer_image(real_bench, chelsea, question).prompt_note == report.prompt_note
    short = analyse_image(real_bench, chelsea, Question("lite0", "a red bird", steps=3))
    assert short.prompt_note == ""


@pytest.mark.slow
def test_the_command_line_says_it_in_json_and_in_words(real_bench, photos, monkeypatch, capsys):
    from sing_core.cli.main import main

    def run(*words):
        asked = ["sing_core", *words, str(photos[0]), "--model", "lite0", "--prompt", LONG]
        monkeypatch.setattr("sys.argv", asked)
        main()
        return capsys.readouterr()

    for command in (
        ("score", "--json"),
        ("steer", "--json", "--epsilon", "3"),
        ("sweep", "--json"),
    ):
        assert json.loads(run(*command).out)["prompt_note"].startswith("mini reads 64 tokens")
    found = run("sweep", "--steps", "3")
    assert found.err.startswith("mini reads 64 tokens")
    assert "mini reads" not in found.out
