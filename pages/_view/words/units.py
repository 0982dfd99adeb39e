"""What is said about units: the help of the page's widgets, and the Method page's section."""

from pages._view.words.method import Step

UNIT_HELP = {
    "network": (
        "Transformers alone can be taken apart: their residual stream is never cut by a ReLU, so "
        "their output is a sum of heads and MLPs. mini-vit is read by the texts of 1,000 classes; "
        "a classifier by its own last layer, and is translated into the chosen reference. Other "
        "references whose image side is a transformer are offered once they are in the Library."
    ),
    "prompt": "What units are measured along; without one, the class that the network reads.",
    "unit": (
        "L11.H3 is head 3 of layer 11, L11.MLP the MLP of that layer, both counted from 0. A click "
        "on the map does the same."
    ),
    "among": (
        "The sample photos, or a prepared set whose photographs are on this machine: the Library "
        "prepares one from your own."
    ),
    "subject": (
        "The head whose texts are most about one property, such as colour: photographs that it "
        "finds alike are alike in that."
    ),
    "over": (
        "A prepared set whose photographs are on this machine and were shown to this network: the "
        "mean of all its ledgers."
    ),
    "against": "The maps are then of the difference: what speaks for the prompt and not for this.",
    "second_class": (
        "The direction is then the hidden part of the difference between the two classes’ mean "
        "features; without one, a principal component of what is hidden."
    ),
    "component": (
        "The first is the direction in which the hidden parts of the images vary most, the second "
        "the next one at right angles to it. Half of the images make them: of sixteen images there "
        "are seven. Without a choice it is the first of those looked at that has words."
    ),
    "looked": (
        "So many components are looked at, the first ones first. The more there are, the more have "
        "words by chance: one in twenty random directions has."
    ),
    "texts": "How many texts describe the direction; more leave less of it unexplained.",
}

UNITS = Step(
    "Who wrote what is hidden",
    "A pre-norm transformer never overwrites: its output is the sum of what the embedding, every "
    "head and every MLP write, and a head’s part is a sum over tokens "
    "([arXiv:2310.05916](https://arxiv.org/abs/2310.05916)). The last LayerNorm is shared out: its "
    "scale $\\sigma$ and mean $\\bar x$ are those of the photo, so the $n$ parts are scaled alike "
    "and still "
    "add up. The null projector is linear, so each unit’s hidden part adds up to the whole "
    "hidden part, and its share $s_u$ to 1. Along a text the same sum says where on the photo it "
    "is. **TextSpan** puts a head into words: the text whose direction carries most of what the "
    "head’s outputs vary in over many images, then the next, in what is left. Words change with "
    "the images, so each comes with its **stability**: the share of random halves of the images "
    "in which it is chosen again. Below half it is no name. **One hidden direction** $v$, a "
    "principal component of the hidden parts or the hidden difference of two classes, both of half "
    "of the images, is a signed "
    "sum of texts by matching pursuit on $A v$; texts enough describe any direction, so words are "
    "refused where random directions of the null space are left no more. Where a head hides "
    "nothing, and no other choice of what decides is made, only the sixteen classes with the "
    "largest logits are taken to decide.",
    (
        r"f = \sum_u c_u,\quad c_{\mathrm{head}} = \sum_{i} c_{\mathrm{head},i}",
        r"c_u = \gamma \odot \frac{u - \bar x / n}{\sigma} + \frac{\beta}{n}",
        r"s_u = \frac{\langle \Pi_n c_u, \Pi_n f\rangle}{\lVert \Pi_n f\rVert^2}",
    ),
)
