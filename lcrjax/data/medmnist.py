"""MedMNIST by name: downloaded once, verified, kept in a cache folder."""

from pathlib import Path
from typing import Any

from lcrjax.data.dataset import Dataset
from lcrjax.data.download import cache_folder, fetch
from lcrjax.data.errors import DataError
from lcrjax.data.medmnist_index import registry
from lcrjax.data.npz import load_npz

_SIDE = 28


def load_medmnist(
    name: str,
    *,
    size: int | None = None,
    cache: str | Path | None = None,
    max_bytes: int | None = None,
    **options: Any,
) -> Dataset:
    """Load a two-dimensional, single-label MedMNIST dataset.

    The splits are MedMNIST's own; its validation split is left out, as the paper does: BloodMNIST
    has 11,959 training images.

    Args:
        name: Such as "bloodmnist", or with the side in pixels as its file is called:
            "bloodmnist_64".
        size: Side in pixels, 28 where nothing is said; most have 64, 128 and 224 too.
        cache: Folder to keep the file in; see `download.cache_folder`.
        max_bytes: Largest total size of the arrays, see `limits.byte_limit`.
        **options: Options of `from_arrays`.

    Raises:
        DataError: A ValueError, if the dataset is volumes or multi-label, has no such size, or
            cannot be downloaded and verified.
        ImportError: If `medmnist` (without its dependencies) or `pooch` is not installed.
    """
    flag, side = split_name(name)
    if None not in (size, side) and size != side:
        raise DataError(f"size={size} contradicts the name {name!r}; give one of them.")
    side = size or side or _SIDE
    info = registry()[flag]
    title = info.get("python_class", flag)
    if flag.endswith("3d"):
        raise DataError(f"{title} holds volumes; lcrjax measures two-dimensional images.")
    if "multi-label" in info["task"]:
        raise DataError(f"{title} has several labels per image; one class per image is needed.")
    suffix = "" if side == _SIDE else f"_{side}"
    if f"url{suffix}" not in info:
        sizes = [_SIDE, *(int(key[4:]) for key in info if key.startswith("url_"))]
        raise DataError(f"{title} has no size {side}; it has {', '.join(map(str, sizes))}.")
    path = fetch(
        info[f"url{suffix}"], info[f"MD5{suffix}"], cache_folder(cache) / f"{flag}{suffix}.npz"
    )
    labels = info["label"]
    return load_npz(
        path,
        max_bytes=max_bytes,
        name=f"{flag}{suffix}",
        class_names=tuple(labels[key] for key in sorted(labels, key=int)),
        source=f"{title}, MedMNIST v2 (Yang et al. 2023), {side}×{side} pixels",
        licence=info.get("license", ""),
        **options,
    )


def split_name(name: str) -> tuple[str, int | None]:
    """Return the registry's name and the side in pixels that `name` ends in, or None."""
    flag, _, side = name.lower().partition("_")
    return (flag, int(side)) if side.isascii() and side.isdigit() else (name.lower(), None)
