"""DICOM files that pydicom writes, against values that were rescaled by hand."""

import io

import numpy as np
import pytest

from lcrjax.data import load
from lcrjax.data.decode import decode
from lcrjax.data.errors import UnreadableError
from lcrjax.data.options import Options

pydicom = pytest.importorskip("pydicom")
pytest.importorskip("PIL")

VALUES = (np.arange(35).reshape(5, 7) * 100).astype(np.uint16)


def dicom_of(values, *, bits=12, photometric="MONOCHROME2", **more):
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = pydicom.uid.UID("1.2.3.4")
    data = pydicom.Dataset()
    data.file_meta = meta
    data.Rows, data.Columns = values.shape[:2]
    data.SamplesPerPixel = 1 if values.ndim == 2 else 3
    data.PhotometricInterpretation = photometric
    data.PlanarConfiguration = 0
    data.BitsAllocated = 8 * values.dtype.itemsize
    data.BitsStored, data.HighBit = bits, bits - 1
    data.PixelRepresentation = int(values.dtype.kind == "i")
    data.PixelData = values.tobytes() + b"\0" * (values.nbytes % 2)
    data["PixelData"].VR = "OW" if values.dtype.itemsize > 1 else "OB"
    for name, value in more.items():
        setattr(data, name, value)
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, data, enforce_file_format=True)
    return stream.getvalue()


def read(content):
    return decode(content, Options())


def test_without_a_window_the_full_range_of_stored_bits_is_read():
    got = read(dicom_of(VALUES))
    np.testing.assert_allclose(got.pixels, VALUES / 4095, atol=1e-7)
    assert (got.pixels.dtype, got.remarks) == (np.float32, ("range",))
    signed = VALUES.astype(np.int16) - np.int16(1700)
    np.testing.assert_allclose(read(dicom_of(signed)).pixels, (signed + 2048) / 4095, atol=1e-7)


def test_the_window_is_applied_after_rescaling():
    more = {"RescaleSlope": 2, "RescaleIntercept": -1000, "WindowCenter": 1000, "WindowWidth": 401}
    got = read(dicom_of(VALUES, **more))
    units = VALUES * 2.0 - 1000
    # PS3.3, C.11.2.1.2.1: linear between centre - 0.5 ± (width - 1) / 2.
    expected = np.clip((units - 999.5) / 400 + 0.5, 0, 1)
    np.testing.assert_allclose(got.pixels, expected, atol=1e-6)
    assert got.remarks == ("window",)
    several = read(dicom_of(VALUES, **more | {"WindowCenter": [1000, 5], "WindowWidth": [401, 9]}))
    np.testing.assert_array_equal(several.pixels, got.pixels)


def test_the_lowest_value_may_be_white():
    got = read(dicom_of(VALUES, photometric="MONOCHROME1"))
    np.testing.assert_allclose(got.pixels, 1 - VALUES / 4095, atol=1e-7)


def test_colours_are_bytes():
    values = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
    got = read(dicom_of(values, bits=8, photometric="RGB"))
    np.testing.assert_array_equal(got.pixels, values)
    assert got.pixels.dtype == np.uint8


def test_what_is_no_single_picture_is_refused():
    frames = dicom_of(np.concatenate([VALUES, VALUES]), NumberOfFrames=2, Rows=5)
    with pytest.raises(UnreadableError, match="2 frames"):
        read(frames)
    with pytest.raises(UnreadableError, match="limit of 34"):
        decode(dicom_of(VALUES), Options(max_pixels=34))
    with pytest.raises(UnreadableError):
        read(dicom_of(VALUES)[:-40])


def test_a_folder_says_how_its_files_were_read(tmp_path):
    for i, more in enumerate(({}, {}, {"WindowCenter": 9, "WindowWidth": 9})):
        (tmp_path / "a").mkdir(exist_ok=True)
        (tmp_path / "a" / f"IM{i}").write_bytes(dicom_of(VALUES, **more))
    window, full = load(tmp_path, test_fraction=0).notes
    assert window == (
        "1 of 3 pictures are DICOM and were read through the window that they state "
        "(the first: a/IM2)."
    )
    assert "2 of 3 pictures" in full
    assert "full range" in full
