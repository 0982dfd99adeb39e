"""``python -m benchmarks.allocator``: forwards with and without ``sing_core.allocator``.

Two processes take turns on the same batch, one as it ships and one with glibc's own defaults, both
in a thread as the pages compute; the ratio of the best of three is printed.
"""

import json
import os
import subprocess
import sys
import threading
import time

from rich.console import Console

ROUNDS, FORWARDS, BATCH = 3, 20, 16


def main() -> None:
    took: dict[str, list[float]] = {"ships": [], "default": []}
    for _ in range(ROUNDS):
        for name, values in took.items():
            wish = {"MALLOC_ARENA_MAX": "0"} if name == "default" else {}
            words = [sys.executable, "-m", "benchmarks.allocator", "one"]
            done = subprocess.run(
                words, check=True, capture_output=True, text=True, env={**os.environ, **wish}
            )
            values.append(float(done.stdout))
    rates = {name: round(BATCH * FORWARDS / min(values), 1) for name, values in took.items()}
    ratio = round(rates["ships"] / rates["default"], 2)
    Console().print_json(json.dumps({"images_per_s": rates, "ratio": ratio}))


def _one() -> None:
    import torch

    from sing_core.models.backbones import load_backbone
    from sing_core.settings import Settings

    backbone = load_backbone("lite0", Settings())
    batch = torch.randn(BATCH, 3, 224, 224)

    def work() -> None:
        backbone.features(batch)
        started = time.perf_counter()
        for _ in range(FORWARDS):
            backbone.features(batch)
        print(time.perf_counter() - started)  # noqa: T201 - read by the process that asked

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


if __name__ == "__main__":
    _one() if sys.argv[1:] == ["one"] else main()
