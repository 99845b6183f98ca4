"""What each element adds, against one `measure`; the most diverse mixture, against SciPy's SLSQP.

Run `python -m benchmarks.contributions [--images 60000] [--mixture 2000] [--peer 100]`.
"""

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.spatial.distance import cdist

import lcrjax
from benchmarks.ordinariness import images
from benchmarks.timing import in_turn, once, show
from lcrjax.selection import contributions, maximum_diversity


def against_measure(n: int) -> dict[str, float]:
    """Seconds of `measure` at one viewpoint, and of contributions to its numbers."""
    pixels, labels = images(n)
    programs: dict[str, Callable[[], Any]] = {
        "measure": lambda: lcrjax.measure(pixels, labels, q=1).dataset_level["alpha"]
    }
    for name in ("A_0", "A_1", "A_inf", "R_1", "G_1"):
        programs[name] = lambda name=name: contributions(pixels, labels, measure=name)
    for name in ("A_1", "G_1"):
        programs[f"{name}, abundance"] = lambda name=name: contributions(
            pixels, labels, measure=name, change="abundance"
        )
    return in_turn(programs)


def with_slsqp(z: np.ndarray) -> Any:
    """The programme as SciPy's general solver takes it."""
    n = len(z)
    return minimize(
        lambda p: p @ z @ p,
        np.full(n, 1 / n),
        jac=lambda p: 2 * z @ p,
        bounds=[(0, None)] * n,
        constraints={"type": "eq", "fun": lambda p: p.sum() - 1, "jac": np.ones_like},
        method="SLSQP",
        options={"maxiter": 1000, "ftol": 1e-15},
    ).x


def kernel(n: int, d: int = 5) -> np.ndarray:
    x = np.random.default_rng(0).normal(size=(n, d))
    return np.exp(-cdist(x, x))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--mixture", type=int, default=2_000)
    parser.add_argument("--peer", type=int, default=100)
    options = parser.parse_args()
    z = kernel(options.peer)
    times = in_turn(
        {"lcrjax": lambda: maximum_diversity(z).value, "SLSQP": lambda: with_slsqp(z)}, 1
    )
    p = with_slsqp(z)
    worse = 1 - maximum_diversity(z).value ** -1 / (p @ z @ p)
    rows = [(name, f"{t:.4f}", f"{t / times['lcrjax']:.1f}") for name, t in times.items()]
    title = f"Most diverse mixture of {options.peer:,}; SLSQP's p'Zp is {worse:.1e} above ours"
    show(title, rows, ("program", "seconds", "times lcrjax"))
    rows = []
    for d in (1, 2, 5, 50):
        z = kernel(options.mixture, d)
        seconds = once(lambda z=z: maximum_diversity(z).value)
        found = maximum_diversity(z)
        rows.append((f"{d} dimensions", f"{seconds:.2f}", f"{found.residual:.1e}"))
    show(f"The same of {options.mixture:,}, exp(-d)", rows, ("vectors", "seconds", "residual"))
    times = against_measure(options.images)
    rows = [(name, f"{t:.2f}", f"{t / times['measure']:.2f}") for name, t in times.items()]
    show(f"Contributions of {options.images:,} images", rows, ("", "seconds", "times measure"))


if __name__ == "__main__":
    main()
