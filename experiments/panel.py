"""The replication panel: the paper's experiment on six medical datasets and handwritten digits.

Run `python -m experiments.panel FOLDER_WITH_THE_NPZ_FILES`. It takes hours on two cores: run the
same command to resume. Results lie in experiments/results/panel.
"""

import argparse
from pathlib import Path

from rich.console import Console

from experiments.options import add_ray
from experiments.panel_tables import write
from lcrjax.cli.cache import keep_compiled_programs
from lcrjax.cli.display import choose_display
from lcrjax.report import conduct_study

DATASETS = ("blood", "pneumonia", "covid2", "mednist", "brain", "breast")
RESULTS = Path(__file__).parent / "results" / "panel"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of " + ".npz, ".join(DATASETS) + ".npz")
    parser.add_argument("--out", type=Path, default=RESULTS)
    add_ray(parser)
    options = parser.parse_args()
    sources = ["digits", *(str(options.data / f"{name}.npz") for name in DATASETS)]
    keep_compiled_programs()
    with choose_display(Console(stderr=True), quiet=False) as display:
        conduct_study(sources, options.out, "panel", progress=display, ray=options.ray)
    write(options.out)


if __name__ == "__main__":
    main()
