"""Names the tests that failed in pytest's JUnit reports, its arguments, a few lines each.

`make test` runs the tests in two parts, and what the first one says is far above the end.
"""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

MOST = 12  # tests that are named; more of them have one cause
WIDE = 240  # characters of a message


def failures(report: Path) -> list[str]:
    """Where each failed or broken test of a report is, and the first line of what it says."""
    found = []
    for case in ET.parse(report).iter("testcase"):
        for kind in ("failure", "error"):
            for said in case.findall(kind):
                lines = (said.get("message") or said.text or kind).strip().splitlines()
                name = f"{case.get('classname', '')}::{case.get('name', '')}"
                found.append(f"{name}: {lines[0][:WIDE]}")
    return found


def main() -> None:
    """Read the reports; print what failed in them, or nothing."""
    reports = [Path(path) for path in sys.argv[1:]]
    missing = [f"{path.name}: no report, so pytest itself ended early" for path in reports
               if not path.is_file()]  # fmt: skip
    found = missing + [line for path in reports if path.is_file() for line in failures(path)]
    if found:
        print(f"{len(found)} failed in all:")  # noqa: T201
        print("\n".join(found[:MOST]))  # noqa: T201
        if len(found) > MOST:
            print(f"and {len(found) - MOST} more")  # noqa: T201


if __name__ == "__main__":
    main()
