"""Embeddings of a dataset by a reference model, in files that `lcrjax.data.load` reads back."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from lcrjax.data import Dataset, Split
from lcrjax.study.run.files import write_whole
from lcrjax.study.run.folder import own_folder
from lcrjax.study.run.reference import Reference, read_reference
from lcrjax.training.embedding import embed_images

SUFFIXES = (".npz", ".npy")
#: Images that a file of a part holds: what is embedded again after a kill, at most.
_OF_A_PART = 4096


def embed_dataset(
    dataset: Dataset,
    model: str | Path,
    out: str | Path,
    *,
    progress: Callable[[float], None] = lambda share: None,
) -> list[Path]:
    """Embed a dataset's images by a model that `train_reference` trained, or go on with that.

    An embedding is the layer before the last, (d,) float32: what the classifier sees of an image.
    A `.npz` file has `embeddings` and `labels`, and where there is a test set `train_embeddings`,
    `train_labels`, `test_embeddings` and `test_labels`; `class_names`; and names and groups of the
    images where they have any. A `.npy` file has the embeddings alone, training images first, and
    beside it a `.csv` of the same name has their labels, names and splits, in columns `label`,
    `name` and `split`.

    Args:
        dataset: Its images, of the shape that the model was trained on.
        model: Folder of the model.
        out: File to write; what is finished lies in a hidden folder beside it until all is.
        progress: Told the share that is done. What it raises ends the work, which goes on next
            time.

    Returns:
        The files written.

    Raises:
        ValueError: If the folder holds no finished model, the images are others than it was trained
            on, `out` is no .npz or .npy file, or what lies beside it is of other work.
        FolderInUseError: If another process is at work on the same file.
        OSError: If a file cannot be written.
    """
    path = Path(out)
    if path.suffix not in SUFFIXES:
        raise ValueError(
            f"the file of embeddings is {str(out)!r}: give a name that ends in .npz or .npy"
        )
    reference = read_reference(model)
    shape = (*dataset.image_shape, 1)[:3]
    if shape != reference.shape:
        ours, theirs = (" × ".join(map(str, s)) for s in (shape, reference.shape))
        raise ValueError(
            f"images of {dataset.name} are {ours}, and the model in {model} was trained on "
            f"{theirs} (height × width × channels): resize them, or train another"
        )
    splits = {"train": dataset.train, "test": dataset.test}
    given = {name: split for name, split in splits.items() if split is not None}
    total, done = sum(map(len, given.values())), 0
    parts = path.with_name(f".{path.name}.parts")
    decides = {"dataset": dataset.content_hash(), "model": reference.digest, "part": _OF_A_PART}
    found: dict[str, list[np.ndarray]] = {name: [] for name in given}
    with own_folder(parts, {"decides": decides, "about": {}}, "embedding"):
        for name, split in given.items():
            for start in range(0, len(split), _OF_A_PART):
                images = split.elements[start : start + _OF_A_PART]
                part = parts / f"{name}-{start:09}.npy"
                if not part.exists():
                    write_whole(part, _npy(_embedded(images, reference)))
                found[name].append(np.load(part))
                done += len(images)
                progress(done / total)
        vectors = {name: np.concatenate(blocks) for name, blocks in found.items()}
        written = _write(path, vectors, given, dataset.class_names)
    shutil.rmtree(parts)
    return written


def _embedded(images: np.ndarray, r: Reference) -> Float[np.ndarray, "n d"]:
    pixels = images if images.ndim == 4 else images[..., None]
    return embed_images(pixels, r.params, r.statistics, r.backend, r.config.training)


def _write(
    path: Path,
    vectors: dict[str, np.ndarray],
    splits: dict[str, Split],
    class_names: tuple[str, ...],
) -> list[Path]:
    if path.suffix == ".npz":
        arrays: dict[str, Any] = {"class_names": np.array(class_names)}
        for name, split in splits.items():
            prefix = f"{name}_" if len(splits) > 1 else ""
            own = {
                "embeddings": vectors[name],
                "labels": split.labels,
                "names": split.names,
                "groups": split.groups,
            }
            arrays |= {f"{prefix}{k}": v for k, v in own.items() if v is not None}
        stream = io.BytesIO()
        np.savez(stream, **arrays)
        write_whole(path, stream.getvalue())
        return [path]
    tables = [
        pd.DataFrame(
            {
                "label": np.array(class_names)[split.labels],
                "name": [split.name_of(i) for i in range(len(split))],
                "split": name,
            }
        )
        for name, split in splits.items()
    ]
    beside = path.with_suffix(".csv")
    write_whole(beside, pd.concat(tables).to_csv(index=False).encode())
    write_whole(path, _npy(np.concatenate(list(vectors.values()))))
    return [path, beside]


def _npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()
