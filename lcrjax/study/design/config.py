"""Configuration of a study: sizes, class-balance bins, similarity, seed and training recipe."""

import dataclasses
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lcrjax.numerics.whole_numbers import whole_number
from lcrjax.similarity.spec import check_similarity
from lcrjax.study.design.balance import BINS, CANDIDATES, PER_BIN, SIZES, check_spread
from lcrjax.study.design.levels import LEVELS
from lcrjax.study.measuring.names import similarity_words
from lcrjax.study.suggestion import nearest
from lcrjax.training import TrainingConfig

_AT_SIZES = ("per_bin_at", "most_at")
#: What subsets of one size differ in.
VARIED = ("balance", "diversity", "both")


@dataclasses.dataclass(frozen=True)
class StudyConfig:
    """The choices that define a study, together with its datasets.

    Attributes:
        sizes: Numbers of images of a subset.
        vary: What subsets of one size differ in. "balance": class balance, as in the paper;
            "diversity": diversity at the most even class counts; "both": every class balance with
            every level of diversity. See `lcrjax.study.design.levels.design_levels`.
        levels: Levels of diversity, each with outliers avoided and with outliers sought.
        bins: Equal bins of the effective number of classes over [1, number of classes].
        per_bin: Largest number of subsets per bin and size; where only diversity varies, of each
            level with outliers avoided, and as many with outliers sought.
        per_bin_at: Sizes that have a `per_bin` of their own.
        most_at: Sizes of which at most so many class balances are kept, evenly from unbalanced to
            balanced: large ones are slow to train, and a few will do.
        candidates: Random compositions drawn per dataset and size.
        similarity: What the features are measured with, in one word such as "rmsd:10"; see
            `lcrjax.parse_similarity`. A `median` is that of each dataset's training elements.
        measures: Similarities, in one word each, that the subsets are measured with in the end as
            well; see `lcrjax.study.add_measures`. Their number does not decide what is trained.
        seed: Seed of everything random: compositions, images, initial weights, batches.
        skip_impossible: Leave out the sizes that a dataset is too small for (or that have fewer
            images than it has classes) instead of refusing the dataset.
        training: How each model is trained.
    """

    sizes: tuple[int, ...] = SIZES
    vary: str = "balance"
    levels: int = LEVELS
    bins: int = BINS
    per_bin: int = PER_BIN
    per_bin_at: Mapping[int, int] = dataclasses.field(default_factory=dict)
    most_at: Mapping[int, int] = dataclasses.field(default_factory=dict)
    candidates: int = CANDIDATES
    similarity: str = "rmsd"
    measures: tuple[str, ...] = ()
    seed: int = 0
    skip_impossible: bool = False
    training: TrainingConfig = dataclasses.field(default_factory=TrainingConfig)

    def __post_init__(self) -> None:
        sizes = tuple(sorted({whole_number("sizes", n, 2) for n in self.sizes}))
        if not sizes:
            raise ValueError("sizes is empty: name at least one subset size, such as 64")
        object.__setattr__(self, "sizes", sizes)
        for name in _AT_SIZES:
            given = getattr(self, name).items()
            at = {whole_number(name, n, 2): whole_number(name, k, 1) for n, k in given}
            object.__setattr__(self, name, dict(sorted(at.items())))
        check_spread(self.bins, self.per_bin, self.candidates, self.seed)
        self._check_varied()
        check_similarity(self.similarity)
        object.__setattr__(self, "measures", similarity_words(self.measures))

    def _check_varied(self) -> None:
        if self.vary not in VARIED:
            raise ValueError(f"vary is {self.vary!r}: {nearest(self.vary, VARIED)}")
        whole_number("levels", self.levels, 2)
        if self.vary == "balance" and self.levels != LEVELS:
            raise ValueError(
                f"levels is {self.levels}, and diversity does not vary: give vary='diversity' or "
                "'both' too"
            )
        if self.vary == "diversity" and self.bins != BINS:
            raise ValueError(
                f"bins is {self.bins}, and class balance does not vary: give levels, or vary='both'"
            )

    def subsets_per_bin(self, n: int) -> int:
        """Return the largest number of subsets of `n` images per bin."""
        return self.per_bin_at.get(n, self.per_bin)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold and `from_dict` reads back.

        The paper's similarity and design are left out: folders that were begun before there was a
        choice hold the same work.
        """
        values = dataclasses.asdict(self)
        if self.vary == "balance":
            del values["vary"], values["levels"]
        if self.similarity == "rmsd":
            del values["similarity"]
        values["measures"] = list(self.measures)
        values["sizes"] = list(self.sizes)
        values["training"] = self.training.to_dict()
        for name in _AT_SIZES:
            values[name] = {str(n): k for n, k in getattr(self, name).items()}
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "StudyConfig":
        """Build a configuration from plain values; keys left out keep their defaults.

        Raises:
            ValueError: If a key is unknown (the nearest known one is named) or a value is of the
                wrong kind.
        """
        values = dict(values)
        _known(values, (f.name for f in dataclasses.fields(cls)), "a study")
        training = values.pop("training", {})
        at = {name: values.pop(name, {}) for name in _AT_SIZES}
        for name, table in (("training", training), *at.items()):
            if not isinstance(table, Mapping):
                raise ValueError(f"{name} is {table!r}: give a table of keys and values")
        _known(training, (f.name for f in dataclasses.fields(TrainingConfig)), "[training]")
        for f in dataclasses.fields(TrainingConfig):
            if f.name in training:
                _same_kind(f"training.{f.name}", training[f.name], f.default)
                if isinstance(f.default, float):  # TOML's 1 is no float
                    training = {**training, f.name: float(training[f.name])}
        for f in dataclasses.fields(cls):
            if f.name in values and isinstance(f.default, (int, str)):
                _same_kind(f.name, values[f.name], f.default)
        if not isinstance(values.setdefault("sizes", cls.sizes), (list, tuple)):
            raise ValueError(f"sizes is {values['sizes']!r}: give a list such as [64, 128]")
        words = values.setdefault("measures", [])
        if not isinstance(words, (list, tuple)) or not all(isinstance(w, str) for w in words):
            raise ValueError(f'measures is {words!r}: give a list such as ["rmsd:10", "cosine"]')
        values["measures"] = tuple(words)
        values["sizes"] = tuple(whole_number("sizes", n, 2) for n in values["sizes"])
        for name, table in at.items():
            try:
                values[name] = {int(n): k for n, k in table.items()}
            except ValueError:
                raise ValueError(
                    f"{name} is {table!r}: let its keys be subset sizes, such as 2048"
                ) from None
        return cls(**values, training=TrainingConfig(**training))


def read_toml(path: str | Path) -> dict[str, Any]:
    """Read a study's TOML file, in which `datasets` and `preset` may stand beside the rest.

    Args:
        path: A file such as::

            preset = "panel"                      # optional: start from a preset
            datasets = ["digits", "blood.npz"]
            sizes = [64, 128, 256]
            per_bin = 2

            [training]
            max_epochs = 200

    Returns:
        The file's keys and values, not yet checked.

    Raises:
        ValueError: If the file is missing or is not TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"the configuration {path} cannot be read ({error}): name a file that can"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not valid TOML ({error}): mend it") from None


def _known(values: Iterable[str], known: Iterable[str], where: str) -> None:
    names = list(known)
    for key in values:
        if key not in names:
            raise ValueError(f"{where} has no setting {key!r}: {nearest(key, names)}")


def _same_kind(name: str, value: Any, default: Any) -> None:
    """Raise a ValueError where a TOML value cannot stand for the default's type."""
    kinds: dict[type, tuple[type, ...]] = {float: (int, float), type(None): (int, type(None))}
    allowed = kinds.get(type(default), (type(default),))
    if isinstance(value, bool) != isinstance(default, bool) or not isinstance(value, allowed):
        kind = allowed[-1].__name__ if default is not None else "int"
        raise ValueError(f"{name} is {value!r}: give a value of the type {kind}")
