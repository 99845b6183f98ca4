"""Small datasets of every kind, written to disk by the tests themselves."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest


def pixels(shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def arrays():
    """Arrays in MedMNIST's layout: 3 classes, 12 training and 6 test images of 5×4 pixels."""
    return {
        "train_images": pixels((12, 5, 4)),
        "train_labels": np.arange(12, dtype=np.uint8)[:, None] % 3,
        "test_images": pixels((6, 5, 4), 1),
        "test_labels": np.arange(6, dtype=np.uint8)[:, None] % 3,
    }


@pytest.fixture
def save(tmp_path, arrays):
    """Save `arrays`, some of them replaced or (None) left out, and return the path."""

    def write(compressed=True, name="set.npz", **changes):
        path = tmp_path / name
        held = {k: v for k, v in (arrays | changes).items() if v is not None}
        (np.savez_compressed if compressed else np.savez)(path, **held)
        return path

    return write


def idx_bytes(array):
    return (
        bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + bytes(array)
    )


@pytest.fixture
def idx_folder(tmp_path, arrays):
    """Write the IDX files, gzipped or not, and return the folder."""

    def write(zipped=True, dot=False):
        folder = tmp_path / "idx"
        folder.mkdir()
        for split, file in (("train", "train"), ("test", "t10k")):
            for kind, rank in (("images", 3), ("labels", 1)):
                array = arrays[f"{split}_{kind}"]
                content = idx_bytes(array if kind == "images" else array[:, 0])
                name = f"{file}-{kind}{'.' if dot else '-'}idx{rank}-ubyte"
                if zipped:
                    (folder / f"{name}.gz").write_bytes(gzip.compress(content))
                else:
                    (folder / name).write_bytes(content)
        return folder

    return write


@pytest.fixture
def picture_folder(tmp_path):
    """Write PNG files in class folders and return (folder, {relative path: pixels})."""
    image = pytest.importorskip("PIL.Image")

    def write(splits=("train", "test"), classes=("cat", "dog"), shape=(5, 4), suffix=".png"):
        folder, written = tmp_path / "pictures", {}
        for split in splits:
            for label, name in enumerate(classes):
                (folder / split / name).mkdir(parents=True)
                for i in range(4):
                    array = pixels(shape, 100 * label + i + (50 if split == "test" else 0))
                    path = Path(split, name, f"{i}{suffix}")
                    image.fromarray(array).save(folder / path)
                    written[path] = array
        return folder, written

    return write
