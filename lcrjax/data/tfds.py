"""TensorFlow Datasets through its data sources, without TensorFlow."""

import difflib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lcrjax.data.arrays import from_arrays
from lcrjax.data.dataset import Dataset
from lcrjax.data.errors import DataError, need
from lcrjax.data.limits import check_bytes
from lcrjax.data.pictures import decode
from lcrjax.data.resize import Size, as_size

_TEST_SPLITS = ("test", "validation")


def load_tfds(
    name: str,
    *,
    cache: str | Path | None = None,
    resize: Size | None = None,
    max_bytes: int | None = None,
    **options: Any,
) -> Dataset:
    """Load a labelled image dataset of TensorFlow Datasets, stored as array_record.

    The split `train` is the training set. The test set is the split `test`, or `validation` where
    there is no `test`; a dataset with `train` alone has a test set held out class by class.
    TFDS prepares a dataset on first use; many of its preparations do need TensorFlow, so for those
    prepare it once where TensorFlow is, with `file_format="array_record"`.

    Args:
        name: As TFDS has it: `NAME[/CONFIG][:VERSION]`.
        cache: TFDS's data folder; None leaves it to TFDS (`TFDS_DATA_DIR`, or
            `~/tensorflow_datasets`).
        resize: New (height, width) in pixels, or one number for both.
        max_bytes: Largest size of one split's array, see `limits.byte_limit`.
        **options: Options of `from_arrays`.

    Raises:
        DataError: A ValueError, if the dataset is unknown, cannot be prepared or read, or is not
            of single images with one class label.
        ImportError: If tensorflow-datasets is not installed.
    """
    size = None if resize is None else as_size(resize)
    tfds = need("tensorflow_datasets", "tensorflow-datasets", "tfds")
    builder = _builder(tfds, name, cache)
    image, label = _keys(tfds, builder.info, name)
    try:
        builder.download_and_prepare()
    except Exception as error:  # whatever the dataset's own script meets
        raise DataError(
            f"cannot prepare tfds:{name} ({_first_line(error)}); prepare it where TensorFlow and "
            f"the network are, with file_format='array_record', and copy it to {builder.data_dir}."
        ) from error
    splits = set(builder.info.splits)
    if "train" not in splits:
        raise DataError(f"tfds:{name} has no split 'train', only {', '.join(sorted(splits))}.")
    test = next((split for split in _TEST_SPLITS if split in splits), None)
    arrays: list[np.ndarray] = []
    for split in ("train", test) if test else ("train",):
        where = f"tfds:{name} (split {split})"
        stored = builder.info.splits[split].num_bytes
        arrays += _read(tfds, builder, split, (image, label), size, (where, stored, max_bytes))
    return from_arrays(
        builder.info.name,
        *arrays,
        class_names=tuple(builder.info.features[label].names),
        source=f"TensorFlow Datasets, {builder.info.full_name}"
        + (f", {builder.info.homepage}" if builder.info.homepage else ""),
        licence=getattr(builder.info.redistribution_info, "license", "") or "",
        **options,
    )


def _builder(tfds: Any, name: str, cache: str | Path | None) -> Any:
    folder = None if cache is None else str(Path(cache).expanduser())
    try:
        return tfds.builder(name, data_dir=folder, file_format="array_record")
    except Exception as error:  # ValueError, AssertionError and more, by what is wrong with it
        known = tfds.list_builders(with_community_datasets=False)
        plain = name.partition("/")[0].partition(":")[0]
        if plain in known:
            raise DataError(f"TFDS cannot build {name!r} ({_first_line(error)}).") from error
        if folder and Path(folder).is_dir():
            known = [*known, *(entry.name for entry in Path(folder).iterdir() if entry.is_dir())]
        near = difflib.get_close_matches(plain, known, n=1, cutoff=0.5)
        hint = f"did you mean 'tfds:{near[0]}'?" if near else "see tensorflow.org/datasets/catalog."
        raise DataError(f"TFDS knows no dataset {name!r}; {hint}") from error


def _keys(tfds: Any, info: Any, name: str) -> tuple[str, str]:
    """Return the names of the image and of the label among a dataset's features."""
    features = dict(info.features)
    images = [k for k, v in features.items() if type(v) is tfds.features.Image]
    labels = [k for k, v in features.items() if type(v) is tfds.features.ClassLabel]
    if info.supervised_keys and len(info.supervised_keys) == 2:
        image, label = info.supervised_keys
        if image in images and label in labels:
            return image, label
    if len(images) != 1 or len(labels) != 1:
        raise DataError(
            f"tfds:{name} has {len(images)} images and {len(labels)} class labels per example "
            f"({', '.join(features)}); one of each is needed."
        )
    return images[0], labels[0]


def _read(
    tfds: Any,
    builder: Any,
    split: str,
    keys: tuple[str, str],
    size: tuple[int, int] | None,
    budget: tuple[str, int, int | None],
) -> tuple[np.ndarray, np.ndarray]:
    where, stored, max_bytes = budget
    skip = {keys[0]: tfds.decode.SkipDecoding()}
    try:
        examples: Sequence[Any] = builder.as_data_source(split=split, decoders=skip)
        if not len(examples):
            raise DataError(f"{where} is empty.")
        labels = np.empty(len(examples), np.int64)
        images = np.empty(0, np.uint8)
        for i, example in enumerate(examples):
            image = decode(example[keys[0]], size, f"image {i} of {where}")
            if i == 0:
                claimed = len(examples) * math.prod(image.shape)
                check_bytes(where, claimed, stored, max_bytes)
                images = np.empty((len(examples), *image.shape), np.uint8)
            if image.shape != images.shape[1:]:
                raise DataError(
                    f"image {i} of {where} has the shape {image.shape} but the first "
                    f"{images.shape[1:]}; resize= (on the command line --resize) gives all one "
                    "height and width, mixed grey and colour has no remedy here."
                )
            images[i], labels[i] = image, example[keys[1]]
    except DataError:
        raise
    except Exception as error:  # whatever TFDS meets in its files
        raise DataError(f"cannot read {where} ({_first_line(error)}); prepare it anew.") from error
    return images, labels


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (
        f"{type(error).__name__}: {lines[0][:200].rstrip('.')}" if lines else type(error).__name__
    )
