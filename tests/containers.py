"""Containers that people have arrays in: makers of each, and a stand-in for torch's tensors."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa


class Tensor:
    """What tensors of torch do: arrays only once detached, and never of bfloat16."""

    def __init__(self, array: Any, *, gradient: bool = False) -> None:
        self.array, self.gradient = array, gradient
        self.dtype = f"torch.{array.dtype}"
        self.shape = array.shape

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, index: Any) -> "Tensor":
        return Tensor(self.array[index], gradient=self.gradient)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        if self.gradient:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        if "bfloat16" in self.dtype:
            raise TypeError("Got unsupported ScalarType BFloat16")
        return np.asarray(self.array, dtype)

    def detach(self) -> "Tensor":
        return Tensor(self.array)

    def cpu(self) -> "Tensor":
        return self

    def float(self) -> "Tensor":
        return Tensor(np.asarray(self.array, np.float32))


class OnlyDlpack:
    """An array of a library that exchanges memory and knows nothing of NumPy."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


def pandas(array: np.ndarray) -> Any:
    """A Series or a DataFrame, whose rows are named in an order that is not theirs."""
    names = np.arange(len(array))[::-1]
    if array.ndim == 1:
        return pd.Series(array, names)
    square = array.shape[0] == array.shape[1]
    return pd.DataFrame(array, names, names if square else None)


def polars(array: np.ndarray) -> Any:
    return pl.Series(array) if array.ndim == 1 else pl.DataFrame(array)


def mixed(array: np.ndarray) -> Any:
    """A frame of columns of different kinds, which NumPy holds as objects alone."""
    frame = pandas(array).convert_dtypes()
    return frame.astype({0: "Float64"} if array.ndim == 2 else "Float64")


def arrow(array: np.ndarray) -> Any:
    if array.ndim == 1:
        return pa.array(array)
    return pa.table({str(j): column for j, column in enumerate(array.T)})


#: Of one- and two-dimensional arrays.
TABLES: dict[str, Callable[[np.ndarray], Any]] = {
    "pandas": pandas,
    "pandas, nullable": lambda x: pandas(x).convert_dtypes(),
    "pandas, mixed": mixed,
    "pandas, Arrow": lambda x: pandas(x).convert_dtypes(dtype_backend="pyarrow"),
    "polars": polars,
    "PyArrow": arrow,
}
#: Of arrays of any rank; half precision holds the numbers of `tests.public_calls`.
ARRAYS: dict[str, Callable[[np.ndarray], Any]] = {
    "list": lambda x: x.tolist(),
    "other byte order": lambda x: x.astype(x.dtype.newbyteorder()),
    "objects": lambda x: x.astype(object),
    "unmasked": np.ma.array,
    "jax": jnp.asarray,
    "tensor": Tensor,
    "tensor with a gradient": lambda x: Tensor(x, gradient=True),
    "tensor of bfloat16": lambda x: Tensor(x.astype(ml_dtypes.bfloat16)),
    "DLPack": lambda x: OnlyDlpack(np.array(x)),
    "bfloat16": lambda x: x.astype(ml_dtypes.bfloat16),
    "bfloat16 of jax": lambda x: jnp.asarray(x, jnp.bfloat16),
    "long double": lambda x: x.astype(np.longdouble),
}
LISTS: dict[str, Callable[[np.ndarray], Any]] = {
    "tuple": lambda x: tuple(x.tolist()),
    "list of arrays": list,
    "list of jax arrays": lambda x: [jnp.asarray(row) for row in x],
    "list of tensors": lambda x: [Tensor(row, gradient=True) for row in x],
}
