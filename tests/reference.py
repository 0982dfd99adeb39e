"""Slow, obvious versions of the paper's formulas in NumPy: what the product is compared with.

Written from arXiv:2603.14610, section 3, and from nothing in ``sing_core``. Angles use the paper's
arccosine as it stands, in extended precision, where it is good to 1e-7 degrees everywhere.
"""

import numpy as np


def split(weight, rtol=None):
    """Eq. 1: the full SVD, its right singular vectors divided at the rank; (V_p, V_n, sigma)."""
    weight = np.asarray(weight)
    if rtol is None:
        rtol = max(weight.shape) * np.finfo(weight.dtype).eps
    _, sigma, vt = np.linalg.svd(weight.astype(np.float64), full_matrices=True)
    rank = sum(1 for value in sigma if value > rtol * sigma[0])
    return vt[:rank].T, vt[rank:].T, sigma


def principal_projector(weight):
    v_p, _, _ = split(weight)
    return v_p @ v_p.T


def null_projector(weight):
    """Eq. 3."""
    _, v_n, _ = split(weight)
    return v_n @ v_n.T


def remove_null(feature, weight):
    """Eq. 9 for one feature ``(m,)``."""
    feature = np.asarray(feature, np.float64)
    return feature - null_projector(weight) @ feature


def angle_deg(x, y):
    """Eq. 5 for two vectors."""
    x, y = np.asarray(x, np.longdouble), np.asarray(y, np.longdouble)
    x, y = x / np.abs(x).max(), y / np.abs(y).max()
    cosine = (x * y).sum() / (np.sqrt((x * x).sum()) * np.sqrt((y * y).sum()))
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def attribute_score_deg(z, z_equivalent, text):
    """Eq. 7."""
    return angle_deg(z, text) - angle_deg(z_equivalent, text)


def image_score_deg(z, z_equivalent):
    """Eq. 8."""
    return angle_deg(z, z_equivalent)


def ridge(features, embeddings, alpha, weights=None):
    """Eq. 4 by normal equations with a column of ones for the intercept, which is not penalised.

    Returns the ``(d, m)`` matrix and the ``(d,)`` intercept.
    """
    x, z = np.asarray(features, np.float64), np.asarray(embeddings, np.float64)
    share = np.ones(len(x)) if weights is None else np.asarray(weights, np.float64)
    x = np.hstack([x, np.ones((len(x), 1))])
    penalty = alpha * np.eye(x.shape[1])
    penalty[-1, -1] = 0
    theta = np.linalg.solve(x.T @ (share[:, None] * x) + penalty, x.T @ (share[:, None] * z))
    return theta[:-1].T, theta[-1]


def translate(feature, matrix, intercept):
    return np.asarray(matrix, np.float64) @ np.asarray(feature, np.float64) + np.asarray(
        intercept, np.float64
    )


def similarity(feature, matrix, intercept, text):
    """Eq. 10."""
    z, text = translate(feature, matrix, intercept), np.asarray(text, np.float64)
    return float(z @ text / np.linalg.norm(z) / np.linalg.norm(text))


def similarity_gradient(feature, matrix, intercept, text, step=1e-5):
    """Eq. 11 by central differences, one coordinate at a time."""
    feature = np.asarray(feature, np.float64)
    gradient = np.zeros_like(feature)
    for i in range(len(feature)):
        ahead, behind = feature.copy(), feature.copy()
        ahead[i] += step
        behind[i] -= step
        gradient[i] = (
            similarity(ahead, matrix, intercept, text) - similarity(behind, matrix, intercept, text)
        ) / (2 * step)
    return gradient


def exact_similarity_gradient(feature, matrix, intercept, text):
    """Eq. 11 by the quotient rule, term by term."""
    matrix, text = np.asarray(matrix, np.float64), np.asarray(text, np.float64)
    z = translate(feature, matrix, intercept)
    z_length, text_length = np.linalg.norm(z), np.linalg.norm(text)
    first = matrix.T @ text / (z_length * text_length)
    second = (z @ text) * (matrix.T @ z) / (z_length**3 * text_length)
    return first - second


def null_direction(feature, weight, matrix, intercept, text):
    """Eq. 12: the gradient projected into the null space, length 1."""
    gradient = exact_similarity_gradient(feature, matrix, intercept, text)
    inside = null_projector(weight) @ gradient
    return inside / np.linalg.norm(inside)


def steer(feature, direction, epsilon):
    """Eq. 13."""
    return np.asarray(feature, np.float64) + epsilon * np.asarray(direction, np.float64)


def epsilon_for_image_score(z0, w, wanted_deg, rounds=300):
    """The step at which ``z0 + eps w`` stands ``wanted_deg`` from ``z0``, by bisection; or None."""
    z0, w = np.asarray(z0, np.float64), np.asarray(w, np.float64)
    if not w.any() or wanted_deg >= angle_deg(z0, w):
        return None
    low, high = 0.0, np.linalg.norm(z0) / np.linalg.norm(w)
    while image_score_deg(z0, z0 + high * w) < wanted_deg:
        high *= 2
    for _ in range(rounds):
        middle = (low + high) / 2
        if image_score_deg(z0, z0 + middle * w) < wanted_deg:
            low = middle
        else:
            high = middle
    return (low + high) / 2
