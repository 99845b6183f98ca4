"""TensorFlow Datasets through its data sources, without TensorFlow."""

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lcrjax.data.arrays import from_arrays
from lcrjax.data.dataset import Dataset
from lcrjax.data.errors import DataError, need, reading, reason
from lcrjax.data.options import Options
from lcrjax.data.pictures import decode_all

_PREFIX = "tfds:"
_TEST_SPLITS = ("test", "validation")


def is_tfds(named: str | Path) -> bool:
    """Say whether TensorFlow Datasets are asked for."""
    return isinstance(named, str) and named.startswith(_PREFIX)


def load_tfds(named: str | Path, options: Options) -> Dataset:
    """Load a labelled image dataset of TensorFlow Datasets, stored as array_record.

    The split `train` is the training set. The test set is the split `test`, or `validation` where
    there is no `test`; a dataset with `train` alone has a test set held out class by class.
    TFDS prepares a dataset on first use; many of its preparations do need TensorFlow, so for those
    prepare it once where TensorFlow is, with `file_format="array_record"`.

    Raises:
        DataError: A ValueError, if the dataset is unknown, cannot be prepared or read, or is not
            of single images with one class label.
        ImportError: If tensorflow-datasets or array-record is not installed. Windows has no
            array-record.
    """
    name = str(named).removeprefix(_PREFIX)
    need("array_record", "array-record (which Windows lacks)", "tfds")
    tfds = need("tensorflow_datasets", "tensorflow-datasets", "tfds")
    builder = _builder(tfds, name, options.cache)
    image, label = _keys(tfds, builder.info, name)
    try:
        builder.download_and_prepare()
    except Exception as error:  # whatever the dataset's own script meets
        raise DataError(
            f"cannot prepare tfds:{name} ({reason(error, typed=True)}): prepare it where the "
            "network and TensorFlow are, with file_format='array_record', and copy it to "
            f"{builder.data_dir}."
        ) from error
    splits = set(builder.info.splits)
    if "train" not in splits:
        raise DataError(f"tfds:{name} has no split 'train', only {', '.join(sorted(splits))}.")
    test = next((split for split in _TEST_SPLITS if split in splits), None)
    arrays: list[np.ndarray] = []
    for split in ("train", test) if test else ("train",):
        arrays += _read(tfds, builder, split, (image, label), options)
    return from_arrays(
        builder.info.name,
        *arrays,
        class_names=tuple(builder.info.features[label].names),
        source=f"TensorFlow Datasets, {builder.info.full_name}"
        + (f", {builder.info.homepage}" if builder.info.homepage else ""),
        licence=getattr(builder.info.redistribution_info, "license", "") or "",
        **options.of_arrays(),
    )


def _builder(tfds: Any, name: str, cache: Path | None) -> Any:
    folder = None if cache is None else str(cache.expanduser())
    try:
        return tfds.builder(name, data_dir=folder, file_format="array_record")
    except Exception as error:  # ValueError, AssertionError and more, by what is wrong with it
        known = tfds.list_builders(with_community_datasets=False)
        plain = name.partition("/")[0].partition(":")[0]
        if plain in known:
            raise DataError(f"TFDS cannot build {name!r} ({reason(error, typed=True)}).") from error
        if folder and Path(folder).is_dir():
            known = [*known, *(entry.name for entry in Path(folder).iterdir() if entry.is_dir())]
        near = difflib.get_close_matches(plain, known, n=1, cutoff=0.5)
        hint = f"did you mean 'tfds:{near[0]}'?" if near else "see tensorflow.org/datasets/catalog."
        raise DataError(f"TFDS knows no dataset {name!r}: {hint}") from error


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
            f"({', '.join(features)}): one of each is needed."
        )
    return images[0], labels[0]


def _read(
    tfds: Any, builder: Any, split: str, keys: tuple[str, str], options: Options
) -> tuple[np.ndarray, np.ndarray]:
    where = f"tfds:{builder.info.full_name} (split {split})"
    image, label = keys
    with reading(where, "prepare it anew", typed=True):  # whatever TFDS meets in its files
        decoders = {image: tfds.decode.SkipDecoding()}
        examples: Sequence[Any] = builder.as_data_source(split=split, decoders=decoders)
        if not len(examples):
            raise DataError(f"{where} is empty.")
        labels = np.empty(len(examples), np.int64)

        def pictures() -> Iterator[tuple[str, bytes]]:
            for i, example in enumerate(examples):
                labels[i] = example[label]
                yield f"image {i} of {where}", example[image]

        stored = builder.info.splits[split].num_bytes
        images, kept, _ = decode_all(pictures(), len(examples), where, stored, options)
    return images, labels[kept]
