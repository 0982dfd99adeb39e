"""Two ways of doing one job, timed in turns; the best round of each counts."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Line:
    """One line of the table.

    ``ratio`` is how many times the other way's time ours takes less; ``target`` is its floor, or,
    where ``unit`` is not ``x``, the ceiling of ``ours_s`` (seconds, or GB).
    """

    name: str
    ours_s: float
    other_s: float | None
    ratio: float | None
    target: float | None
    unit: str = "x"

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.target is None:
            return None
        if self.unit == "x":
            return self.ratio is not None and self.ratio >= self.target
        return self.ours_s <= self.target

    def as_row(self) -> dict[str, Any]:
        return asdict(self)


def compare(
    name: str,
    ours: Callable[[], Any],
    other: Callable[[], Any],
    *,
    check: Callable[[Any, Any], None],
    target: float | None,
    rounds: int = 3,
    warm: bool = True,
) -> Line:
    """Time the two ways in turns; ``check`` raises if they did not do the same job."""
    if warm:
        ours()
    times: dict[str, list[float]] = {"ours": [], "other": []}
    results: dict[str, Any] = {}
    for _ in range(rounds):
        for who, job in (("ours", ours), ("other", other)):
            start = time.perf_counter()
            results[who] = job()
            times[who].append(time.perf_counter() - start)
    check(results["ours"], results["other"])
    best, rival = min(times["ours"]), min(times["other"])
    return Line(name, best, rival, rival / best, target)


def demand(condition: bool, what: str) -> None:
    """Raise unless two results are equally good: a faster wrong answer is no benchmark."""
    if not condition:
        raise ValueError(f"The two ways do not give the same: {what}.")
