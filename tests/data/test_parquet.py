import io
import json

import numpy as np
import pandas as pd
import pytest

from lcrjax.data import DataError, load
from tests.data.conftest import pixels

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
Image = pytest.importorskip("PIL.Image")

LABEL = pa.array([i % 2 for i in range(8)])
PIXELS = np.stack([pixels((4, 5), i) for i in range(8)])
FEATURES = {"label": {"names": ["cat", "dog", "owl"], "_type": "ClassLabel"}}
HUGGING_FACE = {b"huggingface": json.dumps({"info": {"features": FEATURES}}).encode()}


def png(array):
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def written(tmp_path):
    def write(columns, metadata=None, name="t.parquet", **options):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns).replace_schema_metadata(metadata), tmp_path / name)
        return load(tmp_path / name, **{"test_fraction": 0} | options)

    return write


def structs(paths=True):
    return pa.array(
        [{"bytes": png(array), "path": f"{i}.png" if paths else None}
         for i, array in enumerate(PIXELS)],
        pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
    )  # fmt: skip


def test_pictures_and_classes_as_hugging_face_writes_them(written):
    data = written({"image": structs(), "label": LABEL}, HUGGING_FACE)
    np.testing.assert_array_equal(data.train_images, PIXELS)
    np.testing.assert_array_equal(data.train_labels, np.arange(8) % 2)
    assert data.class_names == ("cat", "dog")
    assert data.train.names.tolist() == [f"{i}.png" for i in range(8)]
    assert data.notes[-1] == "Classes without elements were left out: owl."


@pytest.mark.parametrize(
    "metadata", [b"[" * 9000, b"{}", b'{"info": {"features": {"label": {"names": 3}}}}', b"\xff"]
)
def test_metadata_of_any_kind_does_no_harm(written, metadata):
    data = written({"image": structs(False), "label": LABEL}, {b"huggingface": metadata})
    assert data.class_names == ("0", "1")
    assert data.train.names[3] == "row 3"


def test_plain_binary_is_pictures(written):
    data = written({"content": pa.array([png(a) for a in PIXELS]), "label": LABEL})
    np.testing.assert_array_equal(data.train_images, PIXELS)


@pytest.mark.parametrize("size", [-1, 3])
@pytest.mark.parametrize("dtype", [pa.float32(), pa.int16()])
def test_lists_are_vectors(written, size, dtype):
    rows = np.arange(24).reshape(8, 3)
    column = pa.array(rows.tolist(), pa.list_(dtype, size))
    beside = {"patient_id": pa.array([i // 2 for i in range(8)]), "note": pa.array(["x"] * 8)}
    data = written({"embedding": column, "label": LABEL, **beside})
    assert data.kind == "vectors"
    np.testing.assert_array_equal(data.train.elements, rows)
    assert data.train.groups.tolist() == ["0", "0", "1", "1", "2", "2", "3", "3"]
    assert data.notes[-1] == "Columns left out: note."


def test_nested_lists_are_images(written):
    data = written({"x": pa.array(PIXELS.tolist(), pa.list_(pa.list_(pa.uint8()))), "y": LABEL})
    np.testing.assert_array_equal(data.train_images, PIXELS)


def test_numbers_texts_rows_and_categories_as_pandas_writes_them(tmp_path):
    frame = pd.DataFrame(
        {"a": np.arange(8) / 2, "b": np.arange(8), "label": pd.Categorical(list("xyzx") * 2)},
        index=list("abcdefgh"),
    )
    frame.to_parquet(tmp_path / "a.parquet")
    data = load(tmp_path / "a.parquet", test_fraction=0)
    np.testing.assert_array_equal(data.train.elements, frame[["a", "b"]].to_numpy())
    assert data.class_names == ("x", "y", "z")
    pd.DataFrame(
        {"a": [1, 2], "b": [True, False], "day": pd.to_datetime(["2020", "2021"]), "label": [1, 2]}
    ).to_parquet(tmp_path / "d.parquet")
    plain = load(tmp_path / "d.parquet", test_fraction=0)
    np.testing.assert_array_equal(plain.train.elements, [[1, 1], [2, 0]])
    assert plain.notes[1] == "Columns left out: day."
    mixed = frame.assign(c=list("uv") * 4)
    mixed.to_parquet(tmp_path / "b.parquet")
    rows = load(tmp_path / "b.parquet", test_fraction=0)
    assert rows.kind == "rows"
    pd.testing.assert_frame_equal(
        rows.train.elements, mixed[["a", "b", "c"]].reset_index(drop=True), check_dtype=False
    )
    texts = frame[["label"]].assign(sentence=[f"s{i}" for i in range(8)])
    texts.to_parquet(tmp_path / "c.parquet")
    assert load(tmp_path / "c.parquet", test_fraction=0).train.elements[3] == "s3"


@pytest.mark.parametrize(
    "names",
    [
        ("data/train-00000-of-00002.parquet", "data/train-00001-of-00002.parquet",
         "data/test-00000-of-00001.parquet"),
        ("train/0000.parquet", "train/0001.parquet", "test/0000.parquet"),
        ("train.parquet", "train_2.parquet", "validation.parquet"),
    ],
)  # fmt: skip
def test_shards_are_read_in_their_splits(tmp_path, names):
    for i, name in enumerate(names):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        block = {"v": (np.arange(24).reshape(8, 3) + 100 * i).tolist(), "label": LABEL}
        pq.write_table(pa.table(block), tmp_path / name)
    data = load(tmp_path)
    assert data.train.elements[:, 0].tolist() == [*range(0, 24, 3), *range(100, 124, 3)]
    assert data.test.elements[:, 0].tolist() == list(range(200, 224, 3))
    assert data.train.names[9] == "row 9"
    assert data.test.names[0] == "row 0"


def test_shards_without_splits_are_one_table(tmp_path):
    for i in range(2):
        pq.write_table(pa.table({"v": [1.0 * i, 2], "label": [0, 1]}), tmp_path / f"{i}.parquet")
    assert load(tmp_path, test_fraction=0).train.elements[:, 0].tolist() == [0, 2, 1, 2]


@pytest.mark.parametrize(
    ("columns", "options", "match"),
    [
        ({"v": [[1.0, 2.0], [3.0]], "label": [0, 1]}, {}, "none holds elements"),
        ({"v": [[1.0, 2.0], None], "label": [0, 1]}, {}, "lacks the list of row 1"),
        ({"v": [[1.0, None], [3.0, 4.0]], "label": [0, 1]}, {}, "vector row 0, component 1"),
        ({"v": [1.0, None], "label": [0, 1]}, {}, r"'v' of .* lacks 1 of 2 values \(rows"),
        ({"v": [1.0, 2.0], "label": [0, None]}, {}, r"'label' of .* lacks 1 of 2 values \(rows"),
        ({"v": [1.0, 2.0], "label": ["a", None]}, {}, r"'label' of .* lacks 1 of 2 values \(rows"),
        ({"text": ["a", None], "label": [0, 1]}, {}, r"'text' of .* lacks 1 of 2 values \(rows"),
        ({"image": [{"bytes": None, "path": "a.png"}] * 2, "label": [0, 1]}, {},
         "row 0 of .* holds no picture, only the path 'a.png'"),
        ({"image": [b"abc", b"de"], "label": [0, 1]}, {}, "picture 0 of"),
        ({"v": [1.0, 2.0], "label": [[0, 1], [1, 1]]}, {}, "mark 2 classes"),
        ({"v": [1.0, 2.0], "label": [0, 1]}, {"label_column": "labl"}, "did you mean 'label'"),
        ({"v": [1.0, 2.0], "w": [0, 1]}, {}, "none is called label"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be_used(written, columns, options, match):
    if "image" in columns and isinstance(columns["image"][0], dict):
        kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        columns = columns | {"image": pa.array(columns["image"], kind)}
    with pytest.raises(DataError, match=match) as caught:
        written(columns, **options)
    assert "\n" not in str(caught.value)


def test_labels_beyond_the_names_are_refused(written):
    with pytest.raises(DataError, match="run from 0 to 7, but 3 classes have names"):
        written({"v": np.arange(8.0), "label": np.arange(8)}, HUGGING_FACE)


def test_a_small_file_that_expands_is_refused(written):
    text = pa.array(["x" * 10**6] * 8, pa.string())
    with pytest.raises(DataError, match="more than the limit of 1,000,000"):
        written({"text": text, "label": LABEL}, max_bytes=10**6)


def test_shards_that_differ_are_refused(tmp_path):
    pq.write_table(pa.table({"v": [1.0, 2], "label": [0, 1]}), tmp_path / "train-0.parquet")
    pq.write_table(pa.table({"w": [1.0, 2], "label": [0, 1]}), tmp_path / "train-1.parquet")
    with pytest.raises(DataError, match=r"train-1\.parquet lacks the column 'v'"):
        load(tmp_path)
    (tmp_path / "train-1.parquet").rename(tmp_path / "more.parquet")
    with pytest.raises(DataError, match="says no split in its name"):
        load(tmp_path)
