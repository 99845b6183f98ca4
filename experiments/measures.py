"""What predicts performance beside the paper's diversities: more measures of the panel's subsets.

Run `python -m experiments.measures FOLDER_WITH_THE_NPZ_FILES`. It measures the finished panel again
with six similarities, which takes two minutes or so, and writes experiments/results/measures.
"""

import argparse
from pathlib import Path

from experiments.measures_tables import write
from experiments.panel import RESULTS as PANEL
from experiments.scales import measure_scales
from lcrjax.study import add_measures

#: The last is exp(-s RMSD) with 2 / s the median RMSD of a dataset: see experiments/scales.py.
SIMILARITIES = (*(f"rmsd:{scale}" for scale in (1, 3, 10, 30, 50)), "laplacian:0.5median")
RESULTS = Path(__file__).parent / "results" / "measures"


def say(what: str, share: float) -> None:
    """Print what begins."""
    if not share:
        print(what, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of the panel's .npz files")
    parser.add_argument("--panel", type=Path, default=PANEL)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    table = add_measures(options.panel, SIMILARITIES, data=options.data, progress=say)
    write(table, options.out)
    measure_scales(options.panel, options.data, options.out)


if __name__ == "__main__":
    main()
