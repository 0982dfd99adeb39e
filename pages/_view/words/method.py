"""What the Method page says: four steps with their formulas, origins of the numbers, limits."""

from typing import NamedTuple


class Step(NamedTuple):
    """One step of the method: a title, a paragraph, and LaTeX formulas."""

    title: str
    text: str
    formulas: tuple[str, ...]


STEPS = (
    Step(
        "1. Split the head",
        "The last layer turns a feature $f$ into logits $Wf + b$. The singular value decomposition "
        "of $W$ (eqs. 1–3) splits feature space into what the layer reads and what it cannot see.",
        (
            r"W = U\Sigma V^\top,\quad V = [V_p\ V_n]",
            r"\Pi_n = V_n V_n^\top",
        ),
    ),
    Step(
        "2. Translate",
        "A ridge regression with an intercept maps features to the embeddings of an image–text "
        "reference (eq. 4), so that a feature can be compared with words.",
        (r"T(f) = A f + a \approx z^{img}",),
    ),
    Step(
        "3. Step inside the null space",
        "Either take the null part away (eq. 9), or follow the prompt’s gradient, projected into "
        "the null space (eqs. 10–13). No logit moves; the drift that rounding leaves is measured "
        "every time.",
        (
            r"\tilde f = f - \Pi_n f",
            r"f_\varepsilon = f + \varepsilon\,\hat d",
            r"\hat d \propto \Pi_n \nabla_f \cos(T(f), z^{text})",
        ),
    ),
    Step(
        "4. Measure the meaning that moved",
        "Attribute score (eq. 7) and image score (eq. 8) are angles in degrees, computed in "
        "float64 and accurate to 1e-6°.",
        (
            r"\begin{aligned}\mathrm{AS} = {}&\angle(T(f), z^{text})\\"
            r"&- \angle(T(\tilde f), z^{text})\end{aligned}",
            r"\mathrm{IS} = \angle(T(f), T(\tilde f))",
        ),
    ),
)

ORIGINS = r"""
- **Closed forms.** Along a step the translated feature is a straight line,
  $z_0 + \varepsilon w$, so AS(ε) and IS(ε) follow from a few inner products. The step for a wanted
  image score φ is $\varepsilon = \lVert z_0\rVert \sin\varphi \,/\, (\lVert w\rVert
  \sin(\alpha - \varphi))$ with $\alpha = \angle(z_0, w)$. At α and beyond it is *not reachable*,
  and the page says so.
- **Equivalence is checked, not assumed.** A pair whose logits differ by more than 1e-5 of the
  largest gets no score.
- **Two readings of a reference.** *Raw*: angles between the embeddings as they are. What all of
  them share, such as the gap between images and texts, holds raw angles close together.
  *Centred*: a constant is taken away first, from images and translations their mean embedding,
  $T(f) - \mu_{img}$, from texts theirs, $z^{text}/\lVert z^{text}\rVert - \mu_{text}$. The
  constants come from many images and from the vocabulary, not from the photo. A shift leaves $A$,
  the null space and $|\mathrm{AS}| \le \mathrm{IS}$ as they are; angles, and the direction of
  a step, change. The two are two references with one network: `mini` and `centred:mini`.
- **Nothing leaves this computer.** Photos are analysed where the app runs. Uploaded files are kept
  in its cache folder, a bounded number of them, so that a link to them works.
"""

PICTURES = """
- **Inversion** looks for a picture whose feature is the asked one: it changes a low-pass of the
  photo, step by step, until the frozen classifier sees the asked feature. A small denoiser that has
  seen photographs draws it back to what a photograph may look like. Where there is a translator,
  the picture also follows the direction in which the translated feature moves.
- **Drawn equivalents** turn the question round: the picture is steered, not the feature. Its own
  deciding logits are held, and what the translator and the reference read from it moves to where
  the asked step points. A picture that gets nowhere is said to.
- **Neighbours** are real photographs of a prepared set whose images are on this machine: those
  whose translated features point nearest to the asked one.
- **Both renders are drawn the same way**, from the same start and with the same random draws. What
  differs between them comes from the feature; neither is the photo.
- **The feasible step** goes as far along the direction as features without negative entries can,
  in a step of the same length. Exactly equal logits leave a sparse feature next to nowhere to go
  when all classes decide: its logits then move by at most 3 % of the largest. A head that decides
  among few classes leaves exact ways, and then no logit moves.
- **Every picture is read again**, by the classifier and by the reference. Those numbers are about
  the picture: it reaches the asked feature only in part, and its logits do move. The scores above
  are about the feature, and exact.
- **Karlo UnCLIP** draws embeddings of OpenAI’s ViT-L/14. It needs its weights and a translator
  into that space.
"""

LIMITS = """
- **The reference decides what can be seen.** The embedded reference, *mini*, has a frozen
  EfficientNet-Lite2 as image tower, a frozen MiniLM as text tower, and a head on each, trained by
  this project on a small set of ImageNet images, with EfficientNet-Lite2’s own logits as the
  target. It is not CLIP. It knows ImageNet’s classes and plain attributes best, and names a class
  that it never heard of rarely; its card, `assets/mini/CARD.md`, has its measures.
- **mini shares its image tower with EfficientNet-Lite2.** Scores of that classifier are not
  comparable with the others’.
- **A translator is a fit.** What it does not carry over, no score can show. Its cosine on images
  that it did not see stands in `assets/translators/CARD.md`; *Validate* shows it beside non-linear
  ones. A translator with stand-ins never measures an image it was fitted from: the stand-in does
  whose fit left the photograph out. One without them, such as an imported one, may have seen it.
- **A step can leave what the network produces.** Features after a ReLU are never negative;
  f + ε d may be. The step shows what the head cannot exclude, not what a photograph would give.
- **Null spaces differ in size.** Here 280 of 1280 dimensions; other classifiers have half, or none.
  Do not rank models by a score alone. *Compare* can have the same classes decide for every
  classifier, and judges each null space by its place among
  fifty random subspaces that remove as much.
"""
