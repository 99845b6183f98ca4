"""Processes that compute together: what each has, what all have, and what keeps one from going on.

Who computes with others waits for them. So before long work every process tells all others what it
was given, or why it cannot go on, and all of them raise the same error.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding

_ROOM = 4096  # bytes that a process tells at once
_DISTINCT, _SHOWN = 6, 200  # values that an error shows, and characters of each
_awaited: ContextVar[bool] = ContextVar("awaited", default=False)


def several() -> bool:
    """Whether processes compute together, as `jax.distributed.initialize` lets them."""
    return jax.process_count() > 1


def of_all(own: Any) -> np.ndarray:
    """Every process's numbers, one process's after another's, as many of each; or a sharded array.

    Args:
        own: An array of NumPy; or of jax, then all of it is brought to every host.
    """
    if not several():
        return np.asarray(own)
    from jax.experimental import multihost_utils

    if isinstance(own, jax.Array) and not own.is_fully_addressable:
        return np.asarray(multihost_utils.process_allgather(own, tiled=True))
    host = np.ascontiguousarray(own)  # as bytes, of which jax keeps all
    found = multihost_utils.process_allgather(host.view(np.uint8), tiled=True)
    return np.asarray(found).view(host.dtype)


def on_host(array: jax.Array) -> np.ndarray:
    """All of an array of jax, of which other processes may hold shards; then all of them ask."""
    if array.is_fully_addressable:
        return np.asarray(array)
    check_agreed({"the shape of a sharded array": str(array.shape)}, last=False)
    return of_all(array)


def awaits_others() -> bool:
    """Whether processes compute together, and are not yet within `raised_in_all`."""
    return several() and not _awaited.get()


@contextmanager
def raised_in_all() -> Iterator[None]:
    """Raise in all processes what one of them raises before the last `check_agreed` in here.

    Raises:
        ValueError: What one of them has raised, naming it.
        RuntimeError: If that was no ValueError.
    """
    token = _awaited.set(True)
    try:
        yield
    except Exception as error:
        if not _awaited.get():
            raise
        _awaited.set(False)
        failure = {"failure": str(error), "kind": type(error).__name__}
        told = _told(failure)
        if told.count(failure) < len(told) and isinstance(error, ValueError):
            _raise_failure(told, error)
        raise
    finally:
        _awaited.reset(token)


def check_agreed(said: dict[str, Any], *, last: bool = True) -> None:
    """Check that all processes were given the same, and that none of them has failed.

    Args:
        said: A number, a string or a list of them, by what it is called in a sentence.
        last: Whether the work begins now: from here on processes fail alike.

    Raises:
        ValueError: If they do not agree, saying what they have; in all processes alike. If one has
            raised a ValueError in `raised_in_all`, the same.
        RuntimeError: If it has raised another error there.
    """
    if not several():
        return
    asked = _awaited.get()
    _awaited.set(False)  # no process tells twice
    told = _told(said)
    _raise_failure(told, None)
    names = [name for one in told for name in one]
    in_all = [name for name in names if all(name in one for one in told)]
    for name in dict.fromkeys(in_all + names):
        values = [one.get(name, "none") for one in told]
        if any(value != values[0] for value in values):
            raise ValueError(_disagreement(name, values))
    _awaited.set(asked and not last)


class Parts:
    """Elements of which each process has a part, or that are sharded over processes.

    Args:
        own: This process's, or all that are sharded.
        said: What else all have to agree about, see `check_agreed`.
    """

    def __init__(self, own: Any, said: dict[str, Any]) -> None:
        self.own, self._said = own, said
        self.sharded = isinstance(own, jax.Array) and not own.is_fully_addressable

    def __len__(self) -> int:
        return len(self.own) * (1 if self.sharded else jax.process_count())

    def take(self, places: np.ndarray) -> np.ndarray:
        """Elements at these places, in ascending order, in all processes alike."""
        own, n = self.own, len(self.own)
        kind = {"elements": n, "the shape of an element": str(own.shape[1:])}
        check_agreed(self._said | kind | {"the dtype of elements": str(own.dtype)}, last=False)
        if self.sharded:
            if isinstance(own.sharding, NamedSharding):  # no matter of which kind its axes are
                mesh = Mesh(own.sharding.mesh.devices, own.sharding.mesh.axis_names)
                own = jax.device_put(own, NamedSharding(mesh, own.sharding.spec))
            return of_all(own[places])
        whose = places // n
        most = int(np.bincount(whose, minlength=1).max())
        mine = places[whose == jax.process_index()] % n
        some = np.asarray(own)[np.pad(mine, (0, most - len(mine)))]
        each = of_all(some).reshape(-1, most, *own.shape[1:])
        counts = np.bincount(whose, minlength=len(each))
        return np.concatenate([rows[:k] for rows, k in zip(each, counts, strict=True)])


def of_first(number: float) -> float:
    """A number as the first process has it: others may round differently."""
    return float(of_all(np.array([number]))[0])


def _told(own: dict[str, Any]) -> list[dict[str, Any]]:
    """What each process tells: at once, or in a second round where it is long."""
    text = np.frombuffer(json.dumps(own).encode(), np.uint8)
    size, room = np.array([len(text)]).view(np.uint8), _ROOM
    while True:
        page = np.zeros(len(size) + room, np.uint8)
        page[: len(size)], some = size, text[:room]
        page[len(size) : len(size) + len(some)] = some
        pages = of_all(page).reshape(-1, len(page))
        sizes = np.ascontiguousarray(pages[:, : len(size)]).view(np.int64)[:, 0]
        if sizes.max() <= room:
            break
        room = int(sizes.max())
    ends = len(size) + sizes
    return [
        json.loads(row[len(size) : end].tobytes()) for row, end in zip(pages, ends, strict=True)
    ]


def _raise_failure(told: list[dict[str, Any]], own: Exception | None) -> None:
    """Raise what the first process that fails has said, if one does."""
    for i, one in enumerate(told):
        if "failure" in one:
            if one["kind"] == "ValueError":
                raise ValueError(f"in process {i}, {one['failure']}") from own
            raise RuntimeError(f"in process {i}, {one['kind']}: {one['failure']}") from own


def _disagreement(name: str, values: list[Any]) -> str:
    """What processes disagree about; of lists, the first place where they differ."""
    where = ""
    if all(isinstance(value, list) for value in values):
        longest = max(map(len, values))
        padded = [[*map(repr, value), *["none"] * (longest - len(value))] for value in values]
        at = next(i for i in range(longest) if len({value[i] for value in padded}) > 1)
        where, values = f" at place {at}", [value[at] for value in padded]
    first = {str(value): i for i, value in reversed(list(enumerate(values)))}
    shown = sorted(first.items(), key=lambda item: item[1])[:_DISTINCT]
    each = ", ".join(f"process {i} has {value[:_SHOWN]}" for value, i in shown)
    return f"processes disagree about {name}{where}, {each}: give all of them the same"
