"""A labelled dataset: elements of any kind, in a training and perhaps a test split."""

import dataclasses
import hashlib
import math
from typing import Any

import numpy as np

from lcrjax.data.errors import DataError
from lcrjax.numerics.listing import listed
from lcrjax.numerics.natural_order import natural_key

#: Kinds of elements, and what one of them is called.
KINDS = {"images": "image", "vectors": "vector", "texts": "text", "rows": "row"}


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """Labelled elements of one kind.

    Attributes:
        elements: Images, (n, h, w) or (n, h, w, c), uint8 or floats in [0, 1]; vectors, (n, d)
            floats; texts, (n,) strings; or rows, a pandas table of n. Images and vectors may be a
            `lcrjax.Stream` for what reads one, such as `lcrjax.report.near_duplicates`.
        labels: (n,) int64, places among the dataset's class names.
        names: (n,) strings: the file, row or key of each element; None where they have none.
        groups: (n,) strings: the patient, site or series of each; None where unknown.
    """

    elements: Any
    labels: np.ndarray
    names: np.ndarray | None = None
    groups: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def name_of(self, i: int) -> str:
        """Name of an element, its number where it has none."""
        return str(i if self.names is None else self.names[i])

    def take(self, index: np.ndarray) -> "Split":
        """Choose elements by their places."""
        table = hasattr(self.elements, "iloc")
        return Split(
            (self.elements.iloc[index] if table else self.elements[index]),
            self.labels[index],
            *(None if x is None else x[index] for x in (self.names, self.groups)),
        )


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Elements and labels, split into training and test; `load` and `from_arrays` build it.

    Those return datasets that are checked; this class checks nothing.

    Attributes:
        name: Short name, as it stands in tables.
        train: Training split; every class occurs.
        test: Test split, in which a class may be absent; None if there is none.
        class_names: One name per class.
        kind: What the elements are, a key of `KINDS`.
        source: Where the data came from, one sentence.
        licence: Licence of the data, where known.
        notes: What reading left out, changed or held out, in sentences.
    """

    name: str
    train: Split
    test: Split | None
    class_names: tuple[str, ...]
    kind: str = "images"
    source: str = ""
    licence: str = ""
    notes: tuple[str, ...] = ()

    @property
    def train_images(self) -> np.ndarray:
        """Training images, (n, h, w) or (n, h, w, c)."""
        return self._images(self.train)

    @property
    def train_labels(self) -> np.ndarray:
        """Classes of the training elements, (n,) int64."""
        return self.train.labels

    @property
    def test_images(self) -> np.ndarray:
        """Test images, as `train_images`."""
        return self._images(self._tests())

    @property
    def test_labels(self) -> np.ndarray:
        """Classes of the test elements."""
        return self._tests().labels

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of one image: (h, w) or (h, w, c)."""
        return self.train_images.shape[1:]

    @property
    def element_shape(self) -> tuple[int, ...]:
        """Shape of one element: of an image as above, (d,) of vectors and rows, () of texts."""
        return np.shape(self.train.elements)[1:]

    @property
    def n_pixels(self) -> int:
        """Height times width; of vectors and rows their components or columns, of texts 1."""
        return math.prod(self.element_shape[:2])

    @property
    def n_channels(self) -> int:
        """Number of channels, 1 where images have no channel axis."""
        return self.element_shape[2] if len(self.element_shape) == 3 else 1

    @property
    def shared_groups(self) -> tuple[str, ...]:
        """Groups with elements in both splits, in natural order."""
        if self.test is None or self.train.groups is None or self.test.groups is None:
            return ()
        both = set(map(str, self.train.groups)) & set(map(str, self.test.groups))
        return tuple(sorted(both, key=natural_key))

    def take(self, index: np.ndarray) -> "Dataset":
        """Choose training elements by their places; classes that none is of are left out."""
        train = self.train.take(index)
        kept = np.unique(train.labels)
        if len(kept) == self.n_classes:
            return dataclasses.replace(self, train=train)
        place = np.full(self.n_classes, -1)
        place[kept] = np.arange(len(kept))
        test = self.test and self.test.take(np.flatnonzero(np.isin(self.test.labels, kept)))
        return dataclasses.replace(
            self,
            train=dataclasses.replace(train, labels=place[train.labels]),
            test=dataclasses.replace(test, labels=place[test.labels]) if test else None,
            class_names=tuple(self.class_names[c] for c in kept),
        )

    def content_hash(self) -> str:
        """Return the SHA-256 of both splits' elements and labels, in hexadecimal.

        Of arrays it is that of shapes, dtypes and bytes. Names, source and licence do not count.
        """
        digest = hashlib.sha256()
        for split in (self.train, self.test):
            if split is not None:
                for array in (_hashable(split.elements), split.labels):
                    little = array.dtype.newbyteorder("<")
                    digest.update(f"{little.str}{array.shape}".encode())
                    digest.update(np.ascontiguousarray(array, dtype=little).data)
        return digest.hexdigest()

    def __repr__(self) -> str:
        """Name, kind, sizes, classes and source, in five lines; pixels are too many to read."""
        shape = "×".join(map(str, self.element_shape))
        test = "none" if self.test is None else f"{len(self.test):,}"
        return "\n".join(
            (
                f"Dataset {self.name}: {self.kind}" + (f" of {shape}" if shape else ""),
                f"  train    {len(self.train):,}",
                f"  test     {test}",
                f"  classes  {self.n_classes}: {listed(self.class_names, 6)}",
                f"  source   {self.source or 'not said'}",
            )
        )

    def _tests(self) -> Split:
        if self.test is None:
            raise DataError(f"{self.name} has no test set: load it with test_fraction=0.25, say.")
        return self.test

    def _images(self, split: Split) -> np.ndarray:
        if self.kind != "images":
            raise DataError(f"{self.name} holds {self.kind}, no images: take its train.elements.")
        return split.elements


def _hashable(elements: Any) -> np.ndarray:
    """Elements as numbers or bytes that are equal where the elements are."""
    if hasattr(elements, "iloc"):
        from pandas.util import hash_pandas_object

        return hash_pandas_object(elements, index=False).to_numpy()
    if elements.dtype.kind in "OU":
        return np.frombuffer("\0".join(elements).encode(), np.uint8)
    return elements
