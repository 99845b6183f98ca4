"""Ordinariness of embeddings by every similarity of vectors, against torch's normalised product.

`python -m benchmarks.similarities` prints the processor's seconds and their ratios: programs take
turns, the least of several calls counts, and time that other programs take from ours does not.
torch (`pip install torch==2.13.0`, the CPU build) is left out where it is not installed.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np

import lcrjax
from benchmarks.ordinariness import CLASSES, weights
from benchmarks.timing import optional, show


def of_vectors(length: float) -> dict[str, Any]:
    """The similarities, with a length in the unit of the distances."""
    return {
        "Laplacian": lcrjax.Laplacian(length),
        "RMSD": lcrjax.RMSD(),
        "Gaussian": lcrjax.Gaussian(length),
        "Matern32": lcrjax.Matern32(length),
        "Matern52": lcrjax.Matern52(length),
        "Cosine": lcrjax.Cosine(),
        "Linear": lcrjax.Linear(),
    }


def cosine_with_torch(x: np.ndarray, w: np.ndarray) -> Callable[[], Any]:
    import torch

    points, table = torch.from_numpy(x), torch.from_numpy(w)

    def run() -> Any:
        unit = points / points.norm(dim=1, keepdim=True)
        blocks = (unit[i : i + 1000] @ unit.T for i in range(0, len(x), 1000))
        return torch.cat([z.clamp(min=0) @ table for z in blocks])

    return run


def median_distance(x: np.ndarray) -> float:
    """Of two thousand pairs."""
    i, j = np.random.default_rng(0).integers(0, len(x), (2, 2000))
    return float(np.median(np.linalg.norm(x[i] - x[j], axis=1)))


def clustered(n: int, d: int, clusters: int, spread: float) -> np.ndarray:
    """Vectors about a few normal centres."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(clusters, d))
    x = centres[rng.integers(0, clusters, n)] + spread * rng.normal(size=(n, d))
    return x.astype(np.float32)


def least(programs: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Least seconds of the processor, all threads together."""
    times = dict.fromkeys(programs, np.inf)
    for _ in range(rounds):
        for name, program in programs.items():
            start = time.process_time()
            jax.block_until_ready(program())
            times[name] = min(times[name], time.process_time() - start)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--embeddings", default="20000x512", help="float32 embeddings, n x d")
    parser.add_argument("--rounds", type=int, default=5, help="calls of each program")
    options = parser.parse_args()
    n, d = map(int, options.embeddings.split("x"))
    x = np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)
    w = weights(np.arange(n) % CLASSES)

    def programs(x: np.ndarray) -> dict[str, Callable[[], Any]]:
        similarities = of_vectors(median_distance(x)).items()
        return {name: partial(lcrjax.ordinariness, x, w, z) for name, z in similarities}

    of_normal = programs(x)
    torch = optional("torch", lambda: cosine_with_torch(x, w))
    more = {} if torch is None else {"torch": torch}
    more["Cosine of a ReLU"] = partial(lcrjax.ordinariness, np.maximum(x, 0), w, lcrjax.Cosine())
    found = least(of_normal | more, options.rounds)
    rows = [
        (name, f"{seconds:.3f}", f"{seconds / found['Laplacian']:.2f}",
         f"{found['torch'] / seconds:.1f}" if "torch" in found else "")
        for name, seconds in found.items()
    ]  # fmt: skip
    columns = ("similarity", "seconds", "times Laplacian", "torch's times that")
    show(f"Normal embeddings, {n:,} x {d} float32, {CLASSES} classes", rows, columns)
    rows = []
    for clusters in (2, 10, 40, n // 100):
        for spread in (0.01, 0.1):
            times = least(programs(clustered(n, d, clusters, spread)), options.rounds)
            ratios = (f"{times[name] / found[name]:.2f}" for name in times)
            rows.append((f"{clusters}, {spread}", *ratios))
    title = "Clusters (number, spread): times normal embeddings"
    show(title, rows, ("", *of_normal))


if __name__ == "__main__":
    main()
