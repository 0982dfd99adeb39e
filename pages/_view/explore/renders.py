"""Pictures on Explore: their controls, and the rendering that belongs to what is asked."""

import uuid

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages._view import loaders, state
from pages._view.explore import picture_views, recorded
from pages._view.explore.question import Asked
from pages._view.linked_number import LinkedNumber
from pages._view.words.help import HELP
from pages._view.words.phrases import number
from sing_core.files.digests import content_key
from sing_core.files.images import Photo
from sing_core.pictures.catalogue import OFF, RENDERERS
from sing_core.pictures.jobs import PictureJob
from sing_core.pictures.work import Commission, controls_work, scale_work, strip_work
from sing_core.studies.reports import ImageReport
from sing_core.studies.strips import Strip
from sing_core.talk.scene import Drawn

_RENDERERS = {entry.name: entry.title for entry in RENDERERS} | {OFF: "Off"}
_VIEWS = {"step": "This step", "scale": "Angle scale", "controls": "Controls"}
_WORKS = {"step": strip_work, "scale": scale_work, "controls": controls_work}
_STEPS = {"feasible": "Feasible", "asked": "As asked"}  # the first is drawn unasked
_RENDERER, _VIEW, _STEP = "explore.renderer", "explore.pictures", "explore.drawn"
_SEED = LinkedNumber("seed", "explore.seed", 0, (0, 2**31 - 1), "a seed", whole=True)
_JOB = "explore.picture_job"
_ASLEEP_POLL_S = 3.0  # on a fresh server, where the browser still has enough to do

Watched = PictureJob | None  # the rendering that the page looks at; None when there is none


def receive() -> None:
    """Take the panel's choices that came by link."""
    first = loaders.settings().renderer
    state.receive("renderer", _RENDERER, first, _RENDERERS.__contains__, "a renderer")
    state.receive("pictures", _VIEW, "step", _VIEWS.__contains__, "a kind of pictures")
    state.receive("drawn", _STEP, "feasible", _STEPS.__contains__, "a kind of step")
    _SEED.receive()


def _chosen(key: str) -> str:
    """Return a switch's state; while a page is built anew the browser may send an empty one."""
    first = {_RENDERER: loaders.settings().renderer, _VIEW: "step", _STEP: "feasible"}
    return st.session_state.get(key) or first[key]


def _seed() -> int:
    return int(st.session_state.get(_SEED.key) or 0)


def begin(asked: Asked, report: ImageReport) -> Watched:
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
    """Return the name under which this session watches; see ``loaders.is_here``."""
    context = get_script_run_ctx()
    session = context.session_id if context is not None else ""
    name: str = st.session_state.setdefault("app.who", f"{session}/{uuid.uuid4().hex}")
    return name


def period(job: Watched) -> float | None:
    """Return how often the page looks at the pictures, in seconds; None when nothing moves."""
    if job is None or job.done:
        return None
    desk = loaders.desk()
    return desk.look_again_s if desk.awake else _ASLEEP_POLL_S


def changes(job: Watched, before: float | None) -> bool:
    """Whether a page that looks every ``before`` seconds is to begin anew with another period.

    In a crowd that grows or shrinks a little it is not: beginning anew costs more than a look.
    """
    now = period(job)
    return (now is None) != (before is None) or bool(now and before and now < before / 2)


def slot(job: Watched, asked: Asked, report: ImageReport) -> dict[str, object]:
    """Return what the scene's squares show of the pictures: the one place where they plug in.

    ``frames`` holds the finished pictures of the sweep with what is to be said on them, recorded
    ones until those of the step are finished; ``pictures`` what is said where there is none yet;
    ``feasible_deg`` the largest image score that steps of this sweep keep once they are cut to what
    a network can produce, if that is known.
    """
    nothing: dict[str, object] = {"frames": [], "pictures": _missing(job), "feasible_deg": None}
    if job is None:
        return nothing
    frames = _recorded(job, asked, report)
    if job.strip is None or _chosen(_VIEW) != "step":
        return nothing | {"frames": frames}
    strip = job.strip
    return nothing | {
        "frames": frames or _finished(job, strip),
        "feasible_deg": None if strip.infeasible_share is None else max(strip.image_score_deg),
    }


def _finished(job: PictureJob, strip: Strip) -> list[dict[str, object]]:
    sources, labels = picture_views.sources(job), loaders.class_labels()
    return [
        {
            "index": strip.indices[row],
            "src": sources[row],
            "badge": picture_views.badge(job.audits[row], labels, strip, row),
        }
        for row in sorted(job.audits.keys() & sources.keys())
    ]


def _recorded(job: PictureJob, asked: Asked, report: ImageReport) -> list[dict[str, object]]:
    """Return recorded frames of this question while those of this step are not finished."""
    if _chosen(_VIEW) != "step" or _pair_is_finished(job, report):
        return []
    drawn: Drawn = "feasible" if _chosen(_STEP) == "feasible" else "asked"
    return recorded.frames(asked, report, _chosen(_RENDERER), drawn, _seed())


def _pair_is_finished(job: PictureJob, report: ImageReport) -> bool:
    """Whether the pictures of the feature and of this step are there, each read again."""
    if job.strip is None:
        return False
    return {0, job.strip.row_of(report.index)} <= job.audits.keys() & job.frames.keys()


def _missing(job: Watched) -> str:
    """Say why there is no picture where one is missing."""
    if job is None:
        return "No pictures: they are off, see Pictures below."
    if job.error:
        return "No picture: see Pictures below."
    if _chosen(_VIEW) != "step":
        return "Another series is drawn, see Pictures below."
    if (ahead := loaders.desk().ahead_of(job)) > 0:
        return f"{ahead} other {'rendering comes' if ahead == 1 else 'renderings come'} first"
    if not job.steps:
        return "getting ready to draw"  # the networks, and the steps that are to be drawn
    return f"drawing {100 * job.step / job.steps:.0f} %"


def says_feasible(job: Watched) -> bool:
    """Whether the drawer says how much of the step can be produced, once that is solved."""
    return job is not None and (_chosen(_VIEW), _chosen(_STEP)) == ("step", "feasible")


def show(asked: Asked, report: ImageReport, job: Watched) -> None:
    """Draw the drawer: controls, and what is known of the pictures of the released step."""
    _controls()
    if job is None:
        st.caption("No pictures are drawn. Inversion draws them on this machine.")
        return
    job.look(_who())  # the tables above took their time, on a busy machine longer than it waits
    _show_job(job, asked, report)
    job.look(_who())  # the next look is a while off


def _show_job(job: PictureJob, asked: Asked, report: ImageReport) -> None:
    if job.error:
        st.warning(job.error, icon=":material/image_not_supported:")
    if not job.done:
        share, drawn = job.step / max(1, job.steps), len(job.audits)
        whole = len(job.strip.indices) if job.strip else 0
        words = f"{drawn} of {whole} pictures are finished" if whole else _missing(job)
        st.progress(
            share, f"{words}; the next are at {number(share, '.0%')}." if whole else f"{words}…"
        )
    if _recorded(job, asked, report):
        st.caption(recorded.NOTE)
    if job.strip is None or not _can_be_shown(job, report):
        return
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
    photo = (
        loaders.photo_url(asked.photo.digest, asked.photo) if isinstance(asked.photo, Photo) else ""
    )
    picture_views.VIEWS[_chosen(_VIEW)](job, job.strip, report.index, photo, facts)


def _can_be_shown(job: PictureJob, report: ImageReport) -> bool:
    """Whether there is a picture; of a step both, as neither says anything alone."""
    if job.strip is None or _chosen(_VIEW) != "step":
        return bool(job.frames)
    return {0, job.strip.row_of(report.index)} <= job.frames.keys()


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
    state.publish("drawn", _chosen(_STEP), "feasible")
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
        wrap=True,
    )
