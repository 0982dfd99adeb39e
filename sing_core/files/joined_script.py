"""The modules of a front end as one script.

Streamlit hands a component's JavaScript to the browser as one ``blob:`` module, where a relative
import leads nowhere; its folders of assets are for installed packages only. So the modules, which
Node and an editor read as they are, are joined here: each becomes one function around its own
names, in the order in which they need each other, and only the last one is left open.
"""

import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{ (\w+(?:, \w+)*) \} from "\./([a-z]+)\.mjs";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:function|const) (\w+))", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)


def joined_script(entry: Path) -> str:
    """Join ``entry`` and the modules of its folder that it needs; its default export stays one.

    Raises:
        ValueError: A module imports or exports in another way than ``import { a, b } from
            "./name.mjs";`` on one line and ``export`` before ``function`` or ``const``, imports
            what is not exported, or needs itself.
    """
    sources: dict[str, str] = {}
    _collect(entry, sources, ())
    _check_names(sources)
    *needed, last = sources
    pieces = [_closed(name, sources[name]) for name in needed]
    return "\n".join([*pieces, _body(last, sources[last], allowed="export default function ")])


def _collect(path: Path, sources: dict[str, str], above: tuple[str, ...]) -> None:
    """Add a module to ``sources``, after all that it needs."""
    if path.stem in above:
        raise ValueError(f"The modules {' → '.join((*above, path.stem))} go round in a circle.")
    source = path.read_text(encoding="utf-8")
    for match in _IMPORT.finditer(source):
        _collect(path.with_name(f"{match[2]}.mjs"), sources, (*above, path.stem))
    sources.setdefault(path.stem, source)


def _check_names(sources: dict[str, str]) -> None:
    for name, source in sources.items():
        for match in _IMPORT.finditer(source):
            missing = sorted(set(match[1].split(", ")) - set(_EXPORT.findall(sources[match[2]])))
            if missing:
                raise ValueError(
                    f"{match[2]}.mjs does not export {', '.join(missing)} to {name}.mjs."
                )


def _closed(name: str, source: str) -> str:
    exported = ", ".join(_EXPORT.findall(source))
    return f"const ${name} = (() => {{\n{_body(name, source)}return {{ {exported} }};\n}})();\n"


def _body(name: str, source: str, *, allowed: str | None = None) -> str:
    body = _EXPORT.sub("", _IMPORT.sub(r"const { \1 } = $\2;", source))
    for line in _OTHER.findall(body):
        if allowed is None or not line.startswith(allowed):
            raise ValueError(f"This line of {name}.mjs cannot be joined: {line}")
    return body
