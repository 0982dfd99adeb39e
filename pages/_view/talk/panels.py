"""The Talk page: are the scenes ready, in which order do they come, and what can be taken along."""

import tempfile
import zipfile
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import streamlit as st

from pages._view import loaders
from pages._view.exports import File, show_command, show_file
from pages._view.talk.asked import remembered, scene_of_link
from pages._view.talk.recorder import Recorder
from pages._view.words.phrases import in_words
from sing_core.errors import SingError
from sing_core.talk import bundle, script
from sing_core.talk.scene import Scene, scene_from_json

_RECORDER = "talk.recorder"
_POLL_S = 1.0


def show_readiness() -> None:
    """Say whether the talk can begin, offer to record what is not recorded, and the stage."""
    job = st.session_state.get(_RECORDER)
    pending = isinstance(job, Recorder) and not job.done
    st.fragment(_readiness, run_every=_POLL_S if pending else None)(pending)


def _readiness(was_pending: bool) -> None:
    found = script.readiness(loaders.settings())
    ready = not found.problems and found.recordings
    icon = ":material/check_circle:" if ready else ":material/pending:"
    (st.success if ready else st.info)(found.sentence, icon=icon)
    for problem in found.problems:
        st.caption(problem)
    job = st.session_state.get(_RECORDER)
    pending = isinstance(job, Recorder) and not job.done
    with st.container(horizontal=True):
        st.link_button("Open the stage", "./?stage=1", icon=":material/slideshow:", type="primary")
        st.link_button("Speaker’s window", "./?stage=notes", icon=":material/speaker_notes:")
        if found.problems and st.button(
            "Record what is missing",
            key="talk.record",
            disabled=pending,
            icon=":material/videocam:",
        ):
            st.session_state[_RECORDER] = Recorder(_missing())
            st.rerun()
    if isinstance(job, Recorder) and (pending or job.error):
        st.caption(job.sentence)
    if pending != was_pending:
        st.rerun()


def _missing() -> list[Scene]:
    settings = loaders.settings()
    scenes = [script.load_scene(settings, name) for name in script.talk(settings)]
    return [scene for scene in scenes if script.load_recording(settings, scene) is None]


def pick_order() -> None:
    """Draw the scenes in their order; each can be moved, taken out, or saved as a file."""
    st.header("Scenes", anchor=False)
    settings = loaders.settings()
    names = list(script.talk(settings))
    for place, name in enumerate(names):
        _row(names, place, script.load_scene(settings, name))
    others = [name for name in script.scene_names(settings) if name not in names]
    if others:
        _offer_others(names, others)


def _row(names: list[str], place: int, scene: Scene) -> None:
    name, last = scene.name, len(names) - 1
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown(f"**{place + 1}. {name}** — {in_words(scene.caption, 300)}", width="stretch")
        for way, goal in (("up", place - 1), ("down", place + 1)):
            if st.button(
                way.capitalize(), key=f"talk.{way}.{name}", icon=f":material/arrow_{way}ward:",
                disabled=not 0 <= goal <= last, help=f"Move {way}",
            ):  # fmt: skip
                names[place], names[goal] = names[goal], names[place]
                _keep(names)
        st.download_button(
            "File", scene.to_json(), f"{name}.scene.json", "application/json",
            key=f"talk.file.{name}", on_click="ignore", icon=":material/download:",
            help="The scene as a file",
        )  # fmt: skip
        if st.button(
            "Take out", key=f"talk.out.{name}", icon=":material/close:",
            help="Take the scene out of the talk",
        ):  # fmt: skip
            script.remove_scene(loaders.settings(), name)
            st.rerun()


def _offer_others(names: list[str], others: list[str]) -> None:
    chosen = st.selectbox("Scenes that are not in the talk", others, key="talk.others")
    if st.button("Put it at the end", key="talk.add", icon=":material/add:") and chosen:
        _keep([*names, chosen])


def _keep(names: list[str]) -> None:
    script.save_order(loaders.settings(), names)
    st.rerun()


def show_saving() -> None:
    """Draw the form that saves what Explore shows as a scene, and the loader of scene files."""
    left, right = st.columns(2, gap="large")
    with left, st.form("talk.new"):
        st.header("Save a scene", anchor=False)
        link = st.text_input(
            "Link of Explore", remembered(), key="talk.link",
            help="What Explore showed last in this session, or any of its links.",
        )  # fmt: skip
        name = st.text_input("Name", key="talk.name", placeholder="cat-jellyfish")
        caption = st.text_input("Caption, for the room", key="talk.caption", max_chars=300)
        notes = st.text_area("Notes, for the speaker", key="talk.notes", max_chars=4000)
        if st.form_submit_button("Save", icon=":material/save:"):
            _save(link, name, caption, notes)
    with right:
        st.header("Load a scene", anchor=False)
        file = st.file_uploader("Scene file", type=["json"], key="talk.load")
        if file is not None and st.session_state.get("talk.loaded") != file.file_id:
            st.session_state["talk.loaded"] = file.file_id
            _load(file.getvalue())


def _save(link: str, name: str, caption: str, notes: str) -> None:
    query = dict(parse_qsl(urlsplit(link).query))
    try:
        scene = scene_of_link(query, name.strip(), caption.strip(), notes.strip())
        script.save_scene(loaders.settings(), scene)
    except SingError as error:
        st.error(in_words(str(error), 400), icon=":material/error:")
        return
    st.rerun()


def _load(payload: bytes) -> None:
    try:
        script.save_scene(loaders.settings(), scene_from_json(payload))
    except SingError as error:
        st.error(in_words(str(error), 400), icon=":material/error:")
        return
    st.rerun()


def show_exports() -> None:
    """Draw what can be taken along: one page with all scenes, and the folder that needs nothing."""
    st.header("Take it along", anchor=False)
    recordings = script.readiness(loaders.settings()).recordings
    if not recordings:
        st.caption("Record a scene first.")
        return
    page, folder = st.columns(2)
    with page:
        title = "A talk"
        file = File(
            "The talk as one page (HTML)", "html", "text/html",
            lambda: bundle.scene_page(recordings, title),
        )  # fmt: skip
        show_file("talk", "talk", file, width="stretch")
        chosen = st.selectbox(
            "Or one scene", [one.scene.name for one in recordings], key="talk.one"
        )
        one = next(found for found in recordings if found.scene.name == chosen)
        st.download_button(
            "This scene (HTML)", lambda: bundle.scene_page([one], one.scene.caption),
            f"{chosen}.html", "text/html", key="talk.scene_html", on_click="ignore",
            icon=":material/download:", width="stretch",
        )  # fmt: skip
    with folder:
        file = File("The pack (zip)", "zip", "application/zip", packed)
        show_file("talk", "talk-pack", file, width="stretch")
        st.caption("Scenes, pictures, weights and the list of wheels: runs without network.")
    show_command("talk", "python -m sing_core pack --out talk/")


def packed() -> bytes:
    """Return the pack as a zip file.

    Raises:
        SceneError: a scene of the talk is not recorded.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "talk"
        bundle.pack(loaders.settings(), out)
        target = Path(folder) / "talk.zip"
        with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
            for path in sorted(out.rglob("*")):
                if path.is_file():
                    archive.write(path, path.relative_to(folder))
        return target.read_bytes()
