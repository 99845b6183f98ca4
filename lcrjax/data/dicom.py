"""DICOM files of one picture, through pydicom."""

from typing import Any

import numpy as np

from lcrjax.data.errors import UnreadableError, need


def decode_dicom(stream: Any, max_pixels: int) -> tuple[np.ndarray, tuple[str, ...]]:
    """Decode a DICOM file of one frame.

    Grey values go through the modality's rescaling and the first window that the file states, or,
    where it states none, over the full range that its stored bits can have. A picture in which the
    lowest value is white (MONOCHROME1) is inverted.

    Returns:
        Grey as float32 in [0, 1], (h, w), or colours as uint8, (h, w, 3); and a key of
        `decode.REMARKS` that tells how grey was read.

    Raises:
        UnreadableError: If it has no picture, several frames or more pixels than `max_pixels`.
        ImportError: If pydicom is not installed.
    """
    pydicom = need("pydicom", "pydicom", "dicom")
    pixels = need("pydicom.pixels", "pydicom", "dicom")
    data = pydicom.dcmread(stream)
    if "PixelData" not in data:
        raise UnreadableError("DICOM without a picture")
    if int(data.get("NumberOfFrames", 1) or 1) > 1:
        raise UnreadableError(f"DICOM of {data.NumberOfFrames} frames: save those that are wanted")
    if int(data.Rows) * int(data.Columns) > max_pixels:
        raise UnreadableError(
            f"{data.Columns:,}×{data.Rows:,} pixels, more than the limit of {max_pixels:,}: "
            "raise it with max_pixels= (--max-pixels) if you trust the file"
        )
    values = pixels.pixel_array(data)
    if data.SamplesPerPixel == 3:
        if values.dtype != np.uint8:
            raise UnreadableError("DICOM in colour with more than 8 bits per channel: convert it")
        return values, ()
    if not data.PhotometricInterpretation.startswith("MONOCHROME"):
        raise UnreadableError(f"DICOM of {data.PhotometricInterpretation}, neither grey nor RGB")
    low, high = _range(data)
    values = pixels.apply_modality_lut(values, data)
    windowed = "WindowCenter" in data
    if windowed:
        values = pixels.apply_windowing(values, data)
    else:
        low, high = sorted((low, high))
    grey = (values.astype(np.float64) - low) / (high - low)
    if data.PhotometricInterpretation == "MONOCHROME1":
        grey = 1 - grey
    return np.clip(grey, 0, 1).astype(np.float32), ("window" if windowed else "range",)


def _range(data: Any) -> tuple[float, float]:
    """What the lowest and the highest value that the stored bits can have are rescaled to."""
    if data.get("ModalityLUTSequence"):
        return 0.0, 2.0 ** data.ModalityLUTSequence[0].LUTDescriptor[2] - 1
    lowest = -(2 ** (data.BitsStored - 1)) if data.PixelRepresentation else 0
    slope, intercept = data.get("RescaleSlope", 1), data.get("RescaleIntercept", 0)
    low, high = (slope * end + intercept for end in (lowest, lowest + 2**data.BitsStored - 1))
    return float(low), float(high)
