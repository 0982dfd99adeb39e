"""The scrubber's modules are joined in the order in which they need each other, or not at all."""

import re

import pytest

from sing_core.files.joined_script import joined_script

ENTRY = 'import { b } from "./middle.mjs";\n\nexport default function show() {\n  return b();\n}\n'
MIDDLE = 'import { a, ONE } from "./base.mjs";\n\nexport function b() {\n  return a() + ONE;\n}\n'
BASE = "const hidden = 1;\nexport const ONE = hidden;\nexport function a() {\n  return 2;\n}\n"


@pytest.fixture
def joined(tmp_path):
    """Join the three modules above, or those that the test puts in their place."""

    def join(**changed):
        for name, text in {"entry": ENTRY, "middle": MIDDLE, "base": BASE, **changed}.items():
            (tmp_path / f"{name}.mjs").write_text(text, encoding="utf-8")
        return joined_script(tmp_path / "entry.mjs")

    return join


def test_modules_stand_after_what_they_need_and_keep_their_own_names(joined):
    assert joined() == (
        "const $base = (() => {\nconst hidden = 1;\nconst ONE = hidden;\n"
        "function a() {\n  return 2;\n}\nreturn { ONE, a };\n})();\n\n"
        "const $middle = (() => {\nconst { a, ONE } = $base;\n\n"
        "function b() {\n  return a() + ONE;\n}\nreturn { b };\n})();\n\n"
        "const { b } = $middle;\n\nexport default function show() {\n  return b();\n}\n"
    )


def test_a_module_that_two_need_stands_once(joined):
    both = ENTRY.replace("\n\n", '\nimport { a } from "./base.mjs";\n\n', 1)
    text = joined(entry=both)
    assert re.findall(r"^const \$(\w+)", text, re.MULTILINE) == ["base", "middle"]
    assert "const { a } = $base;" in text


def test_modules_in_a_circle_are_refused(joined):
    with pytest.raises(ValueError, match="entry → middle → base → middle go round in a circle"):
        joined(base='import { b } from "./middle.mjs";\n' + BASE)


def test_a_name_that_is_not_exported_is_refused(joined):
    with pytest.raises(ValueError, match=r"base\.mjs does not export hidden to middle\.mjs"):
        joined(middle=MIDDLE.replace("ONE }", "hidden }"))


@pytest.mark.parametrize(
    "line",
    [
        'import * as base from "./base.mjs";',
        'import { a as c } from "./base.mjs";',
        'import { a } from "../base.mjs";',
        'import "./base.mjs";',
        "export { a };",
        "export let two = 2;",
        "export default function again() {}",
    ],
)
def test_another_way_to_import_or_export_is_refused(joined, line):
    with pytest.raises(ValueError, match=re.escape(line)):
        joined(middle=f"{MIDDLE}{line}\n")


def test_a_module_that_is_missing_is_named(joined):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        joined(middle='import { a } from "./nowhere.mjs";\n')
