"""Columns of a study's table (paper, section III-E): name, type, meaning and origin of each."""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

from jaxtyping import Float

from lcrjax.measures.family import Family
from lcrjax.numerics.arrays import namespace
from lcrjax.numerics.groupings import AnyArray, Grouping


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of a study's table.

    Attributes:
        name: Its name.
        type: Its type, as Arrow calls it.
        meaning: What it holds.
        known: Its values from a block of subsets and their dataset; None where measuring or
            training tells them.
        untrained: Its value for a subset that could not be trained.
        timing: Whether two runs of the same study may differ in it.
    """

    name: str
    type: str
    meaning: str
    known: Callable[[Any, Any], Any] | None = None
    untrained: Any = math.nan
    timing: bool = False


#: The 27 candidate features: 26 diversities of a subset, and its size.
FEATURES: tuple[str, ...] = (
    "A_0", "A_1", "A_inf",
    "R_0", "R_1", "R_inf",
    "G_0", "G_1", "G_inf",
    "min_alpha_0", "min_alpha_1",
    "min_rho_0", "min_rho_1",
    "min_gamma_0", "min_gamma_1",
    "max_alpha_0", "max_alpha_1", "max_alpha_inf",
    "max_rho_0", "max_rho_1", "max_rho_inf",
    "max_gamma_0", "max_gamma_1", "max_gamma_inf",
    "CB_1", "CB_inf",
    "size",
)  # fmt: skip

#: Viewpoints, and how the features call them.
ORDERS = {"0": 0.0, "1": 1.0, "inf": math.inf}


def feature_columns(
    family: Family, classes: Grouping, size: float
) -> dict[str, Float[AnyArray, " B"]]:
    """Choose the columns out of the family of B subsets.

    Args:
        family: At the viewpoints of `ORDERS`.
        classes: Which of the family's classes belong to which subset.
        size: Number of elements of each subset.
    """
    columns = {}
    for measure, letter in {"alpha": "A", "normalized_rho": "R", "gamma": "G"}.items():
        short, levels = measure.removeprefix("normalized_"), family.class_level[measure]
        xp = namespace(levels)
        absent = xp.isnan(levels)  # a class that the subset lacks
        least = classes.least(xp.where(absent, xp.inf, levels))
        largest = classes.largest(xp.where(absent, -xp.inf, levels))
        for i, q in enumerate(ORDERS):
            columns[f"{letter}_{q}"] = family.dataset_level[measure][i]
            columns[f"min_{short}_{q}"], columns[f"max_{short}_{q}"] = least[i], largest[i]
    for i, q in enumerate(ORDERS):
        columns[f"CB_{q}"] = family.class_balance[i]
    columns["size"] = xp.full_like(columns["CB_0"], size)
    return {name: columns[name] for name in FEATURES}


#: One model for every single feature.
SINGLES: tuple[tuple[str, ...], ...] = tuple((name,) for name in FEATURES)

_KEYS = (
    Column("dataset", "string", "name of the dataset", lambda block, dataset: block.dataset),
    Column(
        "subset",
        "int64",
        "its number among those of this dataset and size",
        lambda block, dataset: range(block.first, block.first + len(block.seeds)),
    ),
    Column("n", "int64", "images of the subset", lambda block, dataset: block.n),
    Column("seed", "int64", "seed of its training", lambda block, dataset: block.seeds),
)
_PARAMETERS = (
    Column("n_pixels", "int64", "pixels of an image", lambda block, dataset: dataset.n_pixels),
    Column("n_channels", "int64", "its channels", lambda block, dataset: dataset.n_channels),
    Column("n_classes", "int64", "classes", lambda block, dataset: dataset.n_classes),
)
#: Outcomes of training: what it fills, of `train_subsets` or what stands in its place.
OUTCOMES: tuple[Column, ...] = (
    Column("acc", "float64", "accuracy on the test set"),
    Column("bacc", "float64", "balanced accuracy on the test set"),
    Column("auc", "float64", "area under the ROC curve, mean over the classes"),
    Column("auc_micro", "float64", "the same over all classes' probabilities together"),
    Column("epochs", "int64", "epochs trained", untrained=0),
    Column("train_accuracy", "float64", "accuracy on the subset itself"),
    Column("converged", "bool", "whether that met the criterion", untrained=False),
    Column("failure", "string", "why it could not be trained, if so"),
    Column("seconds", "float64", "wall time of its training", untrained=0.0, timing=True),
)


def _of_design(name: str) -> Callable[[Any, Any], Any]:
    return lambda block, dataset: block.design[name]


#: Where a subset stands in a design that varies diversity.
DESIGN: tuple[Column, ...] = tuple(
    Column(name, kind, meaning, _of_design(name))
    for name, kind, meaning in (
        ("level", "int64", "of diversity, from 0, the most redundant"),
        ("outliers", "string", "whether they were avoided or sought"),
        ("composition", "int64", "number of its class counts among those of its size"),
        ("checksum", "int64", "of its images' places"),
    )
)
#: Outcomes again of models that go on beyond their stop; see `train_subsets`.
LATER: tuple[Column, ...] = tuple(
    Column(f"{column.name}_{when}", "float64", f"{column.meaning}, {said}")
    for when, said in (
        ("beyond", "of the model so many epochs after it stopped"),
        ("running", "of the model whose running accuracy first met the criterion"),
    )
    for column in OUTCOMES[:6]
)

#: The columns of every study's table, in their order.
COLUMNS: tuple[Column, ...] = (
    *_KEYS,
    *(Column(name, "float64", "a feature") for name in FEATURES),
    *_PARAMETERS,
    *OUTCOMES,
)


def columns_of(decides: Mapping[str, Any]) -> tuple[Column, ...]:
    """Columns of a study's table, from what decides the study."""
    design = DESIGN if decides.get("vary", "balance") != "balance" else ()
    later = LATER if decides.get("training", {}).get("beyond") else ()
    return (*COLUMNS, *design, *later)


#: Constants of a dataset, in every regression so that it can normalise by them.
PARAMETERS: tuple[str, ...] = tuple(column.name for column in _PARAMETERS)

#: What the regressions explain, all measured on the test set that a dataset's subsets share.
TARGETS: tuple[str, ...] = ("acc", "bacc", "auc")

#: Sets of features that the paper regresses on together (section IV-D).
FEATURE_SETS: dict[str, tuple[str, ...]] = {
    "alphas": tuple(f for f in FEATURES if f.startswith("A_") or "alpha" in f),
    "gammas": tuple(f for f in FEATURES if f.startswith("G_") or "gamma" in f),
    "rhos": tuple(f for f in FEATURES if f.startswith("R_") or "rho" in f),
    "class balances": ("CB_1", "CB_inf"),
    "size": ("size",),
    "all": FEATURES,
}
