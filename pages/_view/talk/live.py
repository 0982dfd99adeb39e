"""What the audience asks on the stage: another prompt, their own photo, measured and drawn now."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from pages._view import loaders
from pages._view.talk.asked import link_of_scene
from pages._view.words.phrases import number
from sing_core.errors import SceneError, SingError
from sing_core.files.digests import content_key
from sing_core.files.images import Photo
from sing_core.pictures.jobs import PictureJob
from sing_core.pictures.protocol import RenderProgress
from sing_core.talk.camera import numbers, record
from sing_core.talk.scene import Scene, photo_of
from sing_core.talk.script import load_scene

NAME = "yours"
_POLL_S = 1.0
_CAPTION = "Asked by the audience, measured just now."
# The player and this component speak by events of the window: what is asked reruns this alone, and
# the scenes of the talk, which are large, are sent once.
_SCRIPT = """
const mounted = new WeakMap();
export default function ({ parentElement, data, setTriggerValue }) {
  let own = mounted.get(parentElement);
  if (!own) {
    own = { told: "" };
    own.listen = ({ detail }) => own.send("ask", detail);
    window.addEventListener("sing-ask", own.listen);
    mounted.set(parentElement, own);
  }
  own.send = setTriggerValue;
  if (data?.token && data.token !== own.told) {
    own.told = data.token;
    window.dispatchEvent(new CustomEvent("sing-answer", { detail: data }));
  }
  return () => {
    if (parentElement.isConnected) return;
    window.removeEventListener("sing-ask", own.listen);
    mounted.delete(parentElement);
  };
}
"""
_MOUNT = st.components.v2.component("sing_live", js=_SCRIPT)
_ASKED = "talk.asked"


class _Answer:
    """One question of the audience: its numbers at once, its pictures when they are finished."""

    def __init__(self, scene: Scene, photo: Photo) -> None:
        self.scene, self.photo = scene, photo
        self.recording = numbers(loaders.studio(), scene, photo)
        key = content_key("talk", photo.digest, scene.key)
        self.job = loaders.desk().job(key, self._draw, "stage")

    def _draw(self, job: PictureJob) -> None:
        def tell(progress: RenderProgress) -> None:
            job.step, job.steps = progress.step, progress.steps

        self.recording = record(
            loaders.studio(),
            self.scene,
            self.photo,
            on_progress=tell,
            should_stop=job.should_stop,
        )

    def data(self) -> dict[str, Any]:
        """Return what the player is told; a new token where there is something new."""
        self.job.look("stage")
        share = self.job.step / self.job.steps if self.job.steps else 0.0
        waiting = self.job.error or f"drawing {number(share, '.0%')}"
        drawn = self.recording.has_pictures
        return {
            "token": f"{self.scene.key} {drawn or waiting}",
            "recording": self.recording.payload
            | {"waiting": "" if drawn else waiting, "link": link_of_scene(self.scene)},
        }


def answer() -> None:
    """Mount the listener; while pictures are being drawn it looks at them every second."""
    asked = st.session_state.get(_ASKED)
    pending = isinstance(asked, _Answer) and not asked.job.done
    st.fragment(_answer, run_every=_POLL_S if pending else None)(pending)


def _answer(was_pending: bool) -> None:
    asked = st.session_state.get(_ASKED)
    data = asked.data() if isinstance(asked, _Answer) else asked
    _MOUNT(key="talk.live", data=data, on_ask_change=_keep)
    pending = isinstance(asked, _Answer) and not asked.job.done
    if pending != was_pending:
        st.rerun()


def _keep() -> None:
    """Take up what was asked; a question that cannot be answered is answered by a sentence."""
    question = st.session_state["talk.live"].get("ask")
    if not isinstance(question, Mapping):
        return
    try:
        scene = _scene_of(question)
        st.session_state[_ASKED] = _Answer(scene, photo_of(loaders.bench(), scene))
    except SingError as error:
        note = str(error)
        st.session_state[_ASKED] = {"token": content_key(note, repr(question)), "note": note}


def _scene_of(question: Mapping[str, Any]) -> Scene:
    """Return the scene that the audience asks for: the one on the stage with something changed."""
    before = st.session_state.get(_ASKED)
    on_stage = str(question.get("scene", ""))
    if on_stage == NAME and isinstance(before, _Answer):
        base = before.scene
    else:
        base = load_scene(loaders.settings(), on_stage)
    base = replace(base, name=NAME, epsilon=None, caption=_CAPTION, notes="")
    if prompt := question.get("prompt"):
        return replace(base, prompt=str(prompt))
    return replace(base, photo=_received(str(question.get("photo", ""))))


def _received(url: str) -> str:
    """Keep the photo of a data URL; return its digest.

    Raises:
        SceneError: it is none, or could not be kept.
        UnsupportedImageError: it cannot be used.
    """
    try:
        payload = base64.b64decode(url.partition(",")[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise SceneError("This photo did not arrive whole: try once more.") from error
    if len(payload) > loaders.settings().max_upload_mb * 2**20:
        raise SceneError(f"A photo has at most {loaders.settings().max_upload_mb} MB.")
    digest = hashlib.sha256(payload).hexdigest()
    loaders.decoded(digest, payload)
    if not loaders.keep_upload(payload, digest):
        raise SceneError("The photo could not be kept on this computer.")
    return digest
