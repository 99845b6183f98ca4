"""Readers of elements in blocks: every kind of source gives the same elements, in every pass."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from lcrjax.numerics import sources, streams
from lcrjax.numerics.inputs import array
from lcrjax.numerics.sources import is_large
from lcrjax.numerics.streams import Stream, as_stream

N, D = 23, 6


class OnDisk:
    """An array of a format that has nothing but a shape, a dtype and slices, as Zarr's."""

    __module__ = "zarr.core"

    def __init__(self, of):
        self.of, self.shape, self.dtype = of, of.shape, of.dtype
        self.longest = self.read = 0

    def __getitem__(self, at):
        assert isinstance(at, slice)
        self.longest = max(self.longest, len(self.of[at]))
        self.read += len(self.of[at])
        return self.of[at]


class Shards:
    """Blocks that can be gone through many times, as a folder of shards."""

    def __init__(self, of, rows=5):
        self.of, self.rows = of, rows

    def __len__(self):
        return -(-len(self.of) // self.rows)

    def __iter__(self):
        return (self.of[i : i + self.rows] for i in range(0, len(self.of), self.rows))


def memory_map(x, folder):
    np.save(folder / "x.npy", x)
    return np.load(folder / "x.npy", mmap_mode="r")


def hdf5(x, folder):
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "x.h5", "w") as file:
        file["x"] = x
    return h5py.File(folder / "x.h5")["x"]


def parquet(x, folder, *, whole=True):
    arrow, written = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    lists = arrow.FixedSizeListArray.from_arrays(arrow.array(x.reshape(-1)), x.shape[1])
    lists = lists if whole else arrow.array(list(x))
    table = arrow.table({"name": np.arange(len(x)), "x": lists})
    written.write_table(table, folder / "x.parquet", row_group_size=7)
    return written.ParquetFile(folder / "x.parquet")


def dataset(x, folder):
    parquet(x, folder, whole=False)
    return pytest.importorskip("pyarrow.dataset").dataset(folder / "x.parquet")


def huggingface(x, folder):
    datasets = pytest.importorskip("datasets")
    return datasets.Dataset.from_dict({"x": x}).with_format("numpy")["x"]


SOURCES = {
    "memory map": memory_map,
    "HDF5": hdf5,
    "Zarr": lambda x, folder: OnDisk(x),
    "Parquet": parquet,
    "dataset of Parquet": dataset,
    "Hugging Face": huggingface,
    "shards": lambda x, folder: Shards(x),
    "list of blocks": lambda x, folder: [x[:4], x[4:4], x[4:]],
    "function": lambda x, folder: lambda: iter(Shards(x)),
    "array": lambda x, folder: x,
}


@pytest.mark.parametrize("kind", SOURCES)
def test_every_source_gives_its_elements(kind, tmp_path, rng):
    x = rng.normal(size=(N, D)).astype("f4")
    column = "x" if "Parquet" in kind else None
    stream = Stream(SOURCES[kind](x, tmp_path), column)
    assert (len(stream), stream.shape, stream.dtype) == (N, (N, D), np.float32)
    odd = np.arange(N) % 2 == 1
    part = stream.chosen(odd)
    assert (len(part), stream.chosen(odd | True)) == (N // 2, stream)
    for rows in (1, 4, N, 50):
        for start in (0, 4, 22):
            found = list(stream.blocks(rows, start))
            assert {len(block) for block in found[:-1]} <= {rows}
            np.testing.assert_array_equal(np.concatenate(found), x[start:])
        np.testing.assert_array_equal(np.concatenate(list(part.blocks(rows, 3))), x[odd][3:])
    some = np.array([22, 0, 7, 7, 3])
    np.testing.assert_array_equal(stream.take(some), x[some])
    np.testing.assert_array_equal(part.take(some // 3), x[odd][some // 3])


def test_blocks_are_never_larger_than_asked(rng):
    source = OnDisk(rng.normal(size=(N, D)))
    assert [len(block) for block in Stream(source).blocks(6)] == [6, 6, 6, 5]
    assert source.longest == 6


def test_slices_of_memory_maps_and_bytes_as_fractions(tmp_path, rng):
    x = rng.integers(0, 256, (N, 2, 3), np.uint8)
    stream = Stream(memory_map(x, tmp_path)[3:]).as_fractions()
    assert (stream.shape, stream.dtype) == ((N - 3, 2, 3), np.float32)
    wanted = x[3:] / np.float32(255)
    np.testing.assert_array_equal(np.concatenate(list(stream.blocks(7))), wanted)
    np.testing.assert_array_equal(stream.take(np.array([2])), wanted[2:3])


def test_what_is_large_and_on_disk_is_read_in_blocks(tmp_path, rng, monkeypatch):
    x = rng.normal(size=(N, D))
    kinds = [SOURCES[kind](x, tmp_path) for kind in ("memory map", "HDF5", "Hugging Face", "Zarr")]
    assert not any(map(is_large, kinds))
    assert as_stream(kinds[0]) is kinds[0]
    monkeypatch.setattr(sources, "_SMALL", x.nbytes // 2 - 1)
    for given in (*kinds, np.asarray(kinds[0])[1:].base):
        assert isinstance(as_stream(given), Stream)
    for given in (x, list(x), {"a": x}.values(), "text", iter([x])):
        assert as_stream(given) is given
    assert isinstance(as_stream(Shards(x)), Stream)
    for given in kinds[1:3]:  # where arrays are asked for
        with pytest.raises(ValueError, match="which is not read in blocks here: give an array"):
            array("elements", given)


def test_more_than_two_blocks_are_large(tmp_path):
    mapped = np.memmap(tmp_path / "sparse", np.uint8, "w+", shape=2 * sources.BLOCK_BYTES + 1)
    assert is_large(mapped)
    assert not is_large(mapped[1:])


def test_a_stream_is_no_array(rng):
    with pytest.raises(ValueError, match="elements are a Stream, which is not read in blocks here"):
        array("elements", Stream([rng.normal(size=(N, D))]))


@pytest.mark.parametrize(
    ("blocks", "said"),
    [
        ([np.ones((2, 3)), np.ones((2, 4))], r"block 1 of the elements has elements of shape \(4,"),
        (
            [np.ones((2, 3)), np.ones((2, 3), "f4")],
            "block 1 of the elements has dtype float32, and",
        ),
        (
            [np.ones((2, 3)), np.array([["a"] * 3])],
            "block 1 of the elements have dtype <U1: give n",
        ),
        ([np.ones((2, 3)), np.float64(1)], r"block 1 of the elements has shape \(\): give \(m"),
        (list(np.ones((2, 3))), r"block 0 of the elements has shape \(3,\): give \(m, ...\), m el"),
        ([[[1, 2], [3]]], "block 0 of the elements have rows of different lengths: give equal"),
        ([], "there are no blocks of elements: give one at least"),
    ],
)
def test_blocks_that_do_not_fit_are_named(blocks, said):
    with pytest.raises(ValueError, match=said):
        len(Stream(blocks))


def test_sources_that_change_between_passes(rng):
    x, shards = rng.normal(size=(N, D)), Shards(rng.normal(size=(N, D)))
    stream = Stream(shards)
    assert len(stream) == N
    shards.of = shards.of[:20]
    with pytest.raises(
        ValueError, match="elements were 23 in one pass and 20 in the next: give a "
    ):
        list(stream.blocks(4))
    once = iter([x, x])
    stream = Stream(lambda: once)
    assert stream.dtype == float  # the first block is gone
    assert len(stream) == N
    with pytest.raises(ValueError, match="in one pass and 0 in the next"):
        list(stream.blocks(4))
    disk = OnDisk(x)
    stream = Stream(disk)
    assert len(list(stream.blocks(4))) == 6
    disk.shape = (9, D)
    with pytest.raises(ValueError, match="elements were 23 in one pass and 9 in the next"):
        list(stream.blocks(4))


CUT = """
import os, sys
import numpy as np
from lcrjax.numerics.streams import Stream

x = np.load(sys.argv[1], mmap_mode="r")
stream = Stream(x)
assert sum(map(len, stream.blocks(1000))) == len(x)
os.truncate(sys.argv[1], 5000)
for read in (lambda: list(stream.blocks(1000)), lambda: stream.take(np.array([len(x) - 1]))):
    try:
        read()
    except ValueError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="files that are mapped cannot be cut off")
def test_a_file_that_is_cut_off_is_told(tmp_path):
    """To read a page of it kills the process: so this is another one."""
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((4000, 64), "f4"))
    whole = path.stat().st_size
    found = subprocess.run(
        [sys.executable, "-c", CUT, str(path)], capture_output=True, text=True, check=True
    )
    said = f"{path}, had {whole:,} bytes and has 5,000 now: give a file that stays as it is"
    assert found.stdout.splitlines() == [f"the file of the elements, {said}"] * 2


def test_what_was_made_of_a_memory_map_lies_in_memory(tmp_path, rng):
    """NumPy gives it the same type."""
    x = rng.normal(size=(N, D))
    made = memory_map(x, tmp_path).astype("f4")
    assert sources.memory_map(made) is None
    np.testing.assert_array_equal(np.concatenate(list(Stream(made).blocks(7))), x.astype("f4"))


@pytest.mark.parametrize("kind", [Shards, OnDisk])
@pytest.mark.parametrize("now", [2 * N, N + 1, N - 1, 16, 8, 1])
@pytest.mark.parametrize("start", [0, 8, 16])
def test_a_change_is_found_before_a_block_that_does_not_fit_is_given(kind, now, start, rng):
    """Slices that are short, from an array that still says how many there were, among them."""
    x = rng.normal(size=(2 * N, D))
    source = kind(x[:N])
    stream = Stream(source)
    assert [len(block) for block in stream.blocks(8)] == [8, 8, 7]
    source.of = x[:now]
    given = []
    if kind is OnDisk and now >= N:  # nobody asks for more
        given = list(stream.blocks(8, start))
        assert sum(map(len, given)) == N - start
    else:
        with pytest.raises(ValueError, match=f"elements were {N} in one pass and"):
            given.extend(stream.blocks(8, start))
        assert {len(block) for block in given} <= {8}
    its = np.concatenate([x[:0], *given])
    np.testing.assert_array_equal(its, x[start : start + len(its)])


@pytest.mark.parametrize(
    ("source", "column", "said"),
    [
        (iter([]), None, "are a list_iterator, which can be read only once: give a list of blocks"),
        ("x.npy", None, "elements are a str: give a memory map"),
        (np.ones((3, 2)), "x", "elements have no columns: leave out column='x'"),
        (np.ones(3), None, r"elements have shape \(3,\): give \(n, ...\), such as \(n, d\) of"),
        (pd.DataFrame({"a": [1.0]}), None, "are a DataFrame, which memory holds: give it without"),
        ({"a": np.ones((3, 2))}, None, "a dict, which holds arrays by their names: give one of th"),
    ],
)
def test_what_is_no_source(source, column, said):
    with pytest.raises(ValueError, match=said):
        Stream(source, column)


def test_columns_of_parquet(tmp_path, rng):
    given = parquet(rng.normal(size=(N, D)), tmp_path)
    with pytest.raises(ValueError, match="the column of elements is None: give one of 'name', 'x'"):
        Stream(given)
    with pytest.raises(ValueError, match="'name', holds int64: give one of lists of numbers, such"):
        Stream(given, "name")


def lists(x, kind="list", **changed):
    """Lists of an array's rows, or of others in their place."""
    arrow = pytest.importorskip("pyarrow")
    own = [changed.get(f"row{i}", row) for i, row in enumerate(x.tolist())]
    return arrow.array(own, arrow.list_(arrow.float32()) if kind == "list" else None)


def written(column, folder, how):
    arrow, files = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = arrow.table({"x": column})
    if how == "table":
        return table
    files.write_table(table, folder / "r.parquet", row_group_size=5)
    if how == "file":
        return files.ParquetFile(folder / "r.parquet")
    return pytest.importorskip("pyarrow.dataset").dataset(folder / "r.parquet")


@pytest.mark.parametrize("how", ["table", "file", "dataset"])
@pytest.mark.parametrize(
    ("row", "number", "said"),
    [
        ([1.0] * 5, 8, "'x' has lists of different lengths, first in row 7: give equal ones"),
        (None, 8, "'x' lacks the list of row 7: fill it in"),
        ([None] + [1.0] * 5, 7, "'x' lacks numbers, first in row 7: fill them in"),
        ([1.0] * 5, 7, "'x' has lists of different lengths, first in row 7: give equal ones"),
    ],
)
def test_lists_of_different_lengths(how, row, number, said, tmp_path, rng):
    """Two that add up to twice the length of all others are no less wrong than one."""
    x = rng.normal(size=(N, D))
    change = {"row7": row, f"row{number}": [1.0] * 7} if number == 8 else {"row7": row}
    stream = Stream(written(lists(x, **change), tmp_path, how), "x")
    for read in (lambda: list(stream.blocks(50)), lambda: stream.take(np.arange(N))):
        with pytest.raises(ValueError, match=said):
            read()


def test_nested_lists(tmp_path, rng):
    x = rng.normal(size=(N, 2, 3))
    given = written(lists(x, "nested"), tmp_path, "file")
    np.testing.assert_array_equal(np.concatenate(list(Stream(given, "x").blocks(4))), x)
    ragged = lists(x, "nested", row9=[[1.0, 2.0], [1.0, 2.0, 3.0, 4.0]])
    with pytest.raises(ValueError, match="lists of different lengths, first in row 9"):
        list(Stream(written(ragged, tmp_path, "file"), "x").blocks(4))


@pytest.mark.parametrize("form", [None, "numpy", "torch-like"])
def test_columns_of_hugging_face(form, rng):
    datasets = pytest.importorskip("datasets")
    x = rng.normal(size=(N, D)).astype("f4")
    whole = datasets.Dataset.from_dict({"x": list(x), "y": range(N)})
    whole = whole.select(np.arange(N)[::-1])
    if form == "torch-like":  # made by a function of its own, which Arrow knows nothing of
        whole.set_transform(lambda rows: {"x": [np.asarray(r, "f4") + 1 for r in rows["x"]]})
    else:
        whole = whole.with_format(form)
    stream, wanted = Stream(whole["x"]), x[::-1] + (form == "torch-like")
    assert stream.dtype == np.float32
    np.testing.assert_array_equal(np.concatenate(list(stream.blocks(4))), wanted)
    np.testing.assert_array_equal(stream.take(np.array([5, 1, 5])), wanted[[5, 1, 5]])
    ragged = datasets.Dataset.from_dict({"x": [[1.0, 2.0], [3.0]]})
    with pytest.raises(ValueError, match="lists of different lengths, first in row 1: give equal"):
        len(list(Stream(ragged["x"]).blocks(4)))
    ragged.set_transform(lambda rows: rows)
    with pytest.raises(ValueError, match=r"element 1 of the elements has shape \(1,\), and elem"):
        len(list(Stream(ragged["x"]).blocks(4)))


@pytest.mark.parametrize("kind", [k for k in SOURCES if k not in ("array", "Hugging Face")])
@pytest.mark.parametrize("width", [D, 40, 3])
def test_other_elements_in_a_later_pass(kind, width, tmp_path, rng):
    """Whatever the blocks are, and from wherever a pass begins that reads a checksum's elements."""
    x = rng.normal(size=(2100, width)).astype("f4")
    column = "x" if "Parquet" in kind else None
    stream = Stream(SOURCES[kind](x, tmp_path), column)
    for rows, start in ((600, 0), (2100, 0), (999, 3), (4000, 1024)):
        assert sum(map(len, stream.blocks(rows, start))) == 2100 - start
    other = x.copy()
    other[[1500, 1501]] = x[[1501, 1500]]
    (tmp_path / "other").mkdir()
    stream._reader = Stream(SOURCES[kind](other, tmp_path / "other"), column)._reader
    for rows, start in ((600, 0), (999, 3), (4000, 1024)):
        with pytest.raises(ValueError, match="elements 1,024 to 2,047 are others than in an ear"):
            list(stream.blocks(rows, start))


def test_elements_that_are_taken_are_all_that_is_read(rng, tmp_path):
    x = rng.normal(size=(400, D))
    source = OnDisk(x)
    stream, some = Stream(source), np.array([390, 7, 8, 200, 7])
    assert stream.dtype == float
    source.read = 0
    np.testing.assert_array_equal(stream.take(some), x[some])
    assert source.read == 4
    source.chunks = (50, D)  # those of one chunk at once
    source.read = 0
    np.testing.assert_array_equal(stream.take(np.array([10, 30, 60])), x[[10, 30, 60]])
    assert source.read == 21 + 1
    read = []
    given = parquet(x, tmp_path)  # row groups of seven
    stream = Stream(given, "x")
    assert stream.shape == (400, D)
    whole = stream._reader._files[0].opened()

    class Watched:
        def iter_batches(self, size, row_groups, **more):
            read.extend(row_groups)
            return whole.iter_batches(size, row_groups=row_groups, **more)

    stream._reader._files[0] = stream._reader._files[0]._replace(opened=Watched)
    np.testing.assert_array_equal(stream.take(some), x[some])
    assert read == [1, 28, 55]


def test_datasets_of_several_files(tmp_path, rng):
    files, sets = pytest.importorskip("pyarrow.parquet"), pytest.importorskip("pyarrow.dataset")
    arrow, x = pytest.importorskip("pyarrow"), rng.normal(size=(30, 2))
    for i in range(3):
        kind = arrow.float32() if i == 1 else arrow.float64()
        part = arrow.array(x[10 * i : 10 * i + 10].tolist(), arrow.list_(kind))
        table = arrow.table({"x": part, "y": np.arange(10)})
        files.write_table(table, tmp_path / f"{i}.parquet", row_group_size=4)
    whole, wide = sets.dataset(tmp_path), x.copy()
    wide[10:20] = x[10:20].astype("f4")
    for kept, wanted in (
        (whole, wide),
        (whole.filter(arrow.compute.field("y") < 5), wide.reshape(3, 10, 2)[:, :5].reshape(15, 2)),
    ):
        stream = Stream(kept, "x")
        for start in (0, 7, 14):
            np.testing.assert_array_equal(
                np.concatenate([*stream.blocks(4, start)]), wanted[start:]
            )
        some = np.array([14, 3, 12, 3])
        np.testing.assert_array_equal(stream.take(some), wanted[some])


def test_a_block_is_of_some_bytes(monkeypatch, rng):
    monkeypatch.setattr(streams, "BLOCK_BYTES", 240)
    assert Stream(rng.normal(size=(N, D))).rows_at_once == 10
    assert Stream(np.zeros((N, D), np.uint8)).rows_at_once == 40


def test_a_row_is_named_where_row_groups_before_it_are_not_read(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    rows = [[float(i)] * 3 for i in range(60)]
    rows[57] = [1.0]
    pq.write_table(pa.table({"x": rows}), tmp_path / "x.parquet", row_group_size=10)
    stream = Stream(pq.ParquetFile(tmp_path / "x.parquet"), "x")
    np.testing.assert_array_equal(stream.take(np.array([41, 3]))[:, 0], [41, 3])
    with pytest.raises(ValueError, match="lists of different lengths, first in row 57"):
        stream.take(np.array([55]))
