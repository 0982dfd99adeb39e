"""What people do: ask about prompts, bring photos, look around; and what each must be shown."""

import asyncio
import hashlib
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from benchmarks.soaking import marks
from benchmarks.soaking.line import Line
from sing_core.files.digests import content_key
from sing_core.files.samples import SAMPLES, sample_bytes
from sing_core.models.registry import models
from sing_core.settings import Settings
from sing_core.studies.question import Question

PAGES = ("compare", "classes", "concepts", "validate", "talk", "library", "method")
_NUMBERS = ("epsilon", "image_score_deg", "attribute_score_deg", "max_logit_drift")
_KEPT_ANSWERS = 3  # of each guest, to be computed again afterwards


@dataclass
class Log:
    """What all guests together met.

    Attributes:
        waits: kind of deed to its ``(guest, clock when it began, seconds)``.
        errors: what went wrong, and ``foreign``: what came to a guest and was not theirs.
        answers: ``(photo's bytes, prompt, numbers)`` as shown, to be computed again.
        pictures: digest of a drawn picture to the guest whose photo it was drawn from.
    """

    waits: dict[str, list[tuple[int, float, float]]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    answers: list[tuple[bytes, str, dict[str, Any]]] = field(default_factory=list)
    pictures: dict[str, int] = field(default_factory=dict)
    scenes: int = 0

    def note(self, kind: str, who: int, began: float) -> None:
        """Note that a deed that began then is answered now."""
        self.waits.setdefault(kind, []).append((who, began, time.monotonic() - began))


class Guest:
    """One person with one tab."""

    def __init__(self, url: str, number: int, guests: int, log: Log, think_s: float) -> None:
        """Sit down; ``think_s`` is how long this one thinks between two deeds, on average."""
        self.number, self._guests, self._log, self._think_s = number, guests, log, think_s
        self.line = Line(url, self.hear)
        self._chance = random.Random(number)
        self._model = models(Settings())[0].name
        self._asked, self._sent, self._kept = 0, 0, 0
        self._payload = sample_bytes(SAMPLES[0].name)
        self._prompts, self._digests = set[str](), {self._digest(self._payload)}
        self._own = dict[str, int]()  # digest of a photo to its number

    async def arrive(self) -> None:
        """Open Explore, ask a first prompt, bring a first photo."""
        await self.line.until(lambda: self.line.scene is not None)
        await self.line.choose("explore.source", string_array_value={"data": ["Upload"]})
        await self.attempt(self.ask)
        await self.attempt(self.bring)

    async def live(self, until: float) -> None:
        """Do one thing after the other until that clock time."""
        deeds = (self.ask, self.bring, self.look_around)
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, self._chance.uniform(0.5, 1.5) * self._think_s))
            await self.attempt(self._chance.choices(deeds, (0.7, 0.2, 0.1))[0])

    async def attempt(self, deed: Callable[[], Awaitable[None]]) -> None:
        """Do one thing; what goes wrong is noted, and life goes on."""
        try:
            await deed()
        except (TimeoutError, OSError) as error:
            scene = self.line.scene or {}
            self._log.errors.append(
                f"guest{self.number:02d}: {type(error).__name__}: {error}; asked {self._asked} and "
                f"sent {self._sent}, is shown {scene.get('prompt')!r}, {self.line.finished} runs"
            )
        for words in self.line.take_alerts():
            self._log.errors.append(f"guest{self.number:02d} was told: {words[:300]}")

    async def ask(self) -> None:
        """Ask another prompt and wait for its curves."""
        words = marks.prompt(self.number, self._asked, self._guests)
        self.expect(None, words)
        began = time.monotonic()
        await self.line.choose("explore.prompt", string_value=words)
        await self.line.until(lambda: self._shows(words, self._payload))
        self._log.note("prompt", self.number, began)
        self._keep(words)

    async def bring(self, *, large: bool = False) -> None:
        """Upload another photo and wait for its numbers."""
        make = marks.large_photo if large else marks.photo
        payload = await asyncio.to_thread(make, self.number, self._sent)
        self.expect(payload, None)
        if large:  # the files of one guest show the same number: what they differ in is a comment
            self._own[self._digest(payload)] = 0
        words = (self.line.scene or {}).get("prompt", "")
        began = time.monotonic()
        await self.line.upload("explore.upload", f"photo{self._sent}.jpg", payload)
        await self.line.until(lambda: self._shows(words, payload))
        self._log.note("large file" if large else "upload", self.number, began)
        self._payload = payload
        self._keep(words)

    def expect(self, payload: bytes | None, words: str | None) -> None:
        """Take an answer about this photo, or this prompt, for one's own from now on."""
        if words is not None:
            self._prompts.add(words)
            self._asked += 1
        if payload is not None:
            self._own[self._digest(payload)] = self._sent
            self._digests.add(self._digest(payload))
            self._sent += 1

    async def look_around(self) -> None:
        """Open another page, then Explore again."""
        began, ended = time.monotonic(), self.line.finished
        await self.line.visit(self._chance.choice(PAGES))
        await self.line.until(lambda: self.line.finished > ended)
        self._log.note("page", self.number, began)
        await asyncio.sleep(self._chance.uniform(0.5, 1.5) * self._think_s / 2)
        await self.line.visit("")
        await self.line.until(lambda: self.line.scene is not None)

    def _shows(self, words: str, payload: bytes) -> bool:
        scene = self.line.scene
        return scene is not None and self._names(scene, words, self._digest(payload))

    def _names(self, scene: dict[str, Any], words: str, digest: str) -> bool:
        """Whether the scene says of itself that it answers this prompt about this photo."""
        asked = content_key(digest, Question(self._model, words).key)
        return scene["prompt"] == words and str(scene["sweep_id"]).rsplit("-", 1)[0] == asked

    def _keep(self, words: str) -> None:
        if self._kept < _KEPT_ANSWERS and self._chance.random() < 0.3:
            self._kept += 1
            scene = self.line.scene or {}
            numbers = {name: scene[name] for name in _NUMBERS}
            self._log.answers.append((self._payload, words, numbers))

    def hear(self, words: bytes, scene: dict[str, Any] | None) -> None:
        """Look at whatever comes for anything that is somebody else's."""
        who = f"guest{self.number:02d}"
        if others := marks.strangers(words, self.number):
            self._log.foreign.append(f"{who} was sent the words of {sorted(others)}")
        if scene is None:
            return
        self._log.scenes += 1
        prompt = scene["prompt"]
        if not self._asked:  # what the page opens with
            self._prompts.add(prompt)
        if prompt not in self._prompts:
            self._log.foreign.append(f"{who} was shown the prompt {prompt!r}")
        digest = next((one for one in self._digests if self._names(scene, prompt, one)), None)
        if digest is None:
            self._log.foreign.append(f"{who} was shown an answer about another photo")
        elif digest in self._own:
            self._look_at(scene, self._own[digest], who)

    def _look_at(self, scene: dict[str, Any], number: int, who: str) -> None:
        """Check that the photo is this one, and that no drawn picture was drawn for another."""
        shown = marks.owner_of(scene["photo"])
        if shown != (self.number, number):
            self._log.foreign.append(f"{who} was shown photo {shown[1]} of guest{shown[0]:02d}")
        for frame in scene["frames"]:
            drawn = hashlib.sha256(frame["src"].encode()).hexdigest()
            if self._log.pictures.setdefault(drawn, self.number) != self.number:
                self._log.foreign.append(f"{who} was shown a picture of somebody else's photo")

    @staticmethod
    def _digest(payload: bytes) -> str:
        return hashlib.sha256(payload).hexdigest()


class Bomber(Guest):
    """Sends a small file that would keep a core busy for minutes, again and again."""

    async def arrive(self) -> None:
        """Open Explore and the uploader."""
        await self.line.until(lambda: self.line.scene is not None)
        await self.line.choose("explore.source", string_array_value={"data": ["Upload"]})

    async def live(self, until: float) -> None:
        """Send it until that clock time; the page must refuse it."""
        payload = await asyncio.to_thread(marks.scan_bomb)
        while time.monotonic() < until:
            began = time.monotonic()
            try:
                await self.line.upload("explore.upload", "bomb.jpg", payload)
                await self.line.until(lambda: bool(self.line.alerts))
            except (TimeoutError, OSError) as error:
                self._log.errors.append(f"the bomb was not answered: {error}")
            self._log.note("bomb", self.number, began)
            self.line.take_alerts()
            await asyncio.sleep(self._think_s)


class Heavy(Guest):
    """Uploads photos of 50 megapixels, one after the other."""

    async def live(self, until: float) -> None:
        """Send them until that clock time."""
        while time.monotonic() < until:
            await self.attempt(lambda: self.bring(large=True))
            await asyncio.sleep(self._think_s)
