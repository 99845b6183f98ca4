"""Damaged files, of which nothing but a dataset or a ValueError comes out."""

import gzip
import io
import struct
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lcrjax.data import Dataset, load
from tests.data.picture_files import jpeg_exif, png_of, tiff_of

Image = pytest.importorskip("PIL.Image")
FUZZ = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
MORE = settings(FUZZ, max_examples=200)
EDGES = (0, 1, 255, 256, 2**15, 2**16 - 1, 2**31 - 1, 2**32 - 1)


@st.composite
def damage(draw, content):
    """Bytes with one to three changes."""
    content = bytearray(content)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        how = draw(st.sampled_from(["flip", "cut", "insert", "repeat", "drop", "number"]))
        if how == "flip" and content:
            content[at] ^= 1 << draw(st.integers(0, 7))
        elif how == "cut":
            del content[at:]
        elif how == "insert":
            content[at:at] = draw(st.binary(min_size=1, max_size=20))
        elif how == "repeat":
            content[at:at] = content[at : at + 30]
        elif how == "drop":
            del content[at : at + draw(st.integers(1, 30))]
        else:
            packed = struct.pack(draw(st.sampled_from("<>")) + "I", draw(st.sampled_from(EDGES)))
            content[at : at + 4] = packed
    return bytes(content)


def valid_or_refused(path, **options):
    """Load; what comes out must be sound, and what is refused must be said in one line."""
    text, data = None, None
    try:
        data = load(path, **options)
    except ValueError as error:
        text = str(error)
    if data is None:
        assert text
        assert "\n" not in text
        return
    assert isinstance(data, Dataset)
    for split in filter(None, (data.train, data.test)):
        images, labels = split.elements, split.labels
        assert len(images) == len(labels) > 0
        assert labels.dtype == np.int64
        assert labels.min() >= 0
        assert labels.max() < data.n_classes
        for strings in filter(lambda x: x is not None, (split.names, split.groups)):
            assert len("".join(strings).encode()) >= 0
        if data.kind != "images":
            assert data.kind != "vectors" or np.isfinite(images).all()
            continue
        assert images.ndim in (3, 4)
        if images.dtype != np.uint8:
            assert images.dtype in (np.float32, np.float64)
            assert images.min() >= 0
            assert images.max() <= 1
    assert data.n_classes >= 1
    assert np.bincount(data.train_labels).all()


def archive_of(arrays, compressed):
    stream = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(stream, **arrays)
    return stream.getvalue()


@FUZZ
@given(data=st.data(), compressed=st.booleans())
def test_damaged_archives(tmp_path, arrays, data, compressed):
    path = tmp_path / "fuzz.npz"
    path.write_bytes(data.draw(damage(archive_of(arrays, compressed))))
    valid_or_refused(path)


SIDES = st.one_of(st.integers(0, 12), st.sampled_from([-1, *EDGES, 2**40, 2**62, True]))
TYPES = st.sampled_from(
    ["|u1", "|i1", "|b1", ">u2", "<i8", "<u8", "<f2", ">f4", "<f8", "<c8", "|O", "|V4", "<U2", "x"]
)
HEADERS = st.one_of(
    st.fixed_dictionaries(
        {
            "descr": TYPES,
            "fortran_order": st.booleans(),
            "shape": st.lists(SIDES, max_size=5).map(tuple),
        }
    ).map(repr),
    st.text(max_size=60),
    st.sampled_from(["(" * 5000, "[" * 300, "{'a': " * 80, "-" * 9000 + "1", "\0", "1_" * 30]),
)


@FUZZ
@given(
    header=HEADERS,
    name=st.sampled_from(["train_images", "train_labels", "test_images", "test_labels"]),
    version=st.sampled_from([1, 1, 2, 3]),
    exact=st.booleans(),
    values=st.binary(max_size=500),
)
def test_made_up_array_headers(tmp_path, arrays, header, name, version, exact, values):
    text = header.encode("utf-8", "surrogatepass") + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    values = arrays[name].tobytes() if exact else values
    path = tmp_path / "fuzz.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, array in arrays.items():
            stream = io.BytesIO()
            np.save(stream, array)
            mine = b"\x93NUMPY" + bytes((version, 0)) + length + text + values
            archive.writestr(f"{member}.npy", mine if member == name else stream.getvalue())
    valid_or_refused(path)


@FUZZ
@given(data=st.data(), zipped=st.booleans(), inside=st.booleans())
def test_damaged_idx_files(tmp_path_factory, arrays, data, zipped, inside):
    folder = tmp_path_factory.mktemp("idx")
    target = data.draw(st.integers(0, 3))
    files = [
        (f"{file}-{kind}-idx{rank}-ubyte", arrays[f"{split}_{kind}"])
        for split, file in (("train", "train"), ("test", "t10k"))
        for kind, rank in (("images", 3), ("labels", 1))
    ]
    for i, (name, array) in enumerate(files):
        array = array[:, 0] if "labels" in name else array
        content = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
        content += array.tobytes()
        if i == target and (inside or not zipped):
            content = data.draw(damage(content))
        if zipped:
            content = gzip.compress(content)
            content = data.draw(damage(content)) if i == target and not inside else content
        (folder / f"{name}{'.gz' * zipped}").write_bytes(content)
    valid_or_refused(folder)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@st.composite
def strange_png(draw):
    """A PNG of right checksums whose header says anything at all."""
    sides = st.sampled_from([0, 1, 4, 5, 300, 9000, 10_000, 2**31 - 1, 2**32 - 1])
    head = struct.pack(
        ">IIBBBBB",
        *(draw(sides), draw(sides)),
        *(draw(st.sampled_from([1, 2, 4, 8, 16, 3])), draw(st.sampled_from([0, 2, 3, 4, 6, 1]))),
        *(0, 0, draw(st.integers(0, 1))),
    )
    extra = st.tuples(
        st.sampled_from([b"PLTE", b"tRNS", b"iCCP", b"zTXt", b"acTL", b"fcTL"]),
        st.binary(max_size=40),
    )
    chunks = [chunk(*pair) for pair in draw(st.lists(extra, max_size=3))]
    body = chunk(b"IDAT", zlib.compress(bytes(draw(st.sampled_from([0, 25, 90_300])))))
    begin = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    return begin + b"".join(chunks) + body + chunk(b"IEND", b"")


SMALL = np.arange(20, dtype=np.uint8).reshape(5, 4) * np.uint8(12)
DEEP = SMALL.astype(np.uint16)[..., None].repeat(3, axis=2) * np.uint16(250)


def saved(form, **options):
    stream = io.BytesIO()
    Image.fromarray(SMALL).save(stream, form, **options)
    return stream.getvalue()


SOUND = {
    **{form: saved(form) for form in ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM")},
    "TIFF": saved("TIFF", compression="tiff_lzw"),
    "frames": saved("TIFF", save_all=True, append_images=[Image.fromarray(SMALL)]),
    "deep TIFF": tiff_of(DEEP),
    "deep PNG": png_of(DEEP, 16),
    "turned": saved("JPEG", exif=jpeg_exif(6)),
}


@FUZZ
@given(data=st.data(), kind=st.sampled_from([*SOUND, "strange"]))
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_pictures(tmp_path_factory, data, kind):
    folder = tmp_path_factory.mktemp("pictures")
    sound = SOUND.get(kind, SOUND["PNG"])
    changed = data.draw(strange_png() if kind == "strange" else damage(sound))
    for name in ("a", "b"):
        (folder / name).mkdir()
        for i in range(2):
            (folder / name / f"{i}.png").write_bytes(changed if (name, i) == ("b", 0) else sound)
    # Sound ones have 20 pixels. A damaged header may ask for any number: that is refused anywhere.
    valid_or_refused(folder, max_pixels=10_000)


@FUZZ
@given(data=st.data())
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_dicom_files(tmp_path_factory, data):
    pytest.importorskip("pydicom")
    from tests.data.test_dicom import VALUES, dicom_of

    folder = tmp_path_factory.mktemp("dicom")
    sound = dicom_of(VALUES, WindowCenter=1000, WindowWidth=401, RescaleSlope=2, RescaleIntercept=1)
    for i, content in enumerate((sound, sound, sound, data.draw(damage(sound)))):
        (folder / "ab"[i % 2]).mkdir(exist_ok=True)
        (folder / "ab"[i % 2] / f"{i}.dcm").write_bytes(content)
    valid_or_refused(folder)


def png(i):
    stream = io.BytesIO()
    Image.fromarray(np.full((4, 5), i, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


LABELS = np.array(["a", "b"] * 6)
TABLES = [
    "file,label,split\n" + "".join(f"p{i}.png,{'ab'[i % 2]},train\n" for i in range(8)),
    "id,a,b,label\n" + "".join(f"{i},{i}.5,{i},{'ab'[i % 2]}\n" for i in range(12)),
    "text\tlabel\tpatient\n" + "".join(f'"x, {i}"\t{i % 2}\t{i}\n' for i in range(12)),
    "e;label\n" + "".join(f"[{i} 2 3];{i % 2}\n" for i in range(12)),
    "a,colour,label\n" + "".join(f"{i},{'rg'[i % 2]},{i % 2}\n" for i in range(12)),
]


@MORE
@given(data=st.data(), table=st.sampled_from(TABLES))
def test_damaged_tables(tmp_path_factory, data, table):
    folder = tmp_path_factory.mktemp("table")
    for i in range(8):
        (folder / f"p{i}.png").write_bytes(png(i))
    (folder / "t.csv").write_bytes(data.draw(damage(table.encode())))
    valid_or_refused(folder / "t.csv", test_fraction=0)


@MORE
@given(data=st.data(), text=st.booleans(), target=st.sampled_from(["x.npy", "labels.npy"]))
def test_damaged_single_arrays(tmp_path, data, text, target):
    for name, array in (
        ("x.npy", LABELS if text else np.random.default_rng(0).random((12, 3))),
        ("labels.npy", LABELS),
    ):
        stream = io.BytesIO()
        np.save(stream, array)
        content = stream.getvalue()
        (tmp_path / name).write_bytes(data.draw(damage(content)) if name == target else content)
    valid_or_refused(tmp_path / "x.npy", labels=tmp_path / "labels.npy", test_fraction=0)


@pytest.fixture(scope="module")
def parquet():
    """Three small Parquet files: pictures, vectors and mixed columns."""
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    structs = [{"bytes": png(i), "path": f"{i}.png"} for i in range(12)]
    contents = []
    for columns, packing in (
        ({"image": pa.array(structs)}, "snappy"),
        ({"v": [[i, 0.5] for i in range(12)], "id": list(map(str, range(12)))}, "zstd"),
        ({"a": list(range(12)), "b": list(LABELS)}, "none"),
    ):
        stream = io.BytesIO()
        pq.write_table(pa.table(columns | {"label": LABELS.tolist()}), stream, compression=packing)
        contents.append(stream.getvalue())
    return contents


@MORE
@given(data=st.data(), which=st.integers(0, 2))
def test_damaged_parquet_files(tmp_path, parquet, data, which):
    (tmp_path / "t.parquet").write_bytes(data.draw(damage(parquet[which])))
    valid_or_refused(tmp_path / "t.parquet", test_fraction=0)


@pytest.fixture(scope="module")
def hdf5(tmp_path_factory):
    """Two small HDF5 files, one compressed; labels are texts, which lie in a heap."""
    h5py = pytest.importorskip("h5py")
    contents = []
    for options in ({}, {"compression": "gzip", "chunks": (3, 5, 4)}):
        path = tmp_path_factory.mktemp("hdf5") / "t.h5"
        with h5py.File(path, "w") as file:
            images = np.arange(240, dtype=np.uint8).reshape(12, 5, 4)
            file.create_dataset("train/images", data=images, **options)
            file["train/labels"], file["train/names"] = LABELS.tolist(), np.arange(12)
        contents.append(path.read_bytes())
    return contents


@MORE
@given(data=st.data(), which=st.integers(0, 1))
def test_damaged_hdf5_files(tmp_path_factory, hdf5, data, which):
    path = tmp_path_factory.mktemp("hdf5") / "t.h5"  # a new one each: HDF5 remembers names
    path.write_bytes(data.draw(damage(hdf5[which])))
    valid_or_refused(path, test_fraction=0)


@MORE
@given(data=st.data(), method=st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
def test_damaged_zip_archives(tmp_path, data, method):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for i in range(6):
            archive.writestr(f"pets/{'ab'[i % 2]}/{i}.png", png(i))
    (tmp_path / "pets.zip").write_bytes(data.draw(damage(stream.getvalue())))
    valid_or_refused(tmp_path / "pets.zip", test_fraction=0)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Files of a dataset that Hugging Face's package saved, by name."""
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    kinds = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["a", "b"])}
    )
    columns = {"text": list(map(str, range(12))), "label": [0, 1] * 6}
    folder = tmp_path_factory.mktemp("saved")
    datasets.Dataset.from_dict(columns, features=kinds).save_to_disk(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@MORE
@given(data=st.data(), which=st.integers(0, 2))
def test_damaged_datasets_of_hugging_face(tmp_path_factory, saved, data, which):
    folder = tmp_path_factory.mktemp("saved")
    for i, (name, content) in enumerate(sorted(saved.items())):
        changed = data.draw(damage(content)) if i == which else content
        (folder / name).write_bytes(changed)
    valid_or_refused(folder, test_fraction=0)
