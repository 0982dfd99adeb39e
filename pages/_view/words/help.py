"""Help texts and glossary: said once, shown by the widgets and by the Method page alike."""

NO_PHOTO = "Not on this machine"
HELP = {
    "stored_feature": (
        "The set holds the feature, not the photo. The slider and all scores are those of the "
        "feature; pictures are drawn from it alone and start from an even grey."
    ),
    "pictures": (
        "What a feature means, drawn: first the photo’s own, then one with the same logits. "
        "The pictures illustrate; the scores beside them are measured. A picture that missed what "
        "was asked of it says so on itself."
    ),
    "renderer": (
        "Inversion looks for a picture whose feature is the asked one, through the classifier "
        "itself. Drawn equivalents steer the picture and hold its own logits. Neighbours are real "
        "photographs of a prepared set. Karlo UnCLIP draws embeddings of OpenAI’s ViT-L/14 and "
        "needs its weights and a translator into that space."
    ),
    "feasible": (
        "A steered feature can have negative entries, which no network that ends in a ReLU has. "
        "Feasible goes as far towards the prompt as features without any can, in a step of the "
        "same length: with the same logits where there is such a way, else with logits that move "
        "by at most 3 % of the largest."
    ),
    "feasible_removal": (
        "IS of the nearest feature to the equivalent that a network which ends in a ReLU can "
        "produce (no negative entries), its logits moving by at most 3 % of the largest."
    ),
    "picture_views": (
        "This step: the feature and its equivalent. Angle scale: this photo at known image scores, "
        "to learn what 3°, 10° or 40° look like. Controls: steps of the same length in a random "
        "and in a principal direction, each drawn with four seeds."
    ),
    "seed": (
        "Chooses the random draws that all pictures of a strip share. What changes with the seed "
        "is not in the feature."
    ),
    "audit": (
        "A picture only approximates the feature that was asked. These numbers are about the "
        "pictures; the logit drift beside the scene is about the features, and exact."
    ),
    "spectrum": (
        "The singular values of the head’s weight matrix, largest first. Those at or below the "
        "dotted line count as zero; together with the directions beyond the last class they span "
        "the null space."
    ),
    "perturbations": (
        "Every feature is moved by the length of its own null part: inside the null space, in a "
        "random direction, and along the predicted class’s row of W. Shown is the change of the "
        "logits (L2) divided by their length."
    ),
    "image_set": (
        "The photos that the page is computed on. Set SING_IMAGES_DIR to a folder of your own "
        "images, or to a Parquet file, to have them offered here. Of a prepared set the stored "
        "features of all images are taken."
    ),
    "validate_seed": "Chooses the random directions; the conclusions should not depend on it.",
    "feature": (
        "The vector f that enters the classifier's last linear layer, after pooling. "
        "Every score here starts from it."
    ),
    "logits": "W f + b: one number per class, before softmax. The largest one decides.",
    "null_space": (
        "All directions v with W v = 0. A step along them moves no logit, so the classifier "
        "cannot see it."
    ),
    "nullity": (
        "The dimension of the null space, m − rank(W), out of m feature dimensions. A larger null "
        "space alone does not mean that more meaning hides in it."
    ),
    "null_energy": (
        "The length of the feature's null part divided by the length of the feature, "
        "‖Πₙ f‖ / ‖f‖: the share that the last layer ignores."
    ),
    "translator": (
        "An affine map T from the classifier's features to the image–text space, fitted by ridge "
        "regression. It lets a prompt be compared with a feature."
    ),
    "reference": (
        "The image–text space in which angles are measured. The embedded one is called mini; it is "
        "small, trained by this project, and it is not CLIP."
    ),
    "pick_reference": (
        "The image–text space in which angles are measured, on all pages. More of them can be "
        "loaded in the Library; a classifier needs a translator into each."
    ),
    "reading": (
        "Raw: angles between the embeddings as they are. Centred: the mean embedding of images is "
        "taken from images and that of texts from texts first. What all share then counts for "
        "nothing, and angles lie further apart. Do not compare the two."
    ),
    "image_score": (
        "IS (eq. 8): the angle between T(f) and T(f̃), in degrees. How far the meaning of the "
        "whole feature moved. In the paper's Fig. 10, hardly anything is visible below 10°."
    ),
    "attribute_score": (
        "AS (eq. 7): angle(T(f), text) − angle(T(f̃), text), in degrees. Positive: the equivalent "
        "is nearer to the prompt. |AS| never exceeds IS. Compare it with the average over all "
        "concepts: only what exceeds it is particular to the prompt. A step that is made for a "
        "text comes nearer to it whatever it says, nonsense too: what the feature hides by itself "
        "is what taking the null part away shows."
    ),
    "logit_drift": (
        "The largest absolute difference between the logits of f and of f̃, in the head's own "
        "float32 arithmetic. Above 1e-5 of the largest logit no score is given."
    ),
    "epsilon": (
        "ε: the length of the step inside the null space, an absolute length in the units of the "
        "feature, not a multiple of it. Compare it with ‖f‖, shown with the curves."
    ),
    "prompt": (
        "The text target. Pick one of the 1,000 classes or type your own words; scores say how far "
        "the step moves towards them."
    ),
    "head": (
        "What has to stand still: all logits; only those of chosen classes; only the "
        "probabilities; or all but a little, where directions that the layer reads weakly count "
        "as unread and the logits drift by what is shown."
    ),
    "mode": (
        "Steer: step along the prompt's gradient, projected into the null space (eq. 13). Remove: "
        "take the feature's own null part away (eq. 9)."
    ),
    "target": (
        "The image score where the slider starts; it has a mark of its own. The step is computed "
        "in closed form; when no step reaches it, the page says so."
    ),
    "interval": (
        "The 95 % interval of the mean. Where it includes 0, the sign of the mean is not decided."
    ),
    "directed": (
        "Taking anything away from a feature shortens it, which alone turns it a little. The "
        "directed part of AS is what would change its sign if the null part pointed the other way: "
        "0 on average for a null part that points nowhere, however long it is."
    ),
    "p_adjusted": (
        "Of “the directed part is 0 on average” (t test), corrected for the number of rows by "
        "Benjamini and Hochberg: among the rows up to 0.05, about 5 % are found by chance. Rows "
        "that a filter hides are counted too: narrowing the table changes no p."
    ),
    "concept_as": (
        "AS towards the concept, with the interval of its mean. Verdict and p are not about it: "
        "they are about its directed part, which leaves out what shortening alone does, so that "
        "they can differ from where this interval lies."
    ),
    "verdict": (
        "Of null removal, by the directed part of AS. Towards: taking the null part away turns the "
        "images towards the concept, so it pointed away. Away: it turns them away, so it pointed "
        "there. Not decided: the corrected test cannot tell. Differs by kind of images: "
        "towards on one kind and away on another, so that pooled there is no answer."
    ),
    "concept_by_kind": (
        "The directed part of AS on each kind of images by itself, degrees, with its own test, "
        "corrected over the list."
    ),
    "joint": (
        "A point per class; the ellipse holds 95 % of a normal cloud with the points’ spread; the "
        "cross is the mean over classes with its 95 % intervals."
    ),
    "controls": (
        "A larger null space removes more, whatever it hides. Fifty random subspaces of the same "
        "dimension, and the same scaled to remove as much of the feature’s length, show what size "
        "alone does; as many directions that the head does read, what seen ones do. The interval "
        "of a difference holds the spread of the draws. Place 1 is below all fifty, 51 above."
    ),
    "deciding": (
        "What must not move. A head that reads every direction of its features has no null space. "
        "Where the same classes decide for every classifier, each keeps what these do not read; "
        "only their images count. The share still differs: 200 classes leave 1,080 of 1,280 "
        "dimensions (84 %) and 184 of 384 (48 %). So compare each with random subspaces that "
        "remove as much."
    ),
    "dimensions": (
        "A larger null space takes more away. “As many for each” keeps of every larger one only as "
        "many directions as the smallest has: those along which these images’ null parts are "
        "longest, so that removing them comes nearest to removing all. This is generous to the "
        "larger one; its random subspaces, as large as it was, are cut in the same way."
    ),
    "ratio": (
        "IS over |AS|: how far the whole meaning moves for each degree towards or away from the "
        "class. Every class counts once; intervals come from resampling classes."
    ),
    "steered": (
        "Every image is steered towards the prompt until its image score is the wanted one; |AS| "
        "is then how far it came towards the prompt. Images that no step brings there, or only one "
        "so long that rounding moves a logit, are counted. By one step for all: as long as brings "
        "the mean image score to the wanted one (the paper’s Table 1)."
    ),
    "source": (
        "Steer the images of one class alone, as the paper does from sports car to jellyfish. "
        "Intervals are then over images."
    ),
    "feasible_steps": (
        "IS of the nearest feature to the steered one that a network which ends in a ReLU can "
        "produce (no negative entries), its logits moving by at most 3 % of the largest. Asked of "
        "the easiest targets."
    ),
    "targets": (
        "Every image of the class is steered towards each other class until its image score is the "
        "wanted one. The logits stand still; the larger AS, the nearer it comes to the other name."
    ),
    "p_equivalent": (
        "Of “mean AS lies outside ± this many degrees” (two one-sided t tests, corrected). Small: "
        "AS is as good as 0. A failed test of “AS is 0” would not show that."
    ),
    "bound": (
        "Mean AS within ± this many degrees counts as good as 0 in the equivalence test. 0 takes a "
        "fifth of the standard deviation of mean AS over the reference’s vocabulary, on the same "
        "images; set your own before looking at the results, and press Measure."
    ),
    "untouched": (
        "Yes: close, see the notes above, and shown by the equivalence test to be as good as 0. "
        "A dash: not shown."
    ),
    "spurious": (
        "Yes: loosely related to the class, see the notes above, and shown to hardly move. A dash: "
        "not shown; of a whole set nothing is."
    ),
    "concepts": (
        "The nearest of 1,000 classes and more than 150 attributes, by angle in the image–text "
        "space: smaller is nearer."
    ),
    "head_transfer": (
        "One linear head is trained on features without their null part, another on the "
        "translations of these; both are judged on images that neither has seen. If translation "
        "keeps what decides the class, the two accuracies go together over classifiers."
    ),
    "concept_view": (
        "Arrows: each concept’s angle before and after. Network: concepts of nearly the same "
        "meaning are joined and lie near each other; blue ones the images move towards, red ones "
        "away from; the larger, the nearer; diamonds are not decided. Star: the images stand in "
        "the middle, and each concept as far from them as the angle is; a ring is where it stands "
        "without the null part."
    ),
}

TERMS = {
    "Feature f": "feature",
    "Logits": "logits",
    "Null space": "null_space",
    "Nullity": "nullity",
    "Null energy": "null_energy",
    "Translator T": "translator",
    "Image–text reference": "reference",
    "Raw and centred reading": "reading",
    "Image score (IS)": "image_score",
    "Attribute score (AS)": "attribute_score",
    "Logit drift": "logit_drift",
    "Step ε": "epsilon",
    "Prompt": "prompt",
    "Steer and remove": "mode",
    "Concepts": "concepts",
}

EQUIVALENT_NOTE = (
    "The scores are properties of the feature and of the reference's geometry; they do not say "
    "what the network “thinks”."
)
REFERENCE_NOTE = (
    "All angles are measured in **{reference}**, a small image–text reference trained by this "
    "project. It is not CLIP; see Method for its limits."
)
OTHER_REFERENCE_NOTE = (
    "All angles are measured in **{reference}**, a reference that was loaded on this machine: they "
    "cannot be compared with angles in another one."
)
CENTRED_NOTE = (
    "They are **read centred**: the mean embedding of images and that of texts were taken away, "
    "so they cannot be compared with raw angles either."
)
NO_SUCH_REFERENCE = (
    "The reference “{what}” is not loaded on this server, so angles are measured in the default "
    "one. Load it in the Library and choose it again."
)
OWN_TRANSLATOR_NOTE = (
    "The translator is one that was fitted or imported on this machine, not one of the product."
)
BOUND_NOTE = (
    "“As good as 0” means: shown to lie within ±{bound}°. The default, ±{default}°, is a fifth "
    "of the standard deviation ({spread}°) of mean AS over the {size} concepts of the reference’s "
    "own vocabulary, on these images (by Cohen’s convention a small difference); {within} of them "
    "lie within it. It can be changed in the form above, best before looking at the results."
)
RELATION_NOTE = (
    "**Close** is a concept to which the images lie nearer than to all but ten of that vocabulary. "
    "**Spurious**, in the paper’s sense, may be one that hardly moves and is loosely related: of "
    "the nearest tenth, but in words that are not among the ten that mean most nearly the class."
)
SHARED_TOWER_NOTE = (
    "**{model} is measured in its own image tower.** The {reference} reference is built on the "
    "frozen image tower of this classifier, so translation is easier here than for any other "
    "model: do not compare its scores with theirs."
)
