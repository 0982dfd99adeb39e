"""``python -m benchmarks.killed``: a hundred kill -9 at random moments, and nothing is wrong.

Sets are prepared, translators fitted, pictures drawn and pages served; each is killed as a power
cut would, begun again on what was left, and in the end compared with what an undisturbed run gives,
byte for byte. After every kill each file that is there under its own name must be a whole one.
Prints one JSON object, and a sentence beside it; the exit code is 1 where anything differed.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.killing import server
from benchmarks.killing.works import WORKS, Work, base_cache, prepare_imports, seen
from sing_core.files.samples import sample_bytes
from tests.prepared_sets import parquet

_SHARES = {"prepare": 0.4, "fit": 0.2, "render": 0.25, "server": 0.15}
_IMAGES = 64


@dataclass
class Found:
    """What became of the kills of one work."""

    kills: int = 0
    finished: int = 0
    whole_s: float = 0.0
    faults: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.killed", description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="how many (100)")
    parser.add_argument("--seed", type=int, default=15, help="chooses the moments (15)")
    parser.add_argument("--work", nargs="*", choices=list(_SHARES), default=list(_SHARES))
    options = parser.parse_args()
    chance = random.Random(options.seed)
    shares = {name: _SHARES[name] for name in options.work}
    counts = {
        name: max(1, round(options.kills * share / sum(shares.values())))
        for name, share in shares.items()
    }
    prepare_imports()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        base_cache(place / "cache")
        parquet(place / "images.parquet", _IMAGES)
        (place / "photo.png").write_bytes(sample_bytes("chelsea"))
        found = {
            name: server.killed(place, count, chance, Found())
            if name == "server"
            else killed(place, WORKS[name], count, chance)
            for name, count in counts.items()
        }
    say(found)


def say(found: dict[str, Found]) -> None:
    """Print what was found; leave with 1 where anything was wrong."""
    faults = [f"{name}: {fault}" for name, one in found.items() for fault in one.faults]
    kills = sum(one.kills for one in found.values())
    told: dict[str, Any] = {
        "kills": kills,
        "by_work": {
            name: {
                "kills": one.kills,
                "came_to_their_end": one.finished,
                "undisturbed_s": round(one.whole_s, 2),
            }
            for name, one in found.items()
        },
        "faults": faults,
    }
    sys.stdout.write(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    works = ", ".join(f"{name} {one.kills}" for name, one in found.items())
    ends = sum(one.finished for one in found.values())
    sys.stderr.write(
        f"{kills} kills at random moments ({works}): {ends} times the work then came to its end "
        f"and was compared byte for byte; {len(faults)} faults.\n"
    )
    sys.exit(1 if faults else 0)


def killed(place: Path, work: Work, count: int, chance: random.Random) -> Found:
    """Kill a work ``count`` times; whenever it comes to its end, compare, and begin anew."""
    found = Found()
    run(place, work, None)  # what everybody needs is made: the reference, heads
    work.forget(place)
    began = time.monotonic()
    if not run(place, work, None):
        found.faults.append("the undisturbed run failed")
        return found
    found.whole_s = time.monotonic() - began
    whole = seen(place, work)
    work.forget(place)
    while found.kills < count and not found.faults:
        after_s = chance.uniform(0.05, 1.0) * found.whole_s
        ended = run(place, work, after_s)
        found.kills += not ended
        found.faults += differences(seen(place, work), whole, ended=ended)
        if ended:
            found.finished += 1
            work.forget(place)
    if not run(place, work, None):
        found.faults.append("what a kill left could not be gone on with")
    found.finished += 1
    found.faults += differences(seen(place, work), whole, ended=True)
    return found


def differences(there: dict[str, Any], whole: dict[str, Any], *, ended: bool) -> list[str]:
    """Return which files are other than those of the undisturbed run; missing ones if ``ended``."""
    faults = [f"{name} differs" for name, content in there.items() if whole.get(name) != content]
    return faults + [f"{name} is missing" for name in whole if ended and name not in there]


def run(place: Path, work: Work, after_s: float | None) -> bool:
    """Do the work in a process of its own; return whether it came to its end.

    It is killed ``after_s`` seconds after it began; None lets it be.

    Raises:
        RuntimeError: it failed by itself.
    """
    process = os.fork()
    if not process:
        _become(place, work)
    began = time.monotonic()
    while True:
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            if code := os.waitstatus_to_exitcode(status):
                raise RuntimeError((place / "log").read_text(errors="replace")[-2000:] or str(code))
            return True
        if after_s is not None and time.monotonic() - began > after_s:
            os.kill(process, 9)
            os.waitpid(process, 0)
            return False
        time.sleep(0.002)


def _become(place: Path, work: Work) -> None:
    """Do the work in this process and end it."""
    log = os.open(place / "log", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.environ["SING_CACHE_DIR"] = str(place / "cache")
    code = 1
    try:
        work.do(place)
        code = 0
    except BaseException:  # whatever it was, this process is no second parent
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
