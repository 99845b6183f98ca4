import re
from decimal import Decimal
from fractions import Fraction

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse

from lcrjax.numerics.inputs import array, check_width, numbers, objects, rounded, sequence
from tests.containers import ARRAYS, LISTS, TABLES
from tests.public_calls import CALLS

FILL = "fill them in, or leave them out"
GIVE = "give an array, a list, or a table or column of pandas or polars"
ARGUMENTS = [(name, argument) for name, call in CALLS.items() for argument in call.arguments]


def refusal(message):
    return pytest.raises(ValueError, match=f"^{re.escape(message)}")


def as_it_is(name, argument, kind):
    """Whether a function of Python is given what is in a list, which may be anything."""
    return argument == "elements" and "Python" in name and kind in FOR_PYTHON


FOR_PYTHON = ("list of tensors", "list of masked", "list with None", "ragged")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (name, kind)
        for name in CALLS
        for kind in (*ARRAYS, *LISTS, *TABLES)
        if not as_it_is(name, "elements", kind)
    ],
)
def test_public_calls_take_every_container(name, kind):
    call, make = CALLS[name], {**ARRAYS, **LISTS, **TABLES}[kind]
    least = 0 if kind in ARRAYS else 1
    given = {key: make(x) for key, x in call.arguments.items() if np.ndim(x) >= least}
    for found, wanted in zip(call(**given), call(), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-7)


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


@pytest.mark.parametrize(
    ("name", "argument", "kind"),
    [
        (name, argument, kind)
        for name, argument in ARGUMENTS
        for kind in MARKS
        if np.ndim(CALLS[name].arguments[argument]) and not as_it_is(name, argument, kind)
    ],
)
def test_what_is_missing_is_refused_with_its_place(name, argument, kind):
    given = CALLS[name].arguments[argument]
    place = tuple(map(int, np.unravel_index(1, given.shape)))
    place, size = (place if given.ndim > 1 else place[0]), given.size
    marked = MARKS[kind](given)
    with refusal(f"{argument} lack 1 of {size} values, first at {place}: {FILL}"):
        CALLS[name](**{argument: marked})


REFUSED = {
    "generator": (
        lambda x: (row for row in x),
        "are a generator, which can be read only once: give a list of them",
    ),
    "set": (lambda x: set(np.ravel(x).tolist()), f"are a set: {GIVE}"),
    "sparse": (lambda x: scipy.sparse.csr_array(np.atleast_2d(x)), f"are a csr_array: {GIVE}"),
    "ragged": (
        lambda x: [*[[1, 2]] * max(len(x) - 1, 1), []],
        "have rows of different lengths: give equal ones",
    ),
}


@pytest.mark.parametrize(
    ("name", "argument", "kind"),
    [
        (*pair, kind)
        for pair in ARGUMENTS
        for kind in REFUSED
        if not as_it_is(*pair, kind) and (pair[1], kind) != ("similarities", "sparse")
    ],
)
def test_what_is_no_array_is_refused_in_one_sentence(name, argument, kind):
    make, sentence = REFUSED[kind]
    with refusal(f"{argument} {sentence}"):
        CALLS[name](**{argument: make(np.atleast_1d(CALLS[name].arguments[argument]))})


@pytest.mark.parametrize(
    "name", [name for name, argument in ARGUMENTS if argument == "similarities"]
)
def test_similarities_may_be_sparse(name):
    call = CALLS[name]
    given = scipy.sparse.csr_array(call.arguments["similarities"])
    for found, wanted in zip(call(similarities=given), call(), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5)


@pytest.mark.parametrize("wrong", [1j, "a"])
@pytest.mark.parametrize(
    ("name", "argument"), [(n, a) for n, c in CALLS.items() for a in c.numbers]
)
def test_what_is_no_number_is_refused_in_one_sentence(name, argument, wrong):
    spoilt = np.full(np.shape(CALLS[name].arguments[argument]), wrong)
    with refusal(f"{argument} have dtype {spoilt.dtype}: give numbers"):
        CALLS[name](**{argument: spoilt})


#: What is averaged with these weights does not depend on their scale.
WEIGHTS = [
    (name, argument)
    for name, argument in ARGUMENTS
    if argument in ("counts", "abundances", "weights") and "ordinariness" not in name
]


@pytest.mark.parametrize("scale", [np.int64(3_000_000_000), 1e-50, 1e300])
@pytest.mark.parametrize(("name", "argument"), WEIGHTS)
def test_the_unit_of_counts_and_weights_does_not_matter(name, argument, scale):
    given = CALLS[name].arguments[argument] * 2
    scaled = given.astype(np.int64) * scale if isinstance(scale, np.integer) else given * scale
    for found, wanted in zip(CALLS[name](**{argument: scaled}), CALLS[name](), strict=True):
        # Some are less one, whose digits float32 has lost.
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", [name for name in CALLS if "ordinariness" in name])
def test_wide_integers_as_weights(name):
    weights = (CALLS[name].arguments["weights"] * 2).astype(np.int64) * 3_000_000_000
    found, wanted = CALLS[name](weights=weights), CALLS[name]()
    np.testing.assert_allclose(found[0], 6e9 * np.asarray(wanted[0], float), rtol=1e-6)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 1e50], "weights hold 1e+50 at 1: scale them, or enable jax_enable_x64"),
        ([[1, 0], [1, np.inf]], "weights hold inf at (1, 1): remove it"),
        ([np.nan, 1], "weights hold nan at 0: remove it"),
        ([1e-50, 1e-60], "weights are at most 1e-50, which float32 does not hold: scale them"),
    ],
)
def test_weights_that_cannot_be_rounded(weights, message):
    with refusal(message):
        rounded("weights", np.array(weights), np.dtype(np.float32))


def test_rounded_weights():
    weights = np.array([[1e30, 0], [1e-30, 0]])
    np.testing.assert_array_equal(rounded("weights", weights, np.float32), weights.astype("f4"))
    assert rounded("weights", jnp.ones(2), np.float32).dtype == np.float32


def test_wide_integers_that_jax_wraps_are_refused(x64):
    given = np.array([1, 2**40])
    check_width("elements", given)
    with jax.enable_x64(False):
        check_width("elements", given[:1])
        check_width("elements", np.array([-(2**31), 2**31 - 1]))
        with refusal("elements have dtype int64 and values beyond 32 bits: give floats, or enable"):
            check_width("elements", given)
        with refusal("elements have dtype uint64 and values beyond 32 bits"):
            check_width("elements", given.astype(np.uint64))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ([Decimal("0.5"), Fraction(1, 4)], [0.5, 0.25]),
        (pd.Series([np.ones(2), np.zeros(2)]), [[1, 1], [0, 0]]),
        (pl.Series([[1.0, 2], [3, 4]]), [[1, 2], [3, 4]]),
        ([2**70, 1], [2.0**70, 1]),
        (3, 3),
        (pd.Series([0, 1], dtype="Sparse[int]"), [0, 1]),
        (pd.Categorical([3, 1]), [3, 1]),
        (ml_dtypes.float8_e4m3fn(2), 2),
    ],
)
def test_numbers_of_every_kind(given, found):
    np.testing.assert_array_equal(numbers("counts", given), found)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, f"counts are None: {GIVE}"),
        ("abc", "counts have dtype <U3: give numbers"),
        (
            pd.DataFrame({"n": [1, 2], "site": ["x", "y"]}),
            "counts hold text in column 'site': leave it out, or give numbers",
        ),
        ([[1], [2, 3]], "counts have rows of different lengths"),
        ({"a": 1}, f"counts are a dict: {GIVE}"),
        (np.array(["2020"], "M8[D]"), "counts have dtype datetime64[D]: give numbers"),
        ([object()], "counts have dtype object: give numbers"),
        (np.ma.masked, "counts lack 1 of 1 values, first at 0"),
    ],
)
def test_no_numbers(given, message):
    with refusal(message):
        numbers("counts", given)


def test_lists_of_traced_numbers():
    total = jax.jit(lambda x, y: numbers("counts", [x, y, 1.0]).sum())
    assert total(1.0, 2.0) == 4


@pytest.mark.parametrize("labels", [["a", np.nan], [["a"], [None]], ["a", np.ma.masked], [1, pd.NA],
                                    np.array(["2020", "NaT"], "M8[D]"), [0.0, np.nan]])  # fmt: skip
def test_no_mark_of_the_missing_is_a_label(labels):
    with refusal("labels lack 1 of 2 values, first at "):
        array("labels", labels, nan=True)


def test_numbers_beside_strings_stay_numbers():
    assert array("labels", ["a", 1]).tolist() == ["a", 1]
    assert array("labels", ["a", "b"]).dtype == "<U1"


def test_objects_by_position():
    items = [{"a": 1}, {"a": 2}, {"a": 3}]
    assert objects("elements", items) == items
    assert objects("elements", pd.Series(items, [2, 0, 1])) == items
    assert objects("elements", pl.Series(["x", "y"])) == ["x", "y"]
    assert objects("elements", pd.Index(["x", "y"])) == ["x", "y"]


def test_tensors_of_torch():
    torch = pytest.importorskip("torch")
    wanted = np.array([[1, 2], [0.5, 4]])
    for dtype in (torch.float32, torch.float64, torch.bfloat16, torch.float16):
        tensor = torch.tensor(wanted, dtype=dtype, requires_grad=True)
        np.testing.assert_array_equal(numbers("counts", tensor), wanted)
        np.testing.assert_array_equal(numbers("counts", list(tensor)), wanted)


@pytest.mark.parametrize("given", ["abc", 3, np.float64(1)])
def test_a_single_thing_is_no_sequence(given):
    with refusal("elements have shape (): give one row per element"):
        sequence("elements", given)


def test_weights_on_a_device_stay_there(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    weights = jnp.array([[0.5, 1.0], [0.25, 0.0]], jnp.float32)
    assert rounded("weights", weights, jnp.float32) is weights
    with pytest.raises(ValueError, match="weights hold inf at"):
        rounded("weights", weights.at[0, 1].set(jnp.inf), jnp.float32)
