"""Writes requirements.lock from what pip says that it would install, its reports as arguments."""

import json
import sys
from pathlib import Path

HEAD = """\
# Every package of the app, exact and with the SHA-256 of its file, for {python} on {system}
# {machine}: what the image installs there. requirements.txt has the ranges, for everything else.
# Written by `make lock`.
"""


def main() -> None:
    """Read the reports; write one package a line, by name."""
    reports = [json.loads(Path(path).read_text("utf-8")) for path in sys.argv[1:]]
    found, lines = reports[0]["environment"], {}
    for part in [part for report in reports for part in report["install"]]:
        name, version = part["metadata"]["name"].lower(), part["metadata"]["version"]
        digest = part["download_info"]["archive_info"]["hashes"]["sha256"]
        lines[name.replace("_", "-")] = f"=={version} --hash=sha256:{digest}"
    python = f"{found['platform_python_implementation']} {found['python_version']}"
    system, machine = found["platform_system"], found["platform_machine"]
    sys.stdout.write(HEAD.format(python=python, system=system, machine=machine))
    sys.stdout.writelines(f"{name}{rest}\n" for name, rest in sorted(lines.items()))


if __name__ == "__main__":
    main()
