"""The Renders panel of Explore: its controls, and the rendering that belongs to the asked."""

import time
import uuid

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages._view import loaders, state
from pages._view.explore import picture_views
from pages._view.explore.question import Asked
from pages._view.linked_number import LinkedNumber
from pages._view.words.help import HELP
from sing_core.files.digests import content_key
from sing_core.pictures.catalogue import OFF, RENDERERS
from sing_core.pictures.jobs import PictureJob
from sing_core.pictures.work import Commission, controls_work, scale_work, strip_work
from sing_core.studies.reports import ImageReport

_RENDERERS = {entry.name: entry.title for entry in RENDERERS} | {OFF: "Off"}
_VIEWS = {"step": "This step", "scale": "Angle scale", "controls": "Controls"}
_WORKS = {"step": strip_work, "scale": scale_work, "controls": controls_work}
_STEPS = {"asked": "As asked", "feasible": "Feasible"}
_RENDERER, _VIEW, _STEP = "explore.renderer", "explore.pictures", "explore.drawn"
_SEED = LinkedNumber("seed", "explore.seed", 0, (0, 2**31 - 1), "a seed", whole=True)
_JOB = "explore.picture_job"
_POLL_S = 1.0
_ASLEEP_POLL_S = 3.0  # on a fresh server, where the browser still has enough to do
_REST_S = 0.6
_KEPT_S = 0.2  # what lies in the cache is shown without a look more; the numbers are out by then
_SENT_S = 0.05  # the numbers are sent; the browser draws them in a moment
_FIRST_S, _SLICE_S = 2.5, 0.05


def receive() -> None:
    """Take the panel's choices that came by link."""
    first = loaders.settings().renderer
    state.receive("renderer", _RENDERER, first, _RENDERERS.__contains__, "a renderer")
    state.receive("pictures", _VIEW, "step", _VIEWS.__contains__, "a kind of pictures")
    state.receive("drawn", _STEP, "asked", _STEPS.__contains__, "a kind of step")
    _SEED.receive()


def _chosen(key: str) -> str:
    """Return a switch's state; while a page is built anew the browser may send an empty one."""
    first = {_RENDERER: loaders.settings().renderer, _VIEW: "step", _STEP: "asked"}
    return st.session_state.get(key) or first[key]


def _seed() -> int:
    return int(st.session_state.get(_SEED.key) or 0)


def rest() -> None:
    """Let the drawing wait a moment: the numbers are about to be computed."""
    loaders.desk().rest.begin(_REST_S)


def begin(asked: Asked, report: ImageReport) -> PictureJob | None:
    """Begin the rendering of this step, or go on watching it; leave the one watched before.

    One that runs already, for anybody, is the one that is watched. Returns None when pictures are
    off, or the report has no sweep.
    """
    renderer, view, seed = _chosen(_RENDERER), _chosen(_VIEW), _seed()
    feasible = _chosen(_STEP) == "feasible"
    key = content_key(
        asked.digest,
        loaders.bench().translator_state(report.model, report.reference),
        str(report.index),
        renderer,
        view,
        str(seed),
        str(feasible),
    )
    before = st.session_state.get(_JOB)
    if before is not None and before[0] != key:
        before[1].leave(_who())
        st.session_state[_JOB] = None
    if renderer == OFF or report.sweep is None:
        return None
    work = _WORKS[view](Commission(loaders.studio(), asked.photo, report, renderer, seed, feasible))
    job = loaders.desk().job(key, work, _who())
    st.session_state[_JOB] = (key, job)
    return job


def _who() -> str:
    """Return the name under which this session watches."""
    name: str = st.session_state.setdefault("app.who", uuid.uuid4().hex)
    return name


def period(job: PictureJob | None) -> float | None:
    """Return how often the page looks at the pictures, in seconds; None when nothing moves."""
    if job is None or job.done:
        return None
    return _POLL_S if loaders.desk().awake else _ASLEEP_POLL_S


def frames(job: PictureJob | None) -> list[dict[str, object]]:
    """Return the key frames for the scrubber, as they look now."""
    if job is None or job.strip is None or _chosen(_VIEW) != "step":
        return []
    sources = picture_views.sources(job)
    return [{"index": job.strip.indices[row], "src": src} for row, src in sorted(sources.items())]


def show(asked: Asked, report: ImageReport, job: PictureJob | None) -> None:
    """Draw the panel: how the released step of ``report``, which ``job`` draws, looks now."""
    st.subheader("What it looks like", anchor=False, help=HELP["pictures"])
    _controls()
    if job is None:
        st.caption("No pictures are drawn. Inversion draws them on this machine.")
        return
    job.look(_who())  # the tables above took their time, on a busy machine longer than it waits
    ready = _can_be_shown(job, report)
    bar, body = st.empty(), st.container() if ready else st.empty()
    if not ready:
        if not job.error:
            bar.progress(0.0, _waiting(loaders.desk().ahead_of(job)))
        loaders.desk().rest.begin(_SENT_S)
        job.wait(_KEPT_S)
        _await_first(job, report, bar)
        body = body.container()
    with body:
        _show_job(job, bar, asked, report)
    job.look(_who())  # the next look is a while off


def _show_job(job: PictureJob, bar: DeltaGenerator, asked: Asked, report: ImageReport) -> None:
    if job.error:
        st.warning(job.error, icon=":material/image_not_supported:")
    if job.strip is None or not _can_be_shown(job, report):
        if not job.error:
            bar.progress(0.0, _waiting(loaders.desk().ahead_of(job)))
        return
    if not job.done:
        share = job.step / max(1, job.steps)
        done = f"{len(job.audits)} of {len(job.strip.indices)} pictures are finished"
        bar.progress(share, f"{done}; the next are at {share:.0%}.")
    facts = {
        "image": asked.photo.digest,
        "model": report.model,
        "reference": report.space_id,
        "prompt": report.prompt,
        "mode": report.mode,
        "renderer": _chosen(_RENDERER),
        "pictures": _chosen(_VIEW),
        "seed": _seed(),
        "step": _chosen(_STEP),
    }
    photo = loaders.photo_url(asked.photo.digest, asked.photo)
    picture_views.VIEWS[_chosen(_VIEW)](job, job.strip, report.index, photo, facts)


def _can_be_shown(job: PictureJob, report: ImageReport) -> bool:
    """Whether there is a picture; of a step both, as neither says anything alone."""
    if job.strip is None or _chosen(_VIEW) != "step":
        return bool(job.frames)
    return {0, job.strip.row_of(report.index)} <= job.frames.keys()


def _await_first(job: PictureJob, report: ImageReport, bar: DeltaGenerator) -> None:
    """Wait for the first pictures in slices, so that whatever a person does next comes first.

    Waiting for the next look would show it up to a second later.
    """
    end = time.monotonic() + _FIRST_S
    while not (_can_be_shown(job, report) or job.done) and time.monotonic() < end:
        if (ahead := loaders.desk().ahead_of(job)) > 0:
            return
        bar.progress(0.0, _waiting(ahead))  # each message lets Streamlit begin another run
        job.wait(_SLICE_S)
        job.look(_who())
    bar.empty()


def _waiting(ahead: int) -> str:
    if ahead == 0:
        return "Waiting for the first picture…"
    return f"{ahead} other {'rendering comes' if ahead == 1 else 'renderings come'} first…"


def _controls() -> None:
    for column, (label, options, key, help_) in zip(
        st.columns(2),
        (
            ("Pictures by", _RENDERERS, _RENDERER, "renderer"),
            ("Pictures of", _VIEWS, _VIEW, "picture_views"),
        ),
        strict=True,
    ):
        _choice(column, label, options, key, help_)
    left, right = st.columns(2)
    _choice(left, "Which step is drawn", _STEPS, _STEP, "feasible")
    low, high = map(int, _SEED.bounds)
    right.number_input("Seed", low, high, key=_SEED.key, persist_state="session", help=HELP["seed"])
    state.publish("renderer", _chosen(_RENDERER), loaders.settings().renderer)
    state.publish("pictures", _chosen(_VIEW), "step")
    state.publish("drawn", _chosen(_STEP), "asked")
    _SEED.publish(_seed())


def _choice(place, label: str, options: dict[str, str], key: str, help_: str) -> None:  # noqa: ANN001
    place.segmented_control(
        label,
        list(options),
        format_func=options.__getitem__,
        required=True,
        key=key,
        persist_state="session",
        help=HELP[help_],
        width="stretch",
    )
