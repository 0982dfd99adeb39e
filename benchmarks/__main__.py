"""``python -m benchmarks``: measure everything, print a table, write ``benchmarks/latest.json``.

Names of benchmarks as arguments run those alone.
"""

import json
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import (
    bulk_scoring,
    controls,
    extraction,
    head_split,
    multiverse,
    preparing,
    ridge,
    served,
    sweep,
    text_span,
    units,
)
from benchmarks.timing import Line

ALL = {
    "sweep": sweep,
    "text_span": text_span,
    "units": units,
    "head_split": head_split,
    "ridge": ridge,
    "extraction": extraction,
    "bulk_scoring": bulk_scoring,
    "preparing": preparing,
    "controls": controls,
    "multiverse": multiverse,
    "served": served,
}
LATEST = Path(__file__).with_name("latest.json")


def main() -> None:
    console = Console()
    lines: list[Line] = []
    for name in sys.argv[1:] or ALL:
        with console.status(f"Measuring: {name}"):
            lines += ALL[name].lines()
    console.print(table_of(lines))
    busy = os.getloadavg()[0]
    if busy > 2 * (os.cpu_count() or 1):
        console.print(f"The machine was busy (load {busy:.1f}): measure again when it is quiet.")
    LATEST.write_text(json.dumps([line.as_row() for line in lines], indent=1) + "\n", "utf-8")
    missed = [line.name for line in lines if line.met is False]
    if missed:
        console.print("[red]Missed:[/red] " + "; ".join(missed))
        raise SystemExit(1)


def table_of(lines: list[Line]) -> Table:
    table = Table("what", "ours", "other", "ratio", "target", "met")
    for line in lines:
        unit = "GB" if line.unit == "GB" else "s"
        floor = line.unit == "x"
        wanted = (
            "" if line.target is None else f"{'≥' if floor else '≤'} {line.target:g} {line.unit}"
        )
        table.add_row(
            line.name,
            f"{line.ours_s:.4g} {unit}",
            "" if line.other_s is None else f"{line.other_s:.4g} s",
            "" if line.ratio is None else f"{line.ratio:.2f}",
            wanted,
            {True: "yes", False: "[red]no[/red]", None: ""}[line.met],
        )
    return table


main()
