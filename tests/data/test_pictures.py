import threading

import numpy as np
import pytest

from lcrjax.data import DataError, load
from lcrjax.data import pictures as module
from lcrjax.data.options import Options
from lcrjax.data.pictures import decode_all
from tests.data.conftest import pixels
from tests.data.picture_files import png_of

pytest.importorskip("PIL")
ARRAYS = pixels((70, 9, 8))


def named(arrays=ARRAYS):
    return [(f"p{i}", png_of(array)) for i, array in enumerate(arrays)]


@pytest.mark.parametrize("stored", [1, 2**40], ids=["in turn", "on all cores"])
def test_pictures_come_in_order_whoever_decodes_them(stored, monkeypatch):
    threads = set()
    decode = module.decode
    monkeypatch.setattr(
        module, "decode", lambda *given: (threads.add(threading.get_ident()), decode(*given))[1]
    )
    monkeypatch.setattr(module, "_cores", lambda: 3)
    pictures = named()
    pictures[33] = ("p33", b"")
    got = decode_all(iter(pictures), 70, "all", stored, Options(skip_damaged=True))
    kept = np.delete(np.arange(70), 33)
    np.testing.assert_array_equal(got.kept, kept)
    np.testing.assert_array_equal(got.images, ARRAYS[kept])
    assert got.notes == (
        "1 of 70 files of all cannot be read and were left out: p33 (no format of pictures that "
        "is read).",
    )
    assert (threads == {threading.get_ident()}) == (stored == 1)


def test_few_pictures_are_under_way_at_a_time(monkeypatch):
    taken = []
    monkeypatch.setattr(module, "_cores", lambda: 2)
    monkeypatch.setattr(module, "_CHUNK_BYTES", 1)

    def stream():
        for i, picture in enumerate(named()):
            taken.append(i)
            yield picture

    outcomes = module._outcomes(stream(), False, Options())
    for i, _ in zip(range(70), outcomes, strict=False):
        assert len(taken) <= i + 5


def test_progress_is_told_to_the_end():
    told = []
    decode_all(named(), 70, "all", 1, Options(progress=lambda *both: told.append(both)))
    assert told[-1] == (70, 70)
    assert told == sorted(told)
    assert len(told) < 10


def test_a_missing_package_is_said_from_every_thread(monkeypatch):
    def lacking(*_):
        raise ImportError("needs pydicom")

    monkeypatch.setattr(module, "decode", lacking)
    for stored in (1, 2**40):
        with pytest.raises(ImportError, match="pydicom"):
            decode_all(named(), 70, "all", stored, Options())


def test_many_damaged_files_are_counted_where_names_are_too_many():
    with pytest.raises(DataError, match=r"70 of 70 files of all .* p49 \(.*\) and 20 more: get"):
        decode_all([(f"p{i}", b"") for i in range(70)], 70, "all", 1, Options())
    with pytest.raises(DataError, match="all holds no picture"):
        decode_all([("p", b"")], 1, "all", 1, Options(skip_damaged=True))


def test_modes_are_checked_and_apply_to_arrays(save):
    with pytest.raises(DataError, match="mode is 'gray': give grey or rgb"):
        load(save(), mode="gray")
    assert load(save(), mode="rgb").train_images.shape == (12, 5, 4, 3)
    colours = {k: pixels((n, 5, 4, 3)) for k, n in (("train_images", 12), ("test_images", 6))}
    grey = load(save(**colours), mode="grey").train_images
    luma = colours["train_images"] @ np.array((0.299, 0.587, 0.114))
    assert np.abs(grey - luma).max() < 0.51
    with pytest.raises(DataError, match="2 channels: mode='grey' needs 1 or 3"):
        load(save(**{k: pixels((*v.shape[:3], 2)) for k, v in colours.items()}), mode="grey")
