"""Help texts of the tables about classes and kinds of images."""

CLASS_HELP = {
    "contrast": (
        "The directed part of AS towards the class’s own name, minus its mean over the names of "
        "all classes. Negative: removing the null part turns the images away from their own name "
        "more than from names in general."
    ),
    "class_as": (
        "AS towards the class’s own name, with the interval of its mean. Verdict and p are not "
        "about it: they are about the own name beside the names of all classes, one column to the "
        "left, so that they can differ from where this interval lies."
    ),
    "contrast_p": (
        "Of “the own name is one like any other” or “its images do not agree”, whichever is more "
        "likely: a t test over images, and the place of the own name among 25 names of other "
        "classes. Corrected for the number of classes by Benjamini and Hochberg; rows that a "
        "filter hides are counted too."
    ),
    "class_verdict": (
        "Towards: without its null part the feature is nearer to the class’s own name, by more "
        "than it would be to another class’s name. Away: it is further. Not decided: the corrected "
        "test cannot tell."
    ),
    "stratum": (
        "A set can hold several kinds of images, such as full photographs and small ones. What "
        "holds of one kind need not hold of another: choose one, or pool them."
    ),
    "agreement": (
        "Spearman’s rank correlation over classes with at least four images. Half of a class’s "
        "images are averaged under one classifier, the other half under the other (mean of 50 "
        "random halvings): on the same photographs two classifiers agree about the photograph, "
        "which is not to agree about the class. Intervals by a jackknife over classes."
    ),
}
