"""The whole family from a given similarity matrix, against sentropy; and its digits.

Run `python -m benchmarks.family`; sentropy needs PyTorch: `pip install torch==2.13.0` (the CPU
build) and then `pip install sentropy`.
"""

import argparse
from typing import Any

import numpy as np

import lcrjax
from benchmarks.timing import optional, seconds, show

ORDERS = (0.0, 0.5, 1.0, 2.0, np.inf)


def with_sentropy(counts: np.ndarray, z: np.ndarray) -> Any:
    from sentropy import Set

    return lambda: Set(counts, similarity=z).to_dataframe(ORDERS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="100,1000,4000")
    parser.add_argument("--classes", type=int, default=10)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    rows = []
    for n in map(int, options.sizes.split(",")):
        counts = rng.integers(0, 5, (n, options.classes)).astype(np.float32)
        x = rng.random((n, 3))
        z = np.exp(-np.sqrt(((x[:, None] - x) ** 2).sum(-1))).astype(np.float32)
        ours = seconds(lambda c=counts, z=z: lcrjax.diversity(c, z, q=ORDERS))
        line = [f"{n:,}", f"{1e3 * ours:.1f}"]
        peer = optional("sentropy", lambda c=counts, z=z: with_sentropy(c, z))
        if peer is not None:
            theirs = seconds(peer)
            line += [f"{1e3 * theirs:.1f}", f"{theirs / ours:.1f}"]
        rows.append(tuple(line))
    columns = ("elements", "lcrjax, ms", "sentropy, ms", "ratio")
    title = f"Nine measures, {options.classes} classes and dataset, {len(ORDERS)} orders"
    show(title, rows, columns[: len(rows[0])])


if __name__ == "__main__":
    main()
