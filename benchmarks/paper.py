"""Training time of the paper's 4,599 models, from seconds per model of a few subset sizes."""

from collections.abc import Mapping

import numpy as np

DATASETS = 7
MODELS = {64: 596, 128: 628, 256: 637, 384: 639, 512: 631, 768: 622, 1024: 587, 2048: 259}


def whole_paper(per_model: Mapping[int, float]) -> float:
    """Project the seconds that training the models of the paper's Table III takes.

    Args:
        per_model: Seconds per model for at least two subset sizes.

    Returns:
        Seconds. Between sizes the logarithm of the seconds is interpolated linearly in the
        logarithm of the size, beyond them the nearest two sizes are continued.
    """
    sizes = sorted(per_model)
    x, y = np.log(sizes), np.log([per_model[n] for n in sizes])
    total = 0.0
    for n, count in MODELS.items():
        left = int(np.clip(np.searchsorted(x, np.log(n)) - 1, 0, len(x) - 2))
        slope = (y[left + 1] - y[left]) / (x[left + 1] - x[left])
        total += count * float(np.exp(y[left] + slope * (np.log(n) - x[left])))
    return total
