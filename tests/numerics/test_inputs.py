import re

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse

from tests.containers import ARRAYS, LISTS, TABLES
from tests.public_calls import CALLS

FILL = "fill them in, or leave them out"
GIVE = "give an array, a list, or a table or column of pandas or polars"
ARGUMENTS = [(name, argument) for name, call in CALLS.items() for argument in call.arguments]


def refusal(message):
    return pytest.raises(ValueError, match=f"^{re.escape(message)}")


@pytest.mark.parametrize("kind", [*ARRAYS, *LISTS, *TABLES])
@pytest.mark.parametrize("name", CALLS)
def test_public_calls_take_every_container(name, kind):
    if "Python" in name and kind == "list of tensors":
        pytest.skip("a function of Python is given what is in a list as it is")
    call, make = CALLS[name], {**ARRAYS, **LISTS, **TABLES}[kind]
    least = 0 if kind in ARRAYS else 1
    given = {key: make(x) for key, x in call.arguments.items() if np.ndim(x) >= least}
    for found, wanted in zip(call(**given), call(), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=2e-6)


def masked(x):
    mask = np.zeros(np.shape(x), bool)
    mask.flat[1] = True
    return np.ma.array(x, mask=mask)


def with_mark(x, mark):
    x = np.array(x, object)
    x.flat[1] = mark
    return x


MARKS = {
    "masked": masked,
    "list of masked": lambda x: list(masked(x)),
    "None": lambda x: with_mark(x, None),
    "list with None": lambda x: with_mark(x, None).tolist(),
    "NA": lambda x: with_mark(x, pd.NA),
    "NaT": lambda x: with_mark(x, pd.NaT),
    "pandas": lambda x: _framed(with_mark(x, None)),
    "nullable": lambda x: _framed(with_mark(x, pd.NA)).convert_dtypes(),
    "Arrow": lambda x: _framed(with_mark(x, None)).convert_dtypes(dtype_backend="pyarrow"),
    "polars": lambda x: (
        pl.Series(with_mark(x, None).tolist())
        if np.ndim(x) == 1
        else pl.DataFrame(with_mark(x, None).tolist(), orient="row")
    ),
}


def _framed(x):
    return pd.Series(x) if x.ndim == 1 else pd.DataFrame(x)


@pytest.mark.parametrize("kind", MARKS)
@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_what_is_missing_is_refused_with_its_place(name, argument, kind):
    given = CALLS[name].arguments[argument]
    if not np.ndim(given) or (argument == "elements" and "Python" in name and "list" in kind):
        pytest.skip("a number, or elements of Python that may hold what they like")
    place = tuple(map(int, np.unravel_index(1, given.shape)))
    place, size = (place if given.ndim > 1 else place[0]), given.size
    marked = MARKS[kind](given)
    with refusal(f"{argument} lack 1 of {size} values, first at {place}: {FILL}"):
        CALLS[name](**{argument: marked})


REFUSED = {
    "generator": (lambda x: (row for row in x), f"are a generator: {GIVE}"),
    "set": (lambda x: set(np.ravel(x).tolist()), f"are a set: {GIVE}"),
    "sparse": (lambda x: scipy.sparse.csr_array(np.atleast_2d(x)), f"are a csr_array: {GIVE}"),
    "ragged": (
        lambda x: [*[[1, 2]] * max(len(x) - 1, 1), []],
        "have rows of different lengths: give equal ones",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize(("name", "argument"), ARGUMENTS)
def test_what_is_no_array_is_refused_in_one_sentence(name, argument, kind):
    if argument == "elements" and "Python" in name and kind == "ragged":
        pytest.skip("a function of Python may compare lists")
    make, sentence = REFUSED[kind]
    with refusal(f"{argument} {sentence}"):
        CALLS[name](**{argument: make(np.atleast_1d(CALLS[name].arguments[argument]))})


@pytest.mark.parametrize("wrong", [1j, "a"])
@pytest.mark.parametrize(
    ("name", "argument"), [(n, a) for n, c in CALLS.items() for a in c.numbers]
)
def test_what_is_no_number_is_refused_in_one_sentence(name, argument, wrong):
    spoilt = np.full(np.shape(CALLS[name].arguments[argument]), wrong)
    with refusal(f"{argument} have dtype {spoilt.dtype}: give numbers"):
        CALLS[name](**{argument: spoilt})
