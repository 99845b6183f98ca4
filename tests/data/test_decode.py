"""Decoded pixels against arrays that were made without Pillow."""

import io
import struct

import numpy as np
import pytest

from lcrjax.data.colours import to_mode
from lcrjax.data.decode import decode
from lcrjax.data.errors import UnreadableError
from lcrjax.data.options import Options
from tests.data.conftest import pixels
from tests.data.picture_files import jpeg_exif, png_of, tiff_of

Image = pytest.importorskip("PIL.Image")


def deep(shape, seed=0):
    values = np.random.default_rng(seed).integers(0, 65536, shape).astype(np.uint16)
    values.flat[:2] = 0, 65535
    return values


def saved(image, form, **options):
    stream = io.BytesIO()
    (image if hasattr(image, "save") else Image.fromarray(image)).save(stream, form, **options)
    return stream.getvalue()


def exactly(content, expected, remarks=(), **options):
    got = decode(content, Options(**options))
    assert got.pixels.dtype == expected.dtype
    np.testing.assert_array_equal(got.pixels, expected)
    assert got.remarks == remarks


GREY, COLOUR = pixels((5, 7)), pixels((5, 7, 3), 1)


@pytest.mark.parametrize("array", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize(
    "write",
    [
        png_of,
        tiff_of,
        lambda a: tiff_of(a, order=">"),
        lambda a: saved(a, "TIFF", compression="tiff_lzw"),
        lambda a: saved(a, "BMP"),
        lambda a: saved(a, "WEBP", lossless=True),
        lambda a: b"P%d\n7 5 255\n" % (5 + a.ndim - 2) + a.tobytes(),
        lambda a: b"P%d 7 5 255 " % a.ndim + " ".join(map(str, a.ravel())).encode(),
    ],
    ids=["png", "tiff", "tiff big", "tiff lzw", "bmp", "webp", "netpbm", "netpbm plain"],
)
def test_lossless_formats_give_the_pixels(array, write):
    content = write(array)
    if array.ndim == 2 and content[:4] == b"RIFF":
        array = np.repeat(array[..., None], 3, axis=2)  # WebP has no grey
    exactly(content, array)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_spread_over_all_of_0_to_255(bits):
    values = np.random.default_rng(bits).integers(0, 2**bits, (6, 9), np.uint8)
    exactly(png_of(values, bits), values * np.uint8(255 // (2**bits - 1)))


@pytest.mark.parametrize("channels", [(), (3,)], ids=["grey", "colour"])
@pytest.mark.parametrize("form", ["png", "little", "big", "deflated"])
def test_16_bits_are_read_as_16(channels, form):
    values = deep((5, 7, *channels))
    content = {
        "png": lambda: png_of(values, 16),
        "little": lambda: tiff_of(values),
        "big": lambda: tiff_of(values, order=">"),
        "deflated": lambda: deflated_tiff(values),
    }[form]()
    exactly(content, values / np.float32(65535))


def deflated_tiff(values):
    """The same, compressed, so that libtiff and not Pillow unpacks it."""
    import zlib

    plain = tiff_of(values)
    data = zlib.compress(values.astype("<u2").tobytes())
    start = struct.unpack_from("<I", plain, 4)[0]
    content = bytearray(plain)
    for i in range(struct.unpack_from("<H", plain, start)[0]):
        at = start + 2 + 12 * i
        tag = struct.unpack_from("<H", plain, at)[0]
        if tag == 259:
            struct.pack_into("<H", content, at + 8, 8)
        if tag == 273:
            struct.pack_into("<I", content, at + 8, len(plain))
        if tag == 279:
            struct.pack_into("<I", content, at + 8, len(data))
    return bytes(content) + data


def test_16_and_10_bits_of_netpbm():
    values = deep((5, 7))
    exactly(b"P5 7 5 65535\n" + values.astype(">u2").tobytes(), values / np.float32(65535))
    exactly(b"P2 2 1 1023 0 1023", np.array([[0, 1]], np.float32))


def test_white_may_be_zero():
    exactly(tiff_of(GREY, photometric=0), 255 - GREY)
    values = deep((5, 7))
    exactly(tiff_of(values, photometric=0), 1 - values / np.float32(65535))


def test_deep_pixels_that_would_be_cut_are_refused():
    six = b"P6 7 5 65535\n" + deep((5, 7, 3)).astype(">u2").tobytes()
    signed = tiff_of(np.arange(-10, 10, dtype=np.int16).reshape(4, 5))
    wide = tiff_of(np.arange(20, dtype=np.uint32).reshape(4, 5))
    for content in (six, signed, wide):
        with pytest.raises(UnreadableError, match="save it as"):
            decode(content, Options())


def test_floats_are_kept_in_0_to_1_and_refused_elsewhere():
    values = np.linspace(0, 1, 35, dtype=np.float32).reshape(5, 7)
    exactly(tiff_of(values), values)
    for bad in (np.nan, 1.5, -0.1):
        changed = values.copy()
        changed[2, 3] = bad
        with pytest.raises(UnreadableError, match=r"not in \[0, 1\]"):
            decode(tiff_of(changed), Options())


def white(colours, alpha, top):
    """Exactly what is seen on white, from fractions."""
    a = alpha[..., None].astype(np.float64) / top
    return colours * a + top * (1 - a)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("bits", [8, 16])
def test_alpha_is_laid_on_white(channels, bits):
    top, make = 2**bits - 1, (pixels if bits == 8 else deep)
    values = make((6, 8, channels + 1), 3)
    seen = white(values[..., :-1], values[..., -1], top)
    seen = seen[..., 0] if channels == 1 else seen
    got = decode(png_of(values, bits), Options())
    assert got.remarks == ("transparent",)
    if bits == 8:
        assert got.pixels.dtype == np.uint8
        assert np.abs(got.pixels - seen).max() <= 0.5
    else:
        np.testing.assert_allclose(got.pixels, seen / top, atol=2e-7)
    values[..., -1] = top
    opaque = values[..., 0] if channels == 1 else values[..., :-1]
    exactly(png_of(values, bits), opaque if bits == 8 else opaque / np.float32(top))


@pytest.mark.parametrize(("bits", "key"), [(1, 1), (2, 2), (4, 5), (8, 77), (16, 300)])
def test_a_transparent_grey_is_white(bits, key):
    values = (np.arange(48).reshape(6, 8) * 7 % 2**bits).astype(np.uint16)
    values[2:4, 2:5] = key
    top = 2**bits - 1
    seen = np.where(values == key, top, values)
    expected = seen / np.float32(top) if bits == 16 else (seen * (255 // top)).astype(np.uint8)
    exactly(png_of(values, bits, chunks=[(b"tRNS", struct.pack(">H", key))]), expected,
            ("transparent",))  # fmt: skip


@pytest.mark.parametrize("bits", [8, 16])
def test_a_transparent_colour_is_white(bits):
    values = (pixels if bits == 8 else deep)((6, 8, 3), 4)
    values[1, 1] = values[4, 6] = key = values[0, 3]
    top = 2**bits - 1
    seen = np.where((values == key).all(axis=2, keepdims=True), top, values)
    chunk = (b"tRNS", struct.pack(">3H", *map(int, key)))
    expected = seen.astype(np.uint8) if bits == 8 else seen / np.float32(top)
    exactly(png_of(values, bits, chunks=[chunk]), expected, ("transparent",))


def test_palettes_are_colour_or_grey_and_may_be_transparent():
    places = np.arange(24, dtype=np.uint8).reshape(4, 6) % 4
    table = np.array([[255, 0, 0], [10, 20, 30], [0, 0, 0], [9, 9, 9]], np.uint8)
    exactly(png_of(places, 8, chunks=[(b"PLTE", table.tobytes())]), table[places])
    grey = np.repeat(np.array([[0], [7], [200], [255]], np.uint8), 3, axis=1)
    exactly(png_of(places, 2, chunks=[(b"PLTE", grey.tobytes())]), grey[places][..., 0])
    alpha = np.array([255, 128, 0], np.uint8)  # the last colour is opaque
    seen = white(table, np.append(alpha, np.uint8(255)), 255)[places]
    chunks = [(b"PLTE", table.tobytes()), (b"tRNS", alpha.tobytes())]
    got = decode(png_of(places, 8, chunks=chunks), Options())
    assert np.abs(got.pixels - seen).max() <= 0.5
    assert got.remarks == ("transparent",)


def test_a_first_frame_is_read_and_said():
    frames = [Image.fromarray(pixels((5, 7, 3), seed)) for seed in range(3)]
    for form, options in (("WEBP", {"lossless": True}), ("TIFF", {}), ("PNG", {})):
        content = saved(frames[0], form, save_all=True, append_images=frames[1:], **options)
        exactly(content, pixels((5, 7, 3), 0), ("frames",))
    reds = [Image.new("RGB", (4, 3), (level, 0, 0)) for level in (200, 100)]
    content = saved(reds[0], "GIF", save_all=True, append_images=reds[1:])
    exactly(content, np.full((3, 4, 3), (200, 0, 0), np.uint8), ("frames",))


ORIENTED = {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.T,
    6: lambda a: a[::-1].T,
    7: lambda a: a[::-1, ::-1].T,
    8: lambda a: a.T[::-1],
}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation):
    stored = np.zeros((16, 32), np.uint8)
    stored[:8, :8], stored[:8, 24:], stored[8:, :8] = 250, 160, 80
    plain = np.asarray(Image.open(io.BytesIO(saved(stored, "JPEG", quality=100))))
    content = saved(stored, "JPEG", quality=100, exif=jpeg_exif(orientation))
    turned = ORIENTED.get(orientation, lambda a: a)
    remarks = ("turned",) if orientation > 1 else ()
    exactly(content, turned(plain), remarks)
    tiff = tiff_of(GREY, more=[(274, 3, 1, orientation)])
    assert np.array_equal(decode(tiff, Options()).pixels, turned(GREY))


def test_modes():
    luma = COLOUR.astype(np.float64) @ (0.299, 0.587, 0.114)
    got = decode(png_of(COLOUR), Options(mode="grey")).pixels
    assert np.abs(got - luma).max() < 0.51
    np.testing.assert_array_equal(got, np.asarray(Image.fromarray(COLOUR).convert("L")))
    exactly(png_of(GREY), np.stack([GREY] * 3, axis=2), mode="rgb")
    values = deep((5, 7, 3))
    luma = values.astype(np.float64) @ (0.299, 0.587, 0.114) / 65535
    np.testing.assert_allclose(
        decode(png_of(values, 16), Options(mode="grey")).pixels, luma, atol=2e-5
    )
    every = np.arange(256, dtype=np.uint8)[:, None] * np.ones(3, np.uint8)
    np.testing.assert_array_equal(to_mode(every[None], "grey", axes=2)[0], np.arange(256))


def test_resizing_keeps_deep_pixels_and_drafts_jpeg():
    values = np.full((6, 8), 300, np.uint16)
    exactly(png_of(values, 16), np.full((3, 2), 300 / np.float32(65535)), resize=(3, 2))
    ramp = np.repeat(np.linspace(0, 255, 640).astype(np.uint8)[None], 480, axis=0)
    got = decode(saved(ramp, "JPEG", quality=95), Options(resize=(12, 16))).pixels
    wanted = ramp[:12].reshape(12, 16, 40).mean(axis=2)
    assert np.abs(got.astype(float) - wanted).max() < 4


def test_cmyk_and_one_bit():
    cmyk = Image.new("CMYK", (4, 3), (255, 0, 0, 0))
    exactly(saved(cmyk, "TIFF"), np.full((3, 4, 3), (0, 255, 255), np.uint8))
    exactly(b"P4 8 2\n\xf0\x0f", np.array([[0] * 4 + [255] * 4, [255] * 4 + [0] * 4], np.uint8))


@pytest.mark.parametrize("more", [[(254, 4, 1, 1)], [(50706, 1, 4, 0x00000401)]])
def test_raw_files_of_cameras_are_no_thumbnails(more):
    with pytest.raises(UnreadableError, match="camera's raw file"):
        decode(tiff_of(GREY, more=more), Options())


def test_content_and_not_a_suffix_tells_what_is_a_picture(tmp_path):
    for name, content, read in (
        ("a", png_of(GREY), True),
        ("a.txt", png_of(GREY), True),
        ("b.txt", b"BM is how this text begins, and it goes on for a while", False),
        ("b.heic", bytes(200), False),
        ("b", b"", False),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        assert (decode(path, Options()) is not None) == read
    (tmp_path / "b.TIF").write_bytes(b"nothing")
    with pytest.raises(UnreadableError, match="no format"):
        decode(tmp_path / "b.TIF", Options())


def test_a_limit_of_pixels_is_stated_and_can_be_raised():
    content = png_of(GREY)
    with pytest.raises(UnreadableError, match=r"7×5 pixels, more than the limit of 34: .*--max-"):
        decode(content, Options(max_pixels=34))
    exactly(content, GREY, max_pixels=35)
