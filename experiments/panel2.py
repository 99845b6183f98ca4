"""The second panel: subsets of one size and class balance, from redundant to diverse.

    python -m experiments.panel2 FOLDER_WITH_THE_NPZ_FILES --fashion FOLDER

Seven datasets and Fashion-MNIST, three sizes, ten levels of diversity, each with outliers avoided
and with outliers sought: 480 models, each scored at the criterion, 30 epochs later, and where its
running accuracy first met the criterion. All datasets at 64 images come first, then 128, then 256.
Rows are saved after each block: run the same command to resume. Results lie in
experiments/results/panel2: the study, and once it is finished tables and figures. It takes hours
on two cores.
"""

import argparse
import dataclasses
from pathlib import Path

from rich.console import Console

from experiments.curation import DATASETS, few_tests, load_all
from experiments.options import add_ray
from experiments.panel2_tables import write
from lcrjax.cli.cache import keep_compiled_programs
from lcrjax.cli.display import choose_display
from lcrjax.data import Dataset
from lcrjax.study import StudyConfig, add_measures, run_study
from lcrjax.training import TrainingConfig

RESULTS = Path(__file__).parent / "results" / "panel2"
#: At scale 10 images of a class are told apart; the paper's is 1.
CONFIG = StudyConfig(
    sizes=(64, 128, 256),
    vary="diversity",
    per_bin=1,
    similarity="rmsd:10",
    training=TrainingConfig(beyond=30),
)
#: What is measured once the models are trained.
SIMILARITIES = ("rmsd:1", "rmsd:10", "laplacian:0.5median")


def datasets(folder: Path, fashion: Path) -> list[Dataset]:
    """Load what is studied: with 600 test images at most, and brain at 32 pixels a side."""
    found = load_all(folder, fashion)
    return [dataclasses.replace(few_tests(dataset), name=name) for name, dataset in found]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder of " + ".npz, ".join(DATASETS) + ".npz")
    parser.add_argument("--fashion", type=Path, required=True, help="folder of its IDX files")
    parser.add_argument("--out", type=Path, default=RESULTS)
    add_ray(parser)
    options = parser.parse_args()
    keep_compiled_programs()
    studied = datasets(options.data, options.fashion)
    with choose_display(Console(stderr=True), quiet=False) as display:
        run_study(studied, options.out, CONFIG, progress=display, ray=options.ray)
    add_measures(options.out, SIMILARITIES, studied)
    write(options.out)


if __name__ == "__main__":
    main()
