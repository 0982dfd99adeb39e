"""Follows a Dockerfile without Docker: its steps, in order, in a clean folder of this machine.

What is true here: only the files that COPY brings and .dockerignore lets through, only the
variables that ENV sets (no HOME), the commands as they stand. Where the system allows it, what CMD
starts finds a read-only disk but for the volume and the temporary folder. What is not: the base
image; this interpreter and its packages stand in. What pip would install, users and owners of files
are noted, not made.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

_CONTINUED = re.compile(r"\\\n\s*")
_NOTED = ("pip", "useradd", "chown")
_STEP_S = 900


@dataclass(frozen=True)
class Step:
    """One instruction: its name in capitals, its ``--flags``, and the rest as text."""

    name: str
    flags: dict[str, str]
    rest: str


def parse(text):
    """Return the steps of a Dockerfile."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    steps = []
    for line in _CONTINUED.sub("", "\n".join(lines)).splitlines():
        if not line.strip():
            continue
        name, _, rest = line.strip().partition(" ")
        flags = {}
        while found := re.match(r"--([\w-]+)=(\S+)\s+", rest):
            flags[found[1]] = found[2]
            rest = rest[found.end() :]
        steps.append(Step(name.upper(), flags, rest))
    return steps


def is_ignored(path, patterns):
    """Whether .dockerignore keeps ``path`` out: the last pattern that names it decides."""
    places = [path, *path.parents][:-1]
    ignored = False
    for pattern in patterns:
        wanted = pattern.removeprefix("!").strip("/")
        form = "".join(
            {"**/": "(.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part))
            for part in re.split(r"(\*\*/|\*\*|\*|\?)", wanted)
        )
        if any(re.fullmatch(form, place.as_posix()) for place in places):
            ignored = not pattern.startswith("!")
    return ignored


def words(rest):
    """Return a command, in either of its two forms, as a list."""
    rest = rest.removeprefix("CMD ").strip()
    if not rest.startswith("["):
        return ["sh", "-c", rest]
    return [shlex.split(word)[0] for word in re.findall(r'"(?:[^"\\]|\\.)*"', rest)]


@dataclass
class Image:
    """What the steps make: a folder that stands for the root, and how to start what is in it."""

    context: Path
    root: Path
    port: int
    env: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = "root"
    base: str = ""
    volumes: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    exposed: str = ""
    noted: list[str] = field(default_factory=list)

    def place(self, path):
        """Return where a path of the image lies here."""
        return self.root / (Path(self.workdir) / path).relative_to("/")

    def follow(self, step):
        """Do one step; an unknown one is an error."""
        getattr(self, f"_{step.name.lower()}")(step)

    def _from(self, step):
        self.base = step.rest

    def _env(self, step):
        self.env |= dict(pair.split("=", 1) for pair in shlex.split(step.rest))

    def _workdir(self, step):
        self.workdir = step.rest
        self.place(".").mkdir(parents=True, exist_ok=True)

    def _user(self, step):
        self.user = step.rest

    def _volume(self, step):
        self.volumes.append(step.rest)

    def _expose(self, step):
        self.exposed = step.rest

    def _healthcheck(self, step):
        self.health = words(step.rest)

    def _cmd(self, step):
        self.command = words(step.rest)

    def _copy(self, step):
        *sources, target = shlex.split(step.rest)
        patterns = (self.context / ".dockerignore").read_text("utf-8").split()
        for source in sources:
            self._bring(self.context / source, self.place(target), patterns)

    def _bring(self, source, target, patterns):
        if not source.is_dir():
            shutil.copy2(source, target / source.name)
            return

        def ignore(folder, names):
            own = Path(folder).relative_to(self.context)
            return [name for name in names if is_ignored(own / name, patterns)]

        shutil.copytree(source, target, ignore=ignore, dirs_exist_ok=True)

    def _run(self, step):
        subprocess.run(
            words(step.rest), cwd=self.place("."), env=self.environment(), check=True,
            timeout=_STEP_S, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        noted = self.root / "noted"
        self.noted = noted.read_text("utf-8").splitlines() if noted.exists() else []

    def environment(self):
        """Return what a command of the image finds around it."""
        aside = self.root / "aside"
        aside.mkdir(exist_ok=True)
        for name in _NOTED:
            script = f'#!/bin/sh\necho "{name} $*" >> {shlex.quote(str(self.root / "noted"))}\n'
            (aside / name).write_text(script)
            (aside / name).chmod(0o755)
        path = os.pathsep.join([str(aside), str(Path(sys.executable).parent), os.defpath])
        return {**self.env, "PATH": path}

    def start(self, command, log):
        """Start a command of the image as a container would; return the process."""
        command = [word.replace(self.exposed, str(self.port)) for word in command]
        return subprocess.Popen(
            [*self._alone(), *command], cwd=self.place("."), env=self.environment(),
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def _alone(self):
        """Return the command that makes the disk read-only for what follows; [] where none may."""
        folders = [f"/{name}" for name in ("usr", "var", "etc", "opt", "home", "root", "srv")]
        binds = [f"mount --rbind {d} {d} && mount -o remount,bind,ro {d}" for d in folders]
        for volume in self.volumes:
            here = shlex.quote(str(self.place(volume)))
            binds.append(f"mount --bind {here} {here}")
        app = shlex.quote(str(self.root))
        script = " && ".join([f"mount --bind {app} {app}", *binds[-len(self.volumes) :]])
        script += f" && mount -o remount,bind,ro {app} && " + " && ".join(binds[: len(folders)])
        alone = ["unshare", "--user", "--map-root-user", "--mount", "--", "sh", "-c"]
        probe = subprocess.run([*alone, script], capture_output=True, check=False)
        if probe.returncode:
            return []
        return [*alone, f'{script} && cd "$PWD" && exec "$@"', "sh"]

    @property
    def is_read_only(self):
        """Whether what ``start`` starts finds a disk that takes nothing."""
        return bool(self._alone())
