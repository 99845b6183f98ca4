"""Datasets from arrays, checked."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from lcrjax.data.classes import check_labels, number_classes
from lcrjax.data.colours import check_mode, to_mode
from lcrjax.data.dataset import Dataset, Split
from lcrjax.data.errors import DataError, printable
from lcrjax.data.resize import Size, resize_images
from lcrjax.data.split import TEST_FRACTION, stratified_split
from lcrjax.data.validate import check_elements
from lcrjax.numerics.streams import Stream


def from_arrays(
    name: str,
    train_images: Any,
    train_labels: Any,
    test_images: Any = None,
    test_labels: Any = None,
    *,
    class_names: Sequence[str] | None = None,
    source: str = "",
    licence: str = "",
    resize: Size | None = None,
    mode: str | None = None,
    test_fraction: float | int = TEST_FRACTION,
    seed: int = 0,
    train_names: Sequence[str] | np.ndarray | None = None,
    test_names: Sequence[str] | np.ndarray | None = None,
    train_groups: Sequence[Any] | np.ndarray | None = None,
    test_groups: Sequence[Any] | np.ndarray | None = None,
    notes: Sequence[str] = (),
) -> Dataset:
    """Build a dataset from arrays, or say in one sentence why they are none.

    Args:
        name: Short name, as it stands in tables.
        train_images: (n, h, w) or (n, h, w, c); uint8, other whole numbers in 0..255, or
            floats in [0, 1]. Or vectors (n, d), n texts, or a pandas table of n rows. Vectors may
            be a `lcrjax.Stream`, which is read once to be checked, where no test set is held out.
        train_labels: (n,) or (n, 1) whole numbers or names, or one-hot (n, C).
        test_images: As `train_images`; None holds out `test_fraction` of each class.
        test_labels: As `train_labels`; given exactly where `test_images` are.
        class_names: One name per class; None takes the labels themselves, in natural order.
        source: Where the data came from, one sentence.
        licence: Licence of the data.
        resize: New (height, width) in pixels, or one number for both.
        mode: "grey" or "rgb" to bring images to; None leaves them as they are.
        test_fraction: Part of each class that is held out where there are no test images; 0 holds
            out none, and the dataset has no test set.
        seed: Seed of that choice.
        train_names: n names of the training elements, such as files.
        test_names: Those of the test elements.
        train_groups: n groups that training elements belong to, such as patients.
        test_groups: Those of the test elements.
        notes: What reading left out or changed, in sentences.

    Returns:
        The dataset. Images are copied only where their type must change, a split is made, or they
        are resized.

    Raises:
        DataError: A ValueError, if anything is wrong with the arrays.
    """
    if (test_images is None) != (test_labels is None):
        raise DataError(
            "of test images and test labels one is missing: give them together, or neither."
        )
    check_mode(mode)
    if isinstance(train_images, Stream) and test_images is None and test_fraction:
        raise DataError(
            "the training elements are a Stream, of which no test set is held out: give "
            "test_fraction=0."
        )
    kind, elements = check_elements(train_images, "training", train_names)
    labels = check_labels(train_labels, len(elements), "training")
    tests, test_codes = None, labels[:0]
    if test_images is not None:
        test_kind, tests = check_elements(test_images, "test", test_names)
        if test_kind != kind:
            raise DataError(f"training elements are {kind}, test elements {test_kind}: give one.")
        test_codes = check_labels(test_labels, len(tests), "test")
    if mode is not None and kind != "images":
        raise DataError(f"mode={mode!r} means nothing for {kind}: leave it out.")
    if kind == "images":
        elements = to_mode(elements, mode)
        tests = None if tests is None else to_mode(tests, mode)
    if tests is not None:
        elements, tests = _alike(kind, elements, tests, resize is not None)
    names, labels, test_codes = number_classes(labels, test_codes, class_names)
    train = Split(elements, labels, *_strings(len(labels), train_names, train_groups))
    notes = tuple(map(printable, notes))
    test = None
    if tests is not None:
        test = Split(tests, test_codes, *_strings(len(test_codes), test_names, test_groups))
    elif test_fraction:
        kept, held = stratified_split(labels, test_fraction, seed, names)
        train, test = train.take(kept), train.take(held)
        notes += (
            f"{len(held):,} of {len(labels):,} {kind} were held out as test set, "
            f"{test_fraction:.0%} of each class at random (seed {seed}).",
        )
    if resize is not None:
        if kind != "images":
            raise DataError(f"resize={resize} means nothing for {kind}: leave it out.")
        train = _resized(train, resize)
        test = None if test is None else _resized(test, resize)
    return Dataset(name, train, test, names, kind, source, licence, notes)


def _resized(split: Split, size: Size) -> Split:
    return dataclasses.replace(split, elements=resize_images(split.elements, size))


def _strings(count: int, *columns: Sequence[Any] | np.ndarray | None) -> list[np.ndarray | None]:
    for column in columns:
        if column is not None and len(column) != count:
            raise DataError(f"there are {count} elements and {len(column)} names: give one each.")
    return [None if column is None else np.array(list(map(str, column))) for column in columns]


def _alike(kind: str, train: Any, test: Any, resized: bool) -> tuple[Any, Any]:
    """Return both splits in one dtype, or refuse splits that cannot be compared."""
    if kind == "texts":
        return train, test
    if kind == "rows":
        if list(train.columns) != list(test.columns):
            raise DataError("training and test rows have other columns: give them the same.")
        return train, test
    if train.shape[3:] != test.shape[3:] or not (resized or train.shape[1:] == test.shape[1:]):
        change = " (resize= or --resize changes height and width)" if kind == "images" else ""
        raise DataError(
            f"training {kind} have the shape {train.shape[1:]} but test {kind} "
            f"{test.shape[1:]}: make them the same{change}."
        )
    if (train.dtype == np.uint8) != (test.dtype == np.uint8):
        raise DataError(
            f"training images are {train.dtype} but test images {test.dtype}: "
            "store both as uint8 or both as floats in [0, 1]."
        )
    if isinstance(train, Stream) or isinstance(test, Stream):
        return train, test
    dtype = np.result_type(train, test)
    return train.astype(dtype, copy=False), test.astype(dtype, copy=False)
