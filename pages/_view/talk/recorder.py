"""Recording scenes behind the page: one after the other, on the worker that draws all pictures."""

from collections.abc import Sequence

from pages._view import loaders
from pages._view.words.phrases import number
from sing_core.files.digests import content_key
from sing_core.pictures.jobs import PictureJob
from sing_core.pictures.protocol import RenderProgress
from sing_core.talk.camera import record
from sing_core.talk.scene import Scene, photo_of
from sing_core.talk.script import folders, save_recording


class Recorder:
    """Records ``scenes`` one after the other and keeps each as soon as it is finished."""

    def __init__(self, scenes: Sequence[Scene]) -> None:
        """Begin at once."""
        self._scenes, self._at = list(scenes), 0
        key = content_key("record", *(scene.key for scene in scenes))
        self._job = loaders.desk().job(key, self._work, "talk")

    @property
    def done(self) -> bool:
        """Whether nothing more will come; asking says that somebody still waits."""
        self._job.look("talk")
        return self._job.done

    @property
    def error(self) -> str:
        """One sentence when a scene could not be recorded, else ""."""
        return self._job.error

    @property
    def sentence(self) -> str:
        """How far it is."""
        if self.error:
            return self.error
        share = self._job.step / self._job.steps if self._job.steps else 0.0
        name = self._scenes[min(self._at, len(self._scenes) - 1)].name
        place = f"{self._at + 1} of {len(self._scenes)}"
        return f"Recording {name}, {place}: drawing {number(share, '.0%')}."

    def _work(self, job: PictureJob) -> None:
        def tell(progress: RenderProgress) -> None:
            job.step, job.steps = progress.step, progress.steps

        for place, scene in enumerate(self._scenes):
            self._at = place
            made = record(
                loaders.studio(),
                scene,
                photo_of(loaders.bench(), scene),
                on_progress=tell,
                should_stop=job.should_stop,
            )
            save_recording(made, folders(loaders.settings())[0])
