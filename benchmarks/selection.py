"""Choosing: against apricot's facility location (which stores all pairs), and alone on many images.

Run `python -m benchmarks.selection [--peer 10000] [--chosen 500] [--fashion FOLDER]`; the peer
needs `pip install apricot-select numba`.
"""

import argparse
import importlib.util
import resource
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import lcrjax
from benchmarks.ordinariness import images
from benchmarks.timing import in_turn, once, show
from lcrjax.data import load
from lcrjax.selection import select


def with_apricot(pixels: np.ndarray, count: int, scale: float) -> Any:
    """Indices and the objective, from a matrix of all similarities in float64."""
    from apricot import FacilityLocationSelection
    from sklearn.metrics import pairwise_distances

    vectors = pixels.reshape(len(pixels), -1) / 255.0
    z = np.exp(-scale / np.sqrt(vectors.shape[1]) * pairwise_distances(vectors))
    chosen = FacilityLocationSelection(count, metric="precomputed", optimizer="lazy").fit(z)
    return chosen.ranking, z[:, chosen.ranking].max(axis=1).mean()


def with_lcrjax(pixels: np.ndarray, count: int, scale: float) -> Any:
    """The same from columns as they are wanted."""
    found = select(pixels, count, similarity=f"rmsd:{scale:g}", objective="facility-location")
    return found.indices, found.values[-1]


def against_apricot(n: int, count: int) -> None:
    pixels = images(n)[0]
    programs = {"lcrjax": lambda: with_lcrjax(pixels, count, 10)}
    if importlib.util.find_spec("apricot"):
        programs["apricot"] = lambda: with_apricot(pixels, count, 10)
        ours, its = (programs[name]()[1] for name in ("lcrjax", "apricot"))
        print(f"objective: lcrjax {ours:.9f}, apricot {its:.9f}, apart {abs(ours - its):.1e}")
    times = in_turn(programs)
    rows = [(name, f"{t:.2f}", f"{t / times['lcrjax']:.1f}") for name, t in times.items()]
    title = f"Facility location, {count} of {n:,} images"
    show(title, rows, ("program", "seconds", "times lcrjax"))


def of_many(folder: Path, count: int) -> None:
    dataset = load(folder)
    pixels, labels = dataset.train_images, dataset.train_labels
    lcrjax.measure(pixels[:100], np.arange(100) % 2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name, given in (("by class", labels), ("labels unknown", None)):
        for objective in ("herding", "facility-location"):
            seconds = once(partial(select, pixels, count, given, objective=objective))
            above = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            print(
                f"{count:,} of {len(pixels):,} images, {objective}, {name}: {seconds:.1f} s, "
                f"{above:.0f} MiB above the data",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", type=int, default=10_000)
    parser.add_argument("--chosen", type=int, default=500)
    parser.add_argument("--fashion", type=Path)
    options = parser.parse_args()
    if options.fashion:
        of_many(options.fashion, 2 * options.chosen)
    against_apricot(options.peer, options.chosen)


if __name__ == "__main__":
    main()
