"""The rotation that turns points best onto others, for many sets of points at once and without a decomposition each."""

from array_api_compat import array_namespace

STEPS = 16
# The least zeta of `best_rotation`: rounding then costs 1e-9 of a rotation at most.
LEAST_DETERMINED = 1e-3
CONVERGED = 1e-13


def best_rotation(correlation):
    """Rotation R, determinant +1, with the largest trace of R^T K, and that trace.

    The largest root of the characteristic polynomial of Horn's matrix, by Newton's method from above, gives R in
    closed form (Markley, "Attitude determination using vector observations: a fast optimal matrix algorithm", 1993).
    With singular values a >= b >= c, c negative if K mirrors, its rounding errors grow with 1 / zeta^2, where
    zeta = (a + b)(b + c)(c + a). Where zeta is small, points lie on a line or are mirrored, and the singular value
    decomposition takes over.

    Args:
        correlation: K, (..., 3, 3), float64, scaled so that a + b + c is at most 1.

    Returns:
        (..., 3, 3) and (...).
    """
    xp = array_namespace(correlation)
    flat = xp.reshape(correlation, (-1, 3, 3))
    # Matrix axes first: every operation below then runs along the sets of points.
    k = xp.stack([xp.stack([flat[:, row, column] for column in range(3)]) for row in range(3)])
    cofactors = xp.stack([_cross(xp, k[1], k[2]), _cross(xp, k[2], k[0]), _cross(xp, k[0], k[1])])
    determinant = xp.sum(k[0] * cofactors[0], axis=0)
    square, cofactor_square = (xp.sum(xp.sum(part * part, axis=0), axis=0) for part in (k, cofactors))
    trace, step = xp.ones_like(determinant), xp.ones_like(determinant)
    for _ in range(STEPS):
        excess = trace * trace - square
        slope = 4 * trace * excess - 8 * determinant
        residual = excess * excess - 8 * trace * determinant - 4 * cofactor_square
        step = residual / xp.where(slope > 0, slope, 1)
        trace = trace - step
        if bool(xp.all(xp.abs(step) < CONVERGED)):
            break
    half = (trace * trace - square) / 2
    zeta = half * trace - determinant
    gram = xp.sum(k[:, None] * k[None], axis=2)
    cubic = xp.sum(gram[:, :, None] * k[None], axis=1)
    good = (zeta > LEAST_DETERMINED) & (xp.abs(step) < CONVERGED)
    rotation = ((half + square) * k + trace * cofactors - cubic) / xp.where(good, zeta, 1)
    rotation = xp.permute_dims(rotation, (2, 0, 1))
    if not bool(xp.all(good)):
        rotation[~good], trace[~good] = decomposed(flat[~good])
    return xp.reshape(rotation, correlation.shape), xp.reshape(trace, correlation.shape[:-2])


def decomposed(correlation):
    """The same by singular value decomposition; arguments and result as `best_rotation`, any scale."""
    xp = array_namespace(correlation)
    left, singular, right = xp.linalg.svd(correlation, full_matrices=False)
    sign = xp.sign(xp.linalg.det(left) * xp.linalg.det(right))[..., None]
    signs = xp.concat((xp.ones_like(singular[..., :2]), sign), axis=-1)
    return (left * signs[..., None, :]) @ right, xp.sum(singular * signs, axis=-1)


def _cross(xp, a, b):
    return xp.stack([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])
