"""Many pictures decoded into one array, on all cores."""

import collections
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lcrjax.data.decode import REMARKS, Decoded, decode
from lcrjax.data.errors import DataError, UnreadableError
from lcrjax.data.limits import check_bytes
from lcrjax.data.options import Options
from lcrjax.numerics.listing import counted

#: Most files that an error names.
_NAMED = 50
_CHUNK, _CHUNK_BYTES = 32, 2**22
# Files of fewer bytes cost threads more in waiting for each other than they gain.
_SMALL = 2**13
#: What a picture is called, and its path or content.
Named = tuple[str, str | Path | bytes]


class Pictures(NamedTuple):
    """Decoded pictures.

    Attributes:
        images: uint8 or float32 in [0, 1], (n, h, w) if grey or (n, h, w, 3) if in colour.
        kept: Which of those given they are, ascending.
        notes: What was left out or changed, in sentences.
    """

    images: np.ndarray
    kept: np.ndarray
    notes: tuple[str, ...]


class _Outcome(NamedTuple):
    """What became of one picture: decoded, unlike the first, no picture, or unreadable."""

    place: int
    name: str
    decoded: Decoded | None = None
    reason: str = ""


def decode_all(
    pictures: Iterable[Named], count: int, what: str, stored: int, options: Options
) -> Pictures:
    """Decode pictures of one size and kind into one array.

    Args:
        pictures: What errors call each, and its path or content.
        count: Their number, at least one.
        what: What errors call them all.
        stored: Bytes on disk of all of them.
        options: Those of the source: `resize`, `mode`, `skip_damaged`, limits and `progress`.

    Returns:
        The pictures. Where some have 8 bits per channel and others more, which `options.mode`
        allows, all are float32.

    Raises:
        DataError: If none is a picture, some cannot be read (all are named), they are of several
            sizes or kinds, or they expand to more than the limit.
        ImportError: If Pillow, or pydicom for DICOM, is not installed.
    """
    images, first = np.empty(0, np.uint8), ""
    kept: list[int] = []
    left_out: list[_Outcome] = []
    remarked: dict[str, list[str]] = {}
    for outcome in _outcomes(pictures, stored < count * _SMALL, options):
        done = outcome.place + 1
        if options.progress is not None and (done % _CHUNK == 0 or done == count):
            options.progress(done, count)
        if outcome.decoded is None:
            left_out.append(outcome)
            continue
        pixels = outcome.decoded.pixels
        if not first:
            check_bytes(what, count * pixels.nbytes, stored, options.max_bytes)
            images, first = np.empty((count, *pixels.shape), pixels.dtype), outcome.name
        elif (unlike := _unlike(pixels, images, options.mode)) is not None:
            raise DataError(
                f"{outcome.name} is {unlike[0]} but {first} is {unlike[1]}: {unlike[2]}."
            )
        if pixels.dtype == np.float32 and images.dtype == np.uint8:
            check_bytes(what, 4 * images.nbytes, stored, options.max_bytes)
            images = _deepened(images)
        images[len(kept)] = pixels if pixels.dtype == images.dtype else _deepened(pixels)
        kept.append(outcome.place)
        for remark in outcome.decoded.remarks:
            remarked.setdefault(remark, []).append(outcome.name)
    notes = _notes_of_left_out(left_out, count, what, options.skip_damaged)
    if not kept:
        raise DataError(f"{what} holds no picture. {' '.join(notes)}".strip())
    for remark, said in REMARKS.items():
        if names := remarked.get(remark):
            notes.append(f"{len(names):,} of {count:,} pictures {said} (the first: {names[0]}).")
    return Pictures(images[: len(kept)], np.array(kept, np.int64), tuple(notes))


def _outcomes(pictures: Iterable[Named], small: bool, options: Options) -> Iterator[_Outcome]:
    """Decode, large files on all cores, and yield what became of each picture, in order.

    Few chunks are under way at a time, and a chunk of large pictures is one picture, so that little
    memory is taken beside the caller's.
    """
    numbered = enumerate(pictures)
    if small:
        for one in numbered:
            yield from _decode_chunk([one], options)
        return
    size, workers = 1, _cores()
    waiting: collections.deque[Future[list[_Outcome]]] = collections.deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            while True:
                while len(waiting) < 2 * workers and (
                    chunk := list(itertools.islice(numbered, size))
                ):
                    waiting.append(pool.submit(_decode_chunk, chunk, options))
                if not waiting:
                    return
                for outcome in waiting.popleft().result():
                    if outcome.decoded is not None:
                        size = max(1, min(_CHUNK, _CHUNK_BYTES // outcome.decoded.pixels.nbytes))
                    yield outcome
        finally:
            for future in waiting:
                future.cancel()


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _decode_chunk(chunk: list[tuple[int, Named]], options: Options) -> list[_Outcome]:
    outcomes = []
    for place, (name, picture) in chunk:
        try:
            outcomes.append(_Outcome(place, name, decode(picture, options)))
        except UnreadableError as error:
            outcomes.append(_Outcome(place, name, reason=str(error)))
    return outcomes


def _deepened(pixels: np.ndarray) -> np.ndarray:
    return pixels / np.float32(255)


def _unlike(
    pixels: np.ndarray, images: np.ndarray, mode: str | None
) -> tuple[str, str, str] | None:
    """What a picture is and the others are instead, and what to do; None if it is like them."""
    shapes = pixels.shape, images.shape[1:]
    advice = 'bring all to one with mode="grey" or mode="rgb" (on the command line --mode)'
    if shapes[0][:2] != shapes[1][:2]:
        said = [f"{width}×{height} pixels" for height, width in (shape[:2] for shape in shapes)]
        advice = "make them one size with resize= (on the command line --resize)"
    elif len(shapes[0]) != len(shapes[1]):
        said = ["grey" if len(shape) == 2 else "in colour" for shape in shapes]
    elif mode is None and pixels.dtype != images.dtype:
        bits = ["8" if x.dtype == np.uint8 else "more than 8" for x in (pixels, images)]
        said = [f"of {n} bits per channel" for n in bits]
    else:
        return None
    return said[0], said[1], advice


def _notes_of_left_out(
    left_out: Sequence[_Outcome], count: int, what: str, skip_damaged: bool
) -> list[str]:
    """Say what was left out, or refuse to leave out what cannot be read."""
    notes = []
    if others := [outcome.name for outcome in left_out if not outcome.reason]:
        kinds = collections.Counter(os.path.splitext(name)[1] or "no suffix" for name in others)
        listed = ", ".join(f"{n:,} {kind}" for kind, n in kinds.most_common())
        notes.append(
            f"Left out: {counted(len(others), 'file')} in class folders that no format of pictures "
            f"fits: {listed} (the first: {others[0]})."
        )
    if damaged := [outcome for outcome in left_out if outcome.reason]:
        named = ", ".join(f"{x.name} ({x.reason})" for x in damaged[:_NAMED])
        more = f" and {len(damaged) - _NAMED:,} more" if len(damaged) > _NAMED else ""
        said = f"{len(damaged):,} of {count:,} files of {what} cannot be read"
        if not skip_damaged:
            raise DataError(
                f"{said}: {named}{more}: get them anew, remove them, or leave them out by "
                "skip_damaged=True (on the command line --skip-damaged)."
            )
        notes.append(f"{said} and were left out: {named}{more}.")
    return notes
