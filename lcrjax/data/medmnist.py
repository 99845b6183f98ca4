"""MedMNIST by name: downloaded once, verified, kept in a cache folder."""

from pathlib import Path

from lcrjax.data.dataset import Dataset
from lcrjax.data.download import cache_folder, fetch
from lcrjax.data.errors import DataError
from lcrjax.data.medmnist_index import INSTALL, index, known_names
from lcrjax.data.npz import load_npz
from lcrjax.data.options import Options

_SIDE = 28


def is_medmnist(named: str | Path) -> bool:
    """Say whether something is the name of a MedMNIST dataset."""
    return isinstance(named, str) and _parts(named)[0] in known_names()


def load_medmnist(named: str | Path, options: Options) -> Dataset:
    """Load a two-dimensional, single-label MedMNIST dataset.

    The splits are MedMNIST's own; its validation split is left out, as the paper does: BloodMNIST
    has 11,959 training images. A name may end in the side in pixels, as its file does:
    "bloodmnist_64"; 28 is meant where nothing is said.

    Raises:
        DataError: A ValueError, if the addresses are not at hand, the dataset is volumes or
            multi-label, has no such size, or cannot be downloaded and verified.
        ImportError: If `pooch` is not installed.
    """
    flag, side = _parts(str(named))
    if None not in (options.size, side) and options.size != side:
        raise DataError(f"size={options.size} contradicts the name {named!r}: give one of them.")
    side = options.size or side or _SIDE
    try:
        info = index()[flag]
    except ImportError as error:
        raise DataError(
            f"{named!r} is a MedMNIST dataset, whose addresses are not at hand: {INSTALL}"
        ) from error
    title = info.get("python_class", flag)
    if flag.endswith("3d"):
        raise DataError(f"{title} holds volumes: lcrjax measures two-dimensional images.")
    if "multi-label" in info["task"]:
        raise DataError(
            f"{title} has several labels per image: measure it with lcrjax.measure, "
            "which takes a table of 0 and 1, from its .npz file."
        )
    suffix = "" if side == _SIDE else f"_{side}"
    if f"url{suffix}" not in info:
        sizes = [_SIDE, *(int(key[4:]) for key in info if key.startswith("url_"))]
        raise DataError(f"{title} has no size {side}: it has {', '.join(map(str, sizes))}.")
    kept = cache_folder(options.cache) / f"{flag}{suffix}.npz"
    path = fetch(info[f"url{suffix}"], info[f"MD5{suffix}"], kept)
    labels = info["label"]
    return load_npz(
        path,
        options,
        name=f"{flag}{suffix}",
        class_names=tuple(labels[key] for key in sorted(labels, key=int)),
        source=f"{title}, MedMNIST v2 (Yang et al. 2023), {side}×{side} pixels",
        licence=info.get("license", ""),
    )


def _parts(name: str) -> tuple[str, int | None]:
    """Return the index's name and the side in pixels that `name` ends in, or None."""
    flag, _, side = name.lower().partition("_")
    return (flag, int(side)) if side.isascii() and side.isdigit() else (name.lower(), None)
