"""Ready-made studies: minutes on a laptop, a panel of datasets, the paper's own."""

import dataclasses
from collections.abc import Mapping

from lcrjax.study.config import StudyConfig


@dataclasses.dataclass(frozen=True)
class Preset:
    """A study that needs no further choices.

    Attributes:
        summary: What it is for, and about how long it takes.
        datasets: Sources to load where the user names none; none means that the user must.
        extra: Whether datasets that the user names are added to `datasets` instead of replacing
            them.
        config: Sizes, counts and recipe.
    """

    summary: str
    datasets: tuple[str, ...]
    config: StudyConfig
    extra: bool = False


PRESETS: Mapping[str, Preset] = {
    "quick": Preset(
        summary="scikit-learn's handwritten digits, offline, minutes on two cores",
        datasets=("digits",),
        config=StudyConfig(sizes=(64, 128, 256, 512), per_bin=1, candidates=100_000),
    ),
    "panel": Preset(
        summary="datasets of your choice up to 1,024 images, about 20 subsets of each size; hours",
        datasets=(),
        config=StudyConfig(sizes=(64, 128, 256, 512, 768, 1024), per_bin=1, skip_impossible=True),
    ),
    "paper": Preset(
        summary="the paper's four MedMNIST datasets, and COVID, CHD and AVC where you have them "
        "as .npz, with the sizes and counts of its Table III; a GPU is advised",
        datasets=("pathmnist", "bloodmnist", "organamnist", "organcmnist"),
        # Table III has half as many subsets of 2,048 images: two per bin.
        config=StudyConfig(
            sizes=(64, 128, 256, 384, 512, 768, 1024, 2048),
            per_bin=4,
            per_bin_at={2048: 2},
            skip_impossible=True,
        ),
        extra=True,
    ),
}
