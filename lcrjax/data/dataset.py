"""A labelled image dataset with a training and a test split."""

import dataclasses
import hashlib
import math

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels, split into training and test.

    `load` and `from_arrays` return datasets that are checked; this class checks nothing.

    Attributes:
        name: Short name, as it stands in tables.
        train_images: (n, h, w) or (n, h, w, c); uint8, or float32 or float64 in [0, 1].
        train_labels: (n,) int64, 0 to `n_classes` - 1; every class occurs.
        test_images: As `train_images`.
        test_labels: As `train_labels`, but a class may be absent.
        class_names: One name per class.
        source: Where the data came from, one sentence.
        licence: Licence of the images, where known.
    """

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    class_names: tuple[str, ...]
    source: str = ""
    licence: str = ""

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Shape of one image: (h, w) or (h, w, c)."""
        return self.train_images.shape[1:]

    @property
    def n_pixels(self) -> int:
        """Height times width."""
        return math.prod(self.image_shape[:2])

    @property
    def n_channels(self) -> int:
        """Number of channels, 1 where images have no channel axis."""
        return self.image_shape[2] if len(self.image_shape) == 3 else 1

    def content_hash(self) -> str:
        """Return the SHA-256 of both splits: shapes, dtypes, pixels and labels, in hexadecimal.

        Names, source and licence do not count.
        """
        digest = hashlib.sha256()
        for array in (self.train_images, self.train_labels, self.test_images, self.test_labels):
            little = array.dtype.newbyteorder("<")
            digest.update(f"{little.str}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array, dtype=little).data)
        return digest.hexdigest()
