"""What is public is explained, and the words are the same everywhere."""

import ast
import re

import pytest

from pages._view.words.help import HELP, TERMS
from pages._view.words.method import ORIGINS
from sing_core.maths.linear_head import DRIFT_BUDGET
from tests.shared_data import ROOT

MODULES = sorted((ROOT / "sing_core").rglob("*.py"))
SHORT = [*MODULES, *sorted((ROOT / "pages").rglob("*.py")), ROOT / "app.py", ROOT / "serve.py"]


def public_definitions(tree, path):
    """Yield every public class, function and method with its qualified name."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            yield f"{path.stem}.{node.name}", node
            for part in node.body if isinstance(node, ast.ClassDef) else ():
                if isinstance(part, ast.FunctionDef) and not part.name.startswith("_"):
                    yield f"{path.stem}.{node.name}.{part.name}", part


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_everything_public_in_the_core_has_a_docstring(path):
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree), f"{path.name} does not say what it is"
    silent = [name for name, node in public_definitions(tree, path) if not ast.get_docstring(node)]
    assert silent == []


@pytest.mark.parametrize("path", SHORT, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_stay_short(path):
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 300
    long = [
        f"{node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno + 1 > 40
    ]
    assert long == []


def test_every_term_of_the_glossary_has_a_help_text():
    assert len(TERMS) >= 10
    assert {key for key in TERMS.values() if key not in HELP} == set()
    for key, text in HELP.items():
        assert text.strip().endswith("."), f"the help on {key} is not a sentence"
        assert len(text) < 400


def test_the_readme_knows_every_term_of_the_glossary():
    text = (ROOT / "README.md").read_text("utf-8").lower()
    # "Translator T" and "Image score (IS)" may be spelt without letter and abbreviation.
    words = {term: re.findall(r"[a-z]{4,}", term.lower()) for term in TERMS}
    assert {term: own for term, own in words.items() if not all(w in text for w in own)} == {}


def test_the_drift_budget_in_words_is_the_one_that_is_enforced():
    budget = f"{DRIFT_BUDGET:.0e}".replace("e-0", "e-")
    for text in (HELP["logit_drift"], ORIGINS, (ROOT / "README.md").read_text("utf-8")):
        assert f"{budget} of the largest" in " ".join(text.split())


def test_nothing_in_the_repository_names_a_place_of_one_machine():
    named = []
    for folder in ("sing_core", "pages", "benchmarks", "tests", "assets"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".py", ".toml", ".md", ".json", ".txt", ".mjs", ".css"}:
                text = path.read_text("utf-8")
                named += [f"{path.name}: {p}" for p in ("/wor" + "k/", "/hom" + "e/") if p in text]
    assert named == []


def test_every_link_and_every_path_that_the_readme_names_leads_somewhere():
    text = (ROOT / "README.md").read_text("utf-8")
    linked = re.findall(r"\]\(([^)#:]+)\)", text)
    table = text[text.index("| where do I put") :].split("\n\n", 1)[0]
    named = re.findall(r"`([a-z_]+/[\w./-]+)`", table)
    assert len(linked) >= 5
    assert len(named) >= 10
    # A file that a row has just named is spoken of by its room from then on.
    places = [ROOT, ROOT / "sing_core"]
    assert [p for p in linked + named if not any((place / p).exists() for place in places)] == []


def test_who_looks_for_a_prompt_template_is_sent_to_the_file_that_has_it():
    text = (ROOT / "README.md").read_text("utf-8")
    (row,) = (line for line in text.splitlines() if line.startswith("| a prompt template"))
    (named,) = re.findall(r"`([\w./-]+)`", row)
    assert re.search(r"^CLASS_TEMPLATE = ", (ROOT / named).read_text("utf-8"), re.MULTILINE)
    (room,) = (line for line in text.splitlines() if line.startswith("  models/ "))
    assert "prompt templates" in room


def test_the_table_of_what_people_bring_names_files_that_are_there_and_every_shared_case():
    text = (ROOT / "tests" / "README.md").read_text("utf-8")
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| ")][1:]
    named = [name for row in rows for name in re.findall(r"`([\w./-]+\.py)`", row[2])]
    assert len(named) > 30
    assert [name for name in named if not (ROOT / "tests" / name).is_file()] == []
    cases = ROOT.parent / "shared" / "cases"
    told = {name for row in rows for name in re.findall(r"`([\w-]+)`", row[0])}
    assert {path.name for path in cases.glob("*/")} <= told
