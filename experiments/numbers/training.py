"""Numbers of the pages on training, from the rows of the recipes, or computed."""

import functools
import math
import re
from collections.abc import Iterator

import jax
import pandas as pd

from experiments import recipe
from experiments.numbers.pages import cells_of
from lcrjax.training.networks.resnet18 import resnet18

_AGAINST_PYTORCH = (
    "3×3 stride 1",
    "7×7 stride 2",
    "64, 16 subsets",
    "256, 16 subsets",
    "1,024, 4 subsets",
)


@functools.cache
def recipes() -> pd.DataFrame:
    return pd.read_csv(recipe.RESULTS / "rows.csv")


def training() -> Iterator[str]:
    yield f"standard error there is {100 * math.sqrt(0.99 * 0.01 / 2048):.1f} %"


def training_notes() -> Iterator[str]:
    yield from recipe.pooled(recipes()).replace("-0.", "−0.").splitlines()[2:]
    counts = recipe.SUBSETS
    yield (
        f"{counts[64]} of 64 images, {counts[256]} of 256 and {counts[1024]} of 1,024 "
        "of each dataset"
    )
    cells = recipes().pivot(index=["dataset", "n", "subset"], columns="recipe", values="bacc")
    apart = cells.sub(cells[recipe.CHOSEN], axis=0).groupby(["dataset", "n"]).mean()
    epochs = recipes().groupby(["recipe", "n"])["epochs"].mean()
    times = (epochs / epochs[recipe.CHOSEN]).round(1)
    batch16, batch64, fast = (
        f"Adam {text}" for text in ("1e-3, batch 16", "1e-3, batch 64", "3e-3, batch 32")
    )

    def gain(name: str, dataset: str, n: int) -> str:
        return f"{apart.loc[(dataset, n), name]:.2f}".replace("0.", ".")

    yield f"on digits and blood ({gain(fast, 'digits', 64)} and {gain(fast, 'blood', 64)}), not"
    yield (
        f"on digits and blood ({gain(batch16, 'digits', 64)} and {gain(batch16, 'blood', 64)}) at "
        f"{times[batch16, 64]} times the epochs"
    )
    yield f"at {times[batch16, 256]} and {times[fast, 256]} times the epochs (digits gain"
    yield f"gain {gain(batch16, 'digits', 256)} from batches of 16, pneumonia"
    yield f"loses {gain(fast, 'pneumonia', 256).lstrip('-')} to 3e-3)"
    yield f"perhaps ahead at {times[batch16, 1024]} and {times[fast, 1024]} times"
    yield f"at {times[batch64, 256]} to {times[batch64, 1024]} times the epochs, but"
    blood = recipes()[(recipes()["recipe"] == recipe.CHOSEN) & (recipes()["dataset"] == "blood")]
    mean = blood.groupby("n")["epochs"].mean()
    yield f"({mean[64]:.0f} epochs at 64 images, {mean[1024]:.0f} for 1,024 of blood, up to 1,000)"
    yield f"{parameters(8)} instead of {parameters(32)} million parameters"
    for row in _AGAINST_PYTORCH:
        speeds = [re.match(r"[\d.]+", cell) for cell in cells_of("training-notes.md", row)[:2]]
        ours, theirs = (float(found[0]) for found in speeds if found)
        yield f"| {row} |…|…| {max(ours, theirs) / min(ours, theirs):.1f} |"


def parameters(side: int) -> str:
    """Millions of parameters of ResNet-18 for ten classes of grey images so many pixels a side."""
    shapes = jax.eval_shape(
        lambda key: resnet18.init(key, (side, side, 1), 10)[0], jax.random.key(0)
    )
    return f"{sum(leaf.size for leaf in jax.tree.leaves(shapes)) / 1e6:.1f}"
