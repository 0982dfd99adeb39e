"""Every import of the core runs down the floors, and there is no circle: by the syntax tree.

import-linter reads module-level imports as well; here lazy ones inside functions and those for type
checkers count alike, and ``app.py`` and ``serve.py``, which are no packages, are read too.
"""

import ast
import tomllib
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.shared_data import ROOT


def floors():
    """Room to floor, the lowest number on top: as import-linter's contract has them."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (layers,) = (
        contract["layers"]
        for contract in contracts["tool"]["importlinter"]["contracts"]
        if contract.get("containers") == ["sing_core"]
    )
    return {room.strip(): i for i, line in enumerate(layers) for room in line.split("|")}


FLOOR = floors()


def name_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


FILES = {name_of(path): path for path in sorted((ROOT / "sing_core").rglob("*.py"))}


def imported(tree, known):
    """Yield the modules of ``known`` that a syntax tree imports anywhere, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are banned"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in known else node.module for name in names]
        else:
            continue
        yield from ((name, node.lineno) for name in names if name in known)


def arrows(sources, known):
    return {
        (name, other, line)
        for name, text in sources.items()
        for other, line in imported(ast.parse(text), known)
        if other != name
    }


def upward(found):
    """Return the arrows between rooms that do not run down."""
    wrong = []
    for name, other, line in sorted(found):
        room, into = (part.split(".")[1] if "." in part else "" for part in (name, other))
        if room in FLOOR and into in FLOOR and room != into and FLOOR[into] <= FLOOR[room]:
            wrong.append(f"{name}:{line} -> {other}")
    return wrong


def circles(found):
    graph = {}
    for name, other, _ in found:
        graph.setdefault(name, set()).add(other)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


@pytest.fixture(scope="module")
def core():
    return arrows({name: path.read_text("utf-8") for name, path in FILES.items()}, FILES)


def test_every_file_lives_in_a_room_that_has_a_floor():
    rooms = {name.split(".")[1] for name in FILES if "." in name}
    assert rooms - {"__main__"} == set(FLOOR)


@pytest.mark.slow
def test_no_file_of_the_core_imports_one_above_it(core):
    assert upward(core) == []


@pytest.mark.slow
def test_there_is_no_circle_of_imports(core):
    assert circles(core) == []


@pytest.mark.slow
def test_lazy_imports_and_those_for_type_checkers_count(core):
    sources = {
        "sing_core.maths.head": "def f():\n    from sing_core.models import registry\n",
        "sing_core.files.images": "if TYPE_CHECKING:\n    import sing_core.maths.head\n",
        "sing_core.models.registry": "from sing_core.files.images import Photo\n",
    }
    found = arrows(sources, FILES)
    assert upward(found) == [
        "sing_core.files.images:2 -> sing_core.maths.head",
        "sing_core.maths.head:2 -> sing_core.models.registry",
    ]
    assert set(circles(found)) == set(sources)


@pytest.mark.slow
def test_only_the_command_line_starts_the_command_line(core):
    above = {name for name, other, _ in core if other.startswith("sing_core.cli")}
    assert {name for name in above if not name.startswith("sing_core.cli")} == {
        "sing_core.__main__"
    }


@pytest.mark.slow
def test_nothing_that_is_served_has_heard_of_the_making():
    served = [ROOT / "app.py", ROOT / "serve.py", *(ROOT / "pages").rglob("*.py")]
    assert len(served) > 30
    for path in served:
        for other, line in imported(ast.parse(path.read_text("utf-8")), FILES):
            assert not other.startswith("sing_core.making"), f"{path.name}:{line}"
    core = arrows({name: path.read_text("utf-8") for name, path in FILES.items()}, FILES)
    makers = {name for name, other, _ in core if other.startswith("sing_core.making")}
    assert all(name.startswith("sing_core.making") for name in makers)
