"""Method: how the scores come about, what the words mean, and what they do not show."""

import streamlit as st

from pages._view import state
from pages._view.texts import HELP, TERMS

state.enter("method")
st.title("The method in four steps", anchor=False)
st.caption(
    "After “Make it SING: Analyzing Semantic Invariants in Classifiers” (CVPR 2026, "
    "[arXiv:2603.14610](https://arxiv.org/abs/2603.14610))."
)

steps = st.columns(2, gap="large")
with steps[0].container(border=True):
    st.subheader("1. Split the head", anchor=False)
    st.markdown(
        "The last layer turns a feature $f$ into logits $Wf + b$. The singular value decomposition "
        "of $W$ splits feature space into what the layer reads and what it cannot see."
    )
    st.latex(r"W = U\Sigma V^\top,\quad V = [V_p\ V_n],\quad \Pi_n = V_n V_n^\top \qquad (\text{eq. }1, 3)")
with steps[1].container(border=True):
    st.subheader("2. Translate", anchor=False)
    st.markdown(
        "A ridge regression with an intercept maps features to the embeddings of an image–text "
        "reference, so that a feature can be compared with words."
    )
    st.latex(r"T(f) = A f + a \approx z^{img} \qquad (\text{eq. }4)")
with steps[0].container(border=True):
    st.subheader("3. Step inside the null space", anchor=False)
    st.markdown(
        "Either take the null part away, or follow the prompt’s gradient, projected into the null "
        "space. No logit moves; the drift that rounding leaves is measured every time."
    )
    st.latex(r"\tilde f = f - \Pi_n f \qquad (\text{eq. }9)")
    st.latex(
        r"f_\varepsilon = f + \varepsilon\,\hat d,\quad "
        r"\hat d = \frac{\Pi_n \nabla_f \cos(T(f), z^{text})}{\lVert\cdot\rVert} \qquad (\text{eq. }10–13)"
    )
with steps[1].container(border=True):
    st.subheader("4. Measure the meaning that moved", anchor=False)
    st.markdown("All scores are angles in degrees, in float64, accurate to 1e-6°.")
    st.latex(
        r"\mathrm{AS} = \angle(T(f), z^{text}) - \angle(T(\tilde f), z^{text}) \qquad (\text{eq. }7)"
    )
    st.latex(r"\mathrm{IS} = \angle(T(f), T(\tilde f)) \qquad (\text{eq. }8)")

st.subheader("Where the numbers come from", anchor=False)
st.markdown(
    """
- **Closed forms.** Along a step the translated feature is a straight line, so AS(ε) and IS(ε) follow
  from a few inner products. The ε for a wanted IS is
  $\\varepsilon = \\lVert z_0\\rVert \\sin\\varphi \\,/\\, (\\lVert w\\rVert \\sin(\\alpha - \\varphi))$ with
  $\\alpha = \\angle(z_0, w)$; at or beyond α it is *not reachable*, and the page says so.
- **Equivalence is checked, not assumed.** A pair whose logits differ by more than 1e-5 of the largest
  gets no score.
"""
)

st.subheader("Limits", anchor=False)
st.markdown(
    """
- **The reference decides what can be seen.** The embedded reference, *mini*, has a frozen
  EfficientNet-Lite2 as image tower and MiniLM as text tower, and a head trained by this project on a
  small set of ImageNet images. It is not CLIP, it knows ImageNet’s classes and plain attributes best, and
  it is measured in its card under `assets/mini`.
- **mini shares its image tower with EfficientNet-Lite2.** Scores of that classifier are not comparable
  with the others’.
- **A translator is a fit.** What it does not carry over, no score can show. Its held-out cosine stands in
  its card under `assets/translators`.
- **A step can leave what the network produces.** Features after a ReLU are never negative; `f + ε d`
  may be. The step shows what the head cannot exclude, not what a photograph would give.
- **Null spaces differ in size.** 280 of 1280 dimensions here; other classifiers have half, or none. Do not
  rank models by a score alone.
"""
)

st.subheader("Glossary", anchor=False)
for term, name in TERMS.items():
    st.markdown(f"**{term}.** {HELP[name]}")
