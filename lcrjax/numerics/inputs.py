"""The one door for what people give: numbers, labels and elements in containers of any kind.

Taken are arrays of NumPy, jax (traced or not) and ml_dtypes, masked arrays without a mask, lists
and tuples of what is taken, tables and columns of pandas (nullable and Arrow), polars and PyArrow,
tensors of torch, and whatever else has `__array__` or `__dlpack__`. Elements count by position.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lcrjax.numerics.arrays import at_hand
from lcrjax.numerics.meshes import is_spread, whole
from lcrjax.numerics.sources import is_large, whole_refused

_TAKEN = "give an array, a list, or a table or column of pandas or polars"
_ITEMS = "images, labels = zip(*items)"
_BATCHES = "images, labels = map(numpy.concatenate, zip(*batches))"
#: What to do with what packages hand elements and labels over in together, by where its class is.
_TOGETHER = {
    "torch.utils.data.dataloader": f"give images and labels apart, by {_BATCHES}",
    "torch.utils.data": f"give images and labels apart, by {_ITEMS}",
    "datasets": "give two of its columns, such as data['image'] and data['label'], "
    "or read it by lcrjax.data.load",
}


def array(what: str, given: Any, *, nan: bool = False) -> Any:
    """Bring what is given into an array in the machine's byte order; arrays of jax stay.

    Those that an explicit mesh has spread become whole on every device. Floats of 8 and 16 bits
    that NumPy lacks become float32, wider ones than 64 bits float64.

    Args:
        what: Its name in the plural, for errors.
        given: Anything.
        nan: Whether NaN marks what is missing, as in labels; in tables it always does.

    Raises:
        ValueError: If it is nothing that holds an array, or other processes hold shards of it, or a
            value is missing (masked, None, NA, NaT, null), saying where.
    """
    ready = isinstance(given, np.ndarray | jax.Array) and not isinstance(given, np.ma.MaskedArray)
    found = whole(given) if ready else _converted(what, given)
    if is_spread(found) and not found.is_fully_addressable:
        raise ValueError(
            f"{what} are sharded over several processes: give mesh= to measure or ordinariness, or "
            "arrays that lie in this process"
        )
    if isinstance(found, np.ndarray):
        _refuse_marks(what, found, nan or hasattr(given, "to_numpy"))
        found = native_order(found)
    if found.dtype.kind == "V" and jnp.issubdtype(found.dtype, np.number):
        return found.astype(np.float32)
    return found.astype(np.float64) if found.dtype == np.longdouble else found


def numbers(what: str, given: Any) -> Any:
    """Bring what is given into an array of real numbers; as `array`.

    Raises:
        ValueError: If it is something else, or a number is missing. NaN in arrays is a number.
    """
    found = array(what, given)
    if found.dtype == object:  # columns of several kinds, fractions, or arrays in a column
        try:
            found = np.asarray(found.tolist())
            found = found.astype(np.float64) if found.dtype == object else found
        except (TypeError, ValueError) as error:
            raise ValueError(f"{what} have dtype object: give numbers ({error})") from error
    if found.dtype.kind not in "iufb":
        if text := _first_text(given):
            raise ValueError(f"{what} hold text in column {text!r}: leave it out, or give numbers")
        raise ValueError(f"{what} have dtype {found.dtype}: give numbers")
    return found


def _first_text(table: Any) -> str | None:
    """Name of the first column of a table that holds text, if there is one."""
    for name in getattr(table, "columns", ()) if hasattr(table, "to_numpy") else ():
        if any(isinstance(x, str) for x in table[name]):
            return str(name)
    return None


def sequence(what: str, given: Any) -> Any:
    """Bring elements of any kind into an array; lists and tuples of them stay.

    Raises:
        ValueError: As `array`, or if it is a single one.
    """
    if isinstance(given, list | tuple):
        return given
    found = array(what, given)
    if not found.ndim:
        raise ValueError(f"{what} have shape (): give one row per element")
    return found


def objects(what: str, given: Any) -> list[Any]:
    """List n objects of any kind by position, whatever the names of their rows.

    Raises:
        ValueError: As `array`.
    """
    items = list(given if isinstance(given, list | tuple) else np.asarray(array(what, given)))
    _refuse_marks(what, np.fromiter(items, object, len(items)), True)
    return items


def rounded(what: str, given: Any, dtype: Any) -> Any:
    """Round numbers to a float dtype: what is at hand on the host, wide integers too.

    Raises:
        ValueError: If numbers at hand are not finite, the dtype cannot hold one, or it holds
            nothing of a column.
    """
    if not at_hand(given):
        return given.astype(dtype)
    limits = np.finfo(dtype)
    elsewhere = isinstance(given, jax.Array) and jax.default_backend() != "cpu"
    if elsewhere and given.dtype == dtype:
        with jax.ensure_compile_time_eval():  # also where something else is traced
            most = np.asarray(_largest(given))
        if ((most >= limits.tiny) & (most <= limits.max)).all():
            return given  # which stays where it lies
    wide = np.asarray(given, np.float64)
    most = np.abs(wide).max(axis=0, initial=0)
    if not (most <= limits.max).all():
        bad = ~(np.abs(wide) <= limits.max)
        wish = "scale them, or enable jax_enable_x64" if np.isfinite(wide).all() else "remove it"
        raise ValueError(f"{what} hold {wide[bad][0]:g} at {_first(bad)}: {wish}")
    if ((most > 0) & (most < limits.tiny)).any():
        raise ValueError(
            f"{what} are at most {most[most > 0].min():g}, which {dtype} does not hold: "
            "scale them, or enable jax_enable_x64"
        )
    return wide.astype(dtype)


@jax.jit
def _largest(given: jax.Array) -> jax.Array:
    return jnp.max(jnp.abs(given), axis=0, initial=0)


def check_width(what: str, given: Any) -> None:
    """Refuse integers at hand that jax, as it is set, would wrap.

    Raises:
        ValueError: If one of them does not fit.
    """
    dtype = jax.dtypes.canonicalize_dtype(given.dtype)
    if not at_hand(given) or dtype == given.dtype or given.dtype.kind not in "iu" or not given.size:
        return
    limits = np.iinfo(dtype)
    if given.min() < limits.min or given.max() > limits.max:
        raise ValueError(
            f"{what} have dtype {given.dtype} and values beyond 32 bits: "
            "give floats, or enable jax_enable_x64"
        )


def native_order(given: np.ndarray) -> np.ndarray:
    """Turn numbers of the other byte order, as in FITS files, round: jax takes none; else as is."""
    return given if given.dtype.isnative else given.astype(given.dtype.newbyteorder("="))


def check_apart(what: str, given: Any) -> None:
    """Refuse what holds elements and labels together, such as a loader.

    Raises:
        ValueError: If it is such; the text says how to take it apart.
    """
    for base in type(given).__mro__:
        package = next((p for p in _TOGETHER if f"{base.__module__}.".startswith(f"{p}.")), None)
        if package and not isinstance(given, Sequence):
            raise ValueError(
                f"{what} are a {type(given).__name__} of {package}: {_TOGETHER[package]}"
            )


def _converted(what: str, given: Any) -> Any:
    """An array of what is none of NumPy's or jax's own."""
    check_apart(what, given)
    if is_large(given):
        raise whole_refused(what, given)
    if isinstance(given, Iterator):
        pairs = f"; of pairs by {_ITEMS}, of pairs of batches by {_BATCHES}"
        together = pairs * what.endswith(("elements", "images", "labels"))
        raise ValueError(
            f"{what} are a {type(given).__name__}, which can be read only once: "
            f"give a list of them{together}"
        )
    try:
        if isinstance(given, list | tuple):
            return _stacked(what, given)
        if isinstance(given, np.ma.MaskedArray):
            _refuse(what, np.ma.getmaskarray(given))
            return given.data
        if hasattr(given, "detach"):  # a tensor of torch, which may have a gradient
            given = given.detach().cpu()
            given = given.float() if "bfloat16" in str(given.dtype) else given
        if hasattr(given, "__dlpack__") and not hasattr(given, "__array__"):
            return np.from_dlpack(given)
        found = np.asarray(given)
    except (TypeError, RuntimeError, BufferError) as error:
        raise ValueError(f"{what} are a {type(given).__name__}: {_TAKEN} ({error})") from error
    if found.ndim == 0 and found.dtype == object and not hasattr(given, "__float__"):
        kind = "None" if given is None else f"a {type(given).__name__}"
        raise ValueError(f"{what} are {kind}: {_TAKEN}")
    return found


def _stacked(what: str, given: Any) -> Any:
    """An array of a list, in which marks of what is missing stay what they are."""
    kinds = {type(x) for x in given}
    if any(issubclass(kind, np.ma.MaskedArray) for kind in kinds):
        _refuse(what, np.array([np.ma.getmaskarray(x) for x in given]))
    if any(hasattr(kind, "detach") for kind in kinds):
        given = [array(what, x) for x in given]
    try:
        found = np.asarray(given)
    except jax.errors.TracerArrayConversionError:
        return jnp.asarray(given)
    except ValueError as error:
        if all(isinstance(x, list | tuple) and len(x) == 2 for x in given):
            text = f"{what} are pairs of unlike things: give images and labels apart, by {_ITEMS}"
            raise ValueError(text) from error
        raise ValueError(f"{what} have rows of different lengths: give equal ones") from error
    if found.dtype.kind not in "US":
        return found
    kept = np.array(given, object)  # NumPy makes strings of all that stands beside a string
    return found if all(isinstance(x, str | bytes) for x in kept.flat) else kept


def _refuse_marks(what: str, found: np.ndarray, nan: bool) -> None:
    """Refuse what is missing in an array, NaN among it if it is a mark."""
    kind = found.dtype.kind
    if kind in "fc" and nan:
        _refuse(what, np.isnan(found))
    elif kind in "mM":
        _refuse(what, np.isnat(found))
    elif kind in "OT" and not all(isinstance(x, str) for x in found.flat):
        import pandas as pd

        _refuse(what, pd.isna(found.astype(object)))


def _refuse(what: str, missing: Any) -> None:
    if missing.any():
        raise ValueError(
            f"{what} lack {np.sum(missing)} of {missing.size} values, first at {_first(missing)}: "
            "fill them in, or leave them out"
        )


def _first(where: np.ndarray) -> Any:
    """The first place that is marked: a number, or one for each axis."""
    place = tuple(int(i[0]) for i in np.nonzero(np.atleast_1d(where)))
    return place[0] if len(place) == 1 else place
