"""Large vectors of tables and archives as streams, where that is asked for."""

import numpy as np
import pytest

from lcrjax.data import DataError, load
from lcrjax.numerics import sources
from lcrjax.numerics.streams import Stream

N, D = 40, 3


def lists(x):
    arrow = pytest.importorskip("pyarrow")
    return arrow.FixedSizeListArray.from_arrays(arrow.array(x.reshape(-1)), x.shape[1])


def table(x, y, **more):
    return pytest.importorskip("pyarrow").table({"embedding": lists(x), "label": y, **more})


def parquet(x, y, folder, **more):
    path = folder / "x.parquet"
    pytest.importorskip("pyarrow.parquet").write_table(table(x, y, **more), path, row_group_size=9)
    return path


def shards(x, y, folder):
    (folder / "shards").mkdir()
    for i in range(2):
        half = slice(i * N // 2, (i + 1) * N // 2)
        path = folder / "shards" / f"{('train', 'test')[i]}-0.parquet"
        pytest.importorskip("pyarrow.parquet").write_table(table(x[half], y[half]), path)
    return folder / "shards"


def hdf5(x, y, folder):
    with pytest.importorskip("h5py").File(folder / "x.h5", "w") as file:
        file["embeddings"], file["labels"] = x, y
    return folder / "x.h5"


def saved(x, y, folder):
    pytest.importorskip("datasets").Dataset(table(x, y)).save_to_disk(folder / "saved")
    return folder / "saved"


def splits(x, y, folder):
    datasets, half = pytest.importorskip("datasets"), N // 2
    parts = {"train": table(x[:half], y[:half]), "test": table(x[half:], y[half:])}
    whole = datasets.DatasetDict({k: datasets.Dataset(part) for k, part in parts.items()})
    whole.save_to_disk(folder / "splits")
    return folder / "splits"


FORMATS = {f.__name__: f for f in (parquet, shards, hdf5, saved, splits)}


@pytest.fixture
def vectors(rng, monkeypatch):
    monkeypatch.setattr(sources, "_SMALL", 100)
    return rng.normal(size=(N, D)).astype("f4"), np.arange(N) % 2


@pytest.mark.parametrize("kind", FORMATS)
def test_a_large_column_is_a_stream(kind, vectors, tmp_path):
    path = FORMATS[kind](*vectors, tmp_path)
    found, whole = (load(path, test_fraction=0, in_blocks=x) for x in (True, False))
    assert (found.kind, found.class_names, found.notes) == ("vectors", ("0", "1"), whole.notes)
    assert (found.test is None) == (kind in ("parquet", "hdf5", "saved"))
    for own, other in ((found.train, whole.train), (found.test, whole.test)):
        if own is not None:
            assert isinstance(own.elements, Stream)
            np.testing.assert_array_equal(np.concatenate([*own.elements.blocks(9)]), other.elements)
            np.testing.assert_array_equal(own.labels, other.labels)


def test_a_column_of_splits_chooses_from_the_stream(vectors, tmp_path):
    split = ["train" if i % 3 else "test" for i in range(N)]
    found = load(parquet(*vectors, tmp_path, split=split), in_blocks=True)
    for part, own in ((found.train, np.arange(N) % 3 > 0), (found.test, np.arange(N) % 3 == 0)):
        np.testing.assert_array_equal(np.concatenate([*part.elements.blocks(9)]), vectors[0][own])


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_small_is_read_whole(kind, vectors, tmp_path, monkeypatch):
    monkeypatch.undo()
    found = load(FORMATS[kind](*vectors, tmp_path), test_fraction=0, in_blocks=True)
    assert isinstance(found.train.elements, np.ndarray)


def test_values_are_checked_by_name(vectors, tmp_path):
    x, y = vectors
    x[30, 1] = np.nan
    path = parquet(x, y, tmp_path, name=[f"no {i}" for i in range(N)])
    with pytest.raises(DataError, match="in vector no 30, component 1: remove or replace"):
        load(path, test_fraction=0, in_blocks=True)


@pytest.mark.parametrize("in_blocks", [True, False])
def test_lists_of_other_lengths_beyond_the_first_rows(in_blocks, tmp_path, monkeypatch):
    """The first 1,024 rows say what a column is."""
    monkeypatch.setattr(sources, "_SMALL", 100)
    arrow, files = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = [[1.0] * (3 + (i == 2000) - (i == 2001)) for i in range(2100)]
    table, path = arrow.table({"x": rows, "label": np.arange(2100) % 2}), tmp_path / "r.parquet"
    files.write_table(table, path)
    with pytest.raises(DataError, match=r"'x'.* lists of different lengths, first in row 2000"):
        load(path, test_fraction=0, in_blocks=in_blocks)
    files.write_table(table[1990:], path)
    with pytest.raises(DataError, match=r"'x' of .* lengths, first in row 10: give equal"):
        load(path, test_fraction=0, in_blocks=in_blocks, element_column="x")
    with pytest.raises(DataError, match=r"none holds elements \('x' has lists of different length"):
        load(path, test_fraction=0, in_blocks=in_blocks)


def test_lists_of_other_lengths_in_a_text_file(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text('x,label\n"[1, 2]",a\n"[1, 2]",b\n"[1, 2, 3]",a\n')
    with pytest.raises(DataError, match=r"'x' of .* different lengths, first in row 2: give equal"):
        load(path, test_fraction=0, element_column="x")
