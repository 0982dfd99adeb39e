"""Method: how the scores come about, what the words mean, and what they do not show."""

import streamlit as st

from pages._view import state
from pages._view.words.help import HELP, TERMS
from pages._view.words.method import LIMITS, ORIGINS, PICTURES, STEPS
from pages._view.words.units import UNITS

state.enter("method")
st.title("The method in four steps", anchor=False)
st.caption(
    "After “Make it SING: Analyzing Semantic Invariants in Classifiers” (CVPR 2026, "
    "[arXiv:2603.14610](https://arxiv.org/abs/2603.14610))."
)

for row in (STEPS[:2], STEPS[2:]):
    for column, step in zip(st.columns(2, gap="medium"), row, strict=True):
        with column.container(border=True, height="stretch"):
            st.header(step.title, anchor=False)
            st.markdown(step.text)
            for formula in step.formulas:
                st.latex(formula)

st.header("Where the numbers come from", anchor=False)
st.markdown(ORIGINS)

st.header("What the pictures are", anchor=False)
st.markdown(PICTURES)

st.header(UNITS.title, anchor=False)
st.markdown(UNITS.text)
for formula in UNITS.formulas:
    st.latex(formula)

st.header("Limits", anchor=False)
st.markdown(LIMITS)

st.header("Glossary", anchor=False)
for term, name in TERMS.items():
    st.markdown(f"**{term}.** {HELP[name]}")
