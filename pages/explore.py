"""Explore: one photo, one classifier, one prompt: what moves while the logits stand still?"""

import streamlit as st

from pages._view import loaders, pickers, state
from pages._view.explore import head_choice, panels, renders, scene, uploads
from pages._view.explore.question import Asked
from pages._view.talk import door
from pages._view.words.phrases import in_words
from sing_core.errors import SingError
from sing_core.models.known_words import unknown_note
from sing_core.sets.stored import StoredImage
from sing_core.studies.question import Question

state.enter("explore")
scene.show_head()

# 1. Ask: three choices in one line; what refines them is folded away behind a fourth.
choices, stage = scene.lay_out()
state.say_in(stage)
notes = st.container()  # below the scene, where they move nothing of it
with choices[0]:
    photo = uploads.pick_photo(stage)
with choices[1]:
    model = pickers.pick_model()
with choices[3], st.popover("More", icon=":material/tune:", width="stretch", key="explore.more"):
    mode = pickers.pick_mode()
    variant = head_choice.pick_variant(model)
    target_deg = pickers.pick_target()
    reference = pickers.pick_reference()
panels.receive_step()
renders.receive()
try:
    labels = loaders.class_labels()
except SingError as error:
    stage.error(str(error), icon=":material/error:")
    state.write_url()
    st.stop()
with choices[2]:
    prompt = pickers.pick_prompt(labels)
if photo is None:
    state.write_url()
    with stage:
        st.info("Choose a sample or upload a photo to begin.", icon=":material/image:")
        panels.show_storage()
    st.stop()

# 2. Compute: one call, one frozen result, one place where errors become words.
asked = Asked(
    photo, Question(model, prompt, mode, reference, target_deg=target_deg, variant=variant)
)
panels.settle_step(asked)
state.write_url()
report = None
with stage:
    try:
        report = asked.ask_something()
    except SingError as error:
        st.error(str(error), icon=":material/error:")
        panels.show_photo(photo)
with notes:
    stored = photo.notes if isinstance(photo, StoredImage) else ()  # a photo's stand on itself
    for note in (*stored, *loaders.bench().notes_on(model)):
        st.caption(note)
    panels.show_storage()  # only now is it known whether everything could be kept
if report is None:
    st.stop()

# 3. Show.
with stage:
    panels.show_head_fault()
    if asked.prompt_fault:
        panels.show_without_prompt(asked.prompt_fault, report, photo)
        st.stop()
    if report.prompt_note:
        st.warning(in_words(report.prompt_note, 400), icon=":material/content_cut:")
    elif unknown := unknown_note(report.prompt, loaders.settings()):
        st.caption(unknown)
    if report.sweep is None:
        st.warning(report.no_sweep_reason, icon=":material/visibility:")
        panels.show_without_scene(report, photo)
        st.stop()
    panels.show_sweep(asked)
door.show()
