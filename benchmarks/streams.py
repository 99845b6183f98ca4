"""Time and memory of datasets on disk, as they grow.

`python -m benchmarks.streams FOLDER` needs 2.1 GB of disk there: files are sparse. Nine of ten
blocks of a thousand vectors are holes, which read as zeros, and one is normal numbers. Each case is
a process of its own. Seconds are the processor's, all threads together; memory is the largest
resident set above that of jax (Linux). Both go to benchmarks/results/streams.csv.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.timing import PEAK, show
from lcrjax import native

RESULTS = Path(__file__).parent / "results" / "streams.csv"
BLOCK = 1000
REAL = 10  # one block in so many has numbers
FLOATS, BYTES = 512, 64  # components
KERNELS = "all" if native.complete() else native.in_words()  # which take other times
GAUSSIAN = "similarity=lcrjax.Gaussian(32.0)"  # the distance of two vectors
#: Names, and what `measure` is asked beside the elements and labels.
ESTIMATES = {
    "1,024 rows": f"{GAUSSIAN}, rows=1024",
    "4,096 rows, 16,384 columns": f"{GAUSSIAN}, rows=4096, columns=16384",
}

ONCE = (
    PEAK
    + """
import time
import jax, lcrjax, numpy as np

jax.numpy.zeros(1).block_until_ready()
before = peak()
x = np.load("{path}", mmap_mode="r")
labels = np.arange(len(x)) // 7 % 10
start = time.process_time()
lcrjax.measure(lcrjax.Stream(x), labels, q=(0, 1, 2), {asked})
print(time.process_time() - start, peak() - before)
"""
)


def write(path: Path, n: int, d: int, dtype: str, real: int) -> None:
    """A file of n elements, of which one block in `real` has numbers."""
    rng, shape = np.random.default_rng(0), (BLOCK, d)
    out = np.lib.format.open_memmap(path, "w+", dtype, (n, d))
    for start in range(0, n, BLOCK * real):
        block = rng.integers(0, 256, shape) if dtype == "u1" else rng.normal(size=shape)
        out[start : start + BLOCK] = block
    out.flush()


def once(path: Path, asked: str) -> tuple[float, float]:
    """Seconds and MiB of one call in a process of its own."""
    command = [sys.executable, "-c", ONCE.format(path=path, asked=asked)]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    seconds, memory = map(float, found.split())
    return seconds, memory


def main() -> None:
    """Measure estimates of growing n, and all pairs of some."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="for the files, which are removed")
    parser.add_argument("--estimates", type=int, nargs="*", default=[10**5, 10**6, 10**7])
    parser.add_argument(
        "--exact", type=int, nargs="*", default=[100_000, 200_000, 400_000, 800_000]
    )
    options = parser.parse_args()
    cases = [
        *((n, FLOATS, "f4", REAL, ESTIMATES) for n in options.estimates),
        *((n, BYTES, "u1", 1, {"all pairs": ""}) for n in options.exact),
    ]
    rows = []
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for n, d, dtype, real, calls in cases:
            path = Path(folder) / "elements.npy"
            write(path, n, d, dtype, real)
            for name, asked in calls.items():
                seconds, memory = once(path, asked)
                rows.append((n, d, dtype, name, round(seconds, 2), round(memory), KERNELS))
                print(*rows[-1], flush=True)
            os.remove(path)
    table = pd.DataFrame(rows, columns=("n", "d", "dtype", "call", "seconds", "MiB", "kernels"))
    table.to_csv(RESULTS, index=False)
    show("Datasets on disk", [tuple(map(str, row)) for row in rows], tuple(table.columns))


if __name__ == "__main__":
    main()
