"""Ready-made studies: minutes on a laptop, a panel of datasets, the paper's own."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lcrjax.study.design.config import StudyConfig, read_toml
from lcrjax.study.suggestion import nearest


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
        summary="datasets of your choice, 60 to 68 subsets of 64 to 1,024 images of each; hours",
        datasets=(),
        config=StudyConfig(
            sizes=(64, 128, 256, 512, 768, 1024),
            per_bin=1,
            most_at={64: 20, 128: 18, 256: 14, 512: 9, 768: 4, 1024: 3},
            skip_impossible=True,
        ),
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


def choose_study(
    sources: Sequence[Any] = (),
    *,
    preset: str | None = None,
    file: str | Path | None = None,
    changes: Mapping[str, Any] | None = None,
) -> tuple[list[Any], StudyConfig]:
    """Settle what a study consists of: a preset, changed by a TOML file, changed by options.

    Args:
        sources: Datasets that the user names; none means those of the file or the preset.
        preset: Name of a preset; None means the file's, and "quick" where it names none.
        file: A TOML file: `preset`, `datasets` and the fields of `StudyConfig`, with the table
            `[training]` for those of `TrainingConfig`. Datasets that lie beside the file may be
            named relative to it.
        changes: Fields of `StudyConfig` that override preset and file; None values do not.

    Returns:
        The sources to load, and the configuration.

    Raises:
        ValueError: If a preset or setting is unknown (the nearest known one is named), a value is
            out of range, or no dataset is named.
    """
    stated = dict(read_toml(file)) if file is not None else {}
    named = stated.pop("datasets", [])
    if not isinstance(named, list) or not all(isinstance(s, str) for s in named):
        raise ValueError(f"datasets is {named!r}: give a list of names and paths")
    if file is not None:
        beside = {source: Path(file).parent / source for source in named}
        named = [str(path) if path.exists() else source for source, path in beside.items()]
    stated_preset = stated.pop("preset", "quick")
    preset = stated_preset if preset is None else preset
    if preset not in PRESETS:
        raise ValueError(f"there is no preset {preset!r}: {nearest(preset, PRESETS)}")
    base = PRESETS[preset]

    settings = _merged(base.config.to_dict(), stated)
    settings = _merged(settings, {k: v for k, v in (changes or {}).items() if v is not None})
    # Who names sizes means them: leaving some out silently would be a surprise.
    if "sizes" in stated or (changes or {}).get("sizes") is not None:
        settings["skip_impossible"] = stated.get("skip_impossible", False)
    config = StudyConfig.from_dict(settings)

    chosen = list(sources) or named
    if base.extra:
        chosen = [*base.datasets, *chosen]
    chosen = chosen or list(base.datasets)
    if not chosen:
        raise ValueError("the preset has no datasets: name at least one, such as data.npz")
    return list(dict.fromkeys(chosen)), config


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Lay settings over others; tables within them are merged, not replaced."""
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = {**merged[key], **value} if both else value
    return merged
