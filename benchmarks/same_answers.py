"""``python -m benchmarks.same_answers BEFORE [AFTER]``: do two checkouts answer the same?

Runs the commands below with ``--json`` in both checkouts, by this interpreter, on the sample photos
and on the embedded image set, each with its own cache; compares standard output, standard error,
exit code and what the files written hold, byte for byte. For changes that shall move code and no
answer. One thread: sums over two are rounded in another order from one process to the next. DuckDB
has threads of its own, so a table's last digit may differ between two runs of one checkout: what
differs is asked again, and is equal if both checkouts gave one answer in common.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from safetensors import safe_open

from sing_core.files.samples import SAMPLES, sample_bytes

TRIES = 6
JELLYFISH = "an image of a jellyfish"
_STEER = ("--prompt", JELLYFISH, "--model")
# {photos} is the folder of the sample photos, {out} a fresh folder whose files are compared too.
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("models",),
    ("renderers",),
    ("image-sets",),
    ("head", "lite0"),
    ("head", "lite1", "--classes", "0-14, jellyfish"),
    ("head", "lite2", "--threshold", "0.05"),
    ("head", "lite0", "--centred", "--costs"),
    ("score", "{photos}/chelsea.png", "{photos}/rocket.jpg", *_STEER, "lite0"),
    ("score", "{photos}/astronaut.png", *_STEER, "lite1", "--classes", "0-99"),
    ("score", "{photos}/coffee.png", "--prompt", "a blurry photo", "--model", "lite2"),
    ("steer", "{photos}/chelsea.png", *_STEER, "lite0", "--image-score", "40"),
    ("steer", "{photos}/rocket.jpg", *_STEER, "lite1", "--epsilon", "5"),
    ("steer", "{photos}/coffee.png", *_STEER, "lite2", "--image-score", "170"),
    ("steer", "{photos}/coffee.png", *_STEER, "lite0", "--epsilon", "5", "--threshold", "0.1"),
    ("sweep", "{photos}/chelsea.png", *_STEER, "lite0", "--steps", "41"),
    ("sweep", "{photos}/motorcycle_left.png", *_STEER, "lite1", "--centred"),
    ("features", "{photos}/chelsea.png", "--model", "lite0", "--out", "{out}/f.safetensors"),
    ("embed", "--text", "a red dog", "--out", "{out}/text.safetensors"),
    ("embed", "--image", "{photos}/rocket.jpg", "--out", "{out}/image.safetensors"),
    ("export", "--model", "lite0", "--out", "{out}/export.safetensors"),
    ("zero-shot", "{photos}/chelsea.png", "--classes", "{photos}/classes.txt", *_STEER[:2]),
    ("classes", "--model", "lite0"),
    ("classes", "--model", "lite1", "--group", "Dogs", "--least", "2", "--order", "decided"),
    ("classes", "--model", "lite0", "--steer", "n01443537"),
    ("compare",),
    ("compare", "--paired"),
    ("concepts", "--model", "lite0", "--class", "goldfish", "--list", "{photos}/concepts.txt"),
    ("score", "{photos}/nothing.png", *_STEER, "lite0"),
    ("score", "{photos}/chelsea.png", *_STEER, "lite9"),
    ("steer", "{photos}/chelsea.png", *_STEER, "lite0"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command left: exit code, what it printed, digests of the files it wrote."""

    code: int
    printed: bytes
    said: bytes
    files: tuple[tuple[str, str], ...]


def ask(checkout: Path, command: tuple[str, ...], photos: Path) -> Answer:
    with tempfile.TemporaryDirectory() as out:
        words = [word.format(photos=photos, out=out) for word in command]
        done = subprocess.run(
            [sys.executable, "-m", "sing_core", *words, "--json"],
            cwd=checkout,
            env={**os.environ, "SING_THREADS": "1", "OMP_NUM_THREADS": "1"},
            capture_output=True,
            check=False,
        )
        files = tuple((path.name, contents(path)) for path in sorted(Path(out).iterdir()))
        # The fresh folder has another name every time.
        printed, said = (text.replace(out.encode(), b"OUT") for text in (done.stdout, done.stderr))
        return Answer(done.returncode, printed, said, files)


def contents(path: Path) -> str:
    """Return a digest of tensors and facts; a file has its facts in an order left to chance."""
    digest = hashlib.sha256()
    with safe_open(path, framework="pt") as file:
        digest.update(repr(sorted((file.metadata() or {}).items())).encode())
        for name in sorted(file.keys()):
            value = file.get_tensor(name)
            digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
            digest.update(value.contiguous().numpy().tobytes())
    return digest.hexdigest()


def compare(
    checkouts: tuple[Path, Path], command: tuple[str, ...], photos: Path
) -> tuple[int, Answer]:
    """Return at which try the two had an answer in common, 0 for never, and the last answer."""
    known: tuple[set[Answer], set[Answer]] = (set(), set())
    last = None
    for turn in range(1, TRIES + 1):
        for answers, checkout in zip(known, checkouts, strict=True):
            last = ask(checkout, command, photos)
            answers.add(last)
        if known[0] & known[1]:
            return turn, last
    return 0, last


def main() -> None:
    before, after = Path(sys.argv[1]), Path(sys.argv[2] if len(sys.argv) > 2 else ".")
    say = Console(soft_wrap=True, markup=False, highlight=False)
    differing = 0
    with tempfile.TemporaryDirectory() as folder:
        photos = Path(folder)
        for sample in SAMPLES:
            (photos / sample.file).write_bytes(sample_bytes(sample.name))
        (photos / "classes.txt").write_text("cat\ndog\nrocket\ncup of coffee\n", "utf-8")
        (photos / "concepts.txt").write_text("gold\nwater\naquarium\na red photo\n", "utf-8")
        for command in COMMANDS:
            turn, new = compare((before, after), command, photos)
            differing += turn == 0
            digest = hashlib.sha256(new.printed + new.said).hexdigest()[:12]
            verdict = {0: "DIFFERS", 1: "equal"}.get(turn, f"equal{turn}")
            size = f"{len(new.printed) + len(new.said):>8} bytes"
            say.print(f"{verdict:8}exit {new.code}{size}  {digest}  {' '.join(command)}")
    say.print(f"{len(COMMANDS) - differing} of {len(COMMANDS)} commands answer the same.")
    raise SystemExit(differing > 0)


if __name__ == "__main__":
    main()
