"""The kernels behind ordinariness, against float64 and against the loops of XLA."""

import ctypes
import re
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lcrjax
from lcrjax import native
from lcrjax.native import interrupts
from lcrjax.native.calls import FORMS, _share_compared, sums
from lcrjax.native.pool import PackedPool
from lcrjax.numerics.progress import telling
from lcrjax.pairwise.product import _jitted, _product
from lcrjax.pairwise.tile_loops import product_in_tiles
from lcrjax.similarity.distance_kernels import FALLS
from tests.native.c_compiler import SOURCES

pytestmark = pytest.mark.skipif(not native.available(), reason="no compiled kernels")


@pytest.fixture(params=[native.LIBRARY, native.AVX2_LIBRARY], ids=lambda path: path.stem)
def _library(request, monkeypatch):
    """For either kind of processor, in calls without a program."""
    if request.param == native.LIBRARY and not native.complete():
        pytest.skip("a processor without AVX-512")
    library = ctypes.CDLL(str(request.param))
    monkeypatch.setattr(native, "library", lambda: library)


def test_python_and_c_number_forms_alike():
    text = (SOURCES / "pairwise/form.h").read_text(encoding="utf-8")
    names = re.search(r"typedef enum \{(.*)\} Form;", text)[1]
    assert tuple(names.lower().replace(" ", "").split(",")) == FORMS
    assert (*FALLS, "cosine", "linear") == FORMS


def distances(x, y):
    x, y = x.astype(float), y.astype(float)
    return np.sqrt(np.stack([np.sum((row - y) ** 2, axis=1) for row in x]))


@pytest.mark.parametrize("d", [1, 17, 700])
def test_any_number_of_components(d, rng):
    x, weights = rng.normal(size=(40, d)).astype("f4"), rng.random((40, 2)).astype("f4")
    wanted = np.exp(-distances(x, x) / np.sqrt(d)) @ weights
    np.testing.assert_allclose(lcrjax.ordinariness(x, weights), wanted, rtol=1e-5)


VECTORS = {
    "normal": lambda rng, n, d: rng.normal(size=(n, d)),
    "heavy tails": lambda rng, n, d: rng.standard_t(2.5, size=(n, d)),
    "clusters": lambda rng, n, d: (
        rng.normal(size=(2, d))[np.arange(n) % 2] + 0.01 * rng.normal(size=(n, d))
    ),
    "far from zero": lambda rng, n, d: 3 + 0.1 * rng.normal(size=(n, d)),
    "single components": lambda rng, n, d: np.eye(d)[rng.integers(0, d, n)] * rng.random((n, 1)),
    "tiny and huge": lambda rng, n, d: (
        rng.normal(size=(n, d)) * 10.0 ** rng.integers(-9, 9, (n, 1))
    ),
}


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize("d", [3, 70, 300])
@pytest.mark.parametrize("kind", VECTORS)
def test_every_pair_of_every_form(kind, d, rng):
    """Whatever products leave uncertain is found again, to 24 bits or by differences."""
    n = 100
    x = VECTORS[kind](rng, n, d).astype("f4")
    x[-1] = 0
    apart, length = distances(x, x), np.linalg.norm(x.astype(float), axis=1, keepdims=True)
    unit = x / np.where(length > 0, length, 1)
    median = float(np.median(apart[apart > 0]))
    for form in FORMS:
        rate = {"gaussian": 1 / (2 * median**2), "matern32": 3**0.5 / median}.get(form, 2 / median)
        wanted = FALLS[form](rate, apart**2) if form in FALLS else unit @ unit.T
        wanted = np.maximum(wanted, 0) if form == "cosine" else wanted
        for others in (None, x[:40].copy()):
            y = x if others is None else others
            parts = [np.eye(len(y), dtype="f4")[:, i : i + 20] for i in range(0, len(y), 20)]
            found = np.concatenate([sums(x, others, w, form, rate, 1) for w in parts], axis=1)
            z = (
                np.where(np.eye(n) > 0, 1, wanted)
                if form == "cosine" and others is None
                else wanted
            )
            np.testing.assert_allclose(found, z[:, : len(y)], rtol=0, atol=1e-5, err_msg=form)


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize("d", [4200, 400_000])
def test_long_sums_of_equal_products_round_little(d):
    """Rounded one way each time, they would move a cosine by more than 1e-5."""
    x = np.full((2, d), 1.1, "f4")
    found = sums(x, x.copy(), np.eye(2, dtype="f4"), "cosine", 0.0, 1)
    np.testing.assert_allclose(found, 1, rtol=0, atol=2e-6)


CLUSTERS = {
    "two": lambda i: i % 2,
    "more than there are centres": lambda i: i % 20,
    "most alike, the others anywhere": lambda i: np.where(i % 3 > 0, 0, i),
}


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize("spread", [0, 1e-4, 0.3])
@pytest.mark.parametrize("kind", CLUSTERS)
def test_pairs_within_clusters_and_between_them(kind, spread, rng):
    """Of vectors that are packed about centres of their own, and of others that have none."""
    n, d = 1100, 21
    centres = 5 + rng.normal(size=(n, d))
    x = centres[CLUSTERS[kind](np.arange(n))] + spread * rng.normal(size=(n, d))
    x, few = x.astype("f4"), np.arange(0, n, 37)
    far = np.concatenate([x[few[:20]] + np.float32(0.001), rng.normal(size=(9, d)).astype("f4")])
    weights = np.eye(n, dtype="f4")[:, few]
    for y, w in ((x, weights), (far, np.eye(len(far), dtype="f4"))):
        apart = distances(x, y if y is far else y[few])
        for form, fall in FALLS.items():
            for length in (0.01, 6):  # among neighbours, and among all
                rate = length**-2 if form == "gaussian" else 1 / length
                found = sums(x, None if y is x else y, w, form, rate, 2)
                wanted = fall(rate, apart**2)
                np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5, err_msg=form)
    rows = PackedPool(x, "exponential", 3.0).rows(few)
    np.testing.assert_allclose(rows.T, np.exp(-3 * distances(x, x[few])), rtol=0, atol=1e-5)


def test_cosines_in_a_program(rng):
    """Traced, of integers and inside `vmap` they take the kernel too."""
    similarity = lcrjax.Cosine()
    x = rng.integers(-9, 10, (2, 40, 30)).astype("f4")
    weights = rng.random((40, 3)).astype("f4")
    call = jax.vmap(partial(lcrjax.ordinariness, similarity=similarity), (0, None))
    assert "lcrjax_sums_of_floats" in compiled(call, x, weights)
    wanted = [lcrjax.ordinariness(y, weights, similarity) for y in x]
    np.testing.assert_allclose(call(x, weights), wanted, rtol=1e-5, atol=1e-5)
    with native.disabled():
        loops = [lcrjax.ordinariness(y, weights, similarity) for y in x]
    np.testing.assert_allclose(wanted, loops, rtol=1e-5, atol=1e-4)
    of_integers = lcrjax.ordinariness(x[0].astype("i1"), weights, similarity)
    np.testing.assert_allclose(of_integers, wanted[0], rtol=1e-5, atol=1e-5)


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize("form", ["exponential", "cosine"])
@pytest.mark.parametrize("n", [97, 2000])
def test_two_sets_are_compared_once_for_both(form, n, rng):
    """Blocks of rows that hold the split, parts without work, classes in one set alone."""
    split = 96 * (1 if n == 97 else 7)
    x = rng.normal(size=(n, 20)).astype("f4")
    x = np.round(40 * abs(x)).astype(np.uint8) if form == "exponential" else x
    weights = one_of(rng.integers(0, 3, n), 5) * rng.random((n, 1)).astype("f4")
    weights[:split, 3] = 1
    before, after = sums(x, None, weights, form, 0.01, split=split), slice(split, None)
    parts = [(slice(split), after), (after, slice(split))]
    wanted = [sums(x[i].copy(), x[j].copy(), weights[j], form, 0.01) for i, j in parts]
    np.testing.assert_allclose(before, np.concatenate(wanted), rtol=2e-6, atol=2e-5)
    again = sums(x, None, weights, form, 0.01, 3, split=split)
    np.testing.assert_array_equal(again, before)


def one_of(classes, count):
    return np.eye(count, dtype="f4")[classes]


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize(
    ("n", "weights"),
    [(1, "one"), (96, "dense"), (97, "many"), (500, "classes"), (700, "mixed")],
)
def test_any_number_of_images_and_weights(n, weights, rng):
    """Among them more columns than sums are kept for at once, and images without any weight."""
    d = 37
    images = rng.integers(0, 256, (n, d), np.uint8) * (rng.random((n, d)) < 0.3).astype(np.uint8)
    w = {
        "one": np.ones((n, 1), "f4"),
        "classes": one_of(rng.integers(0, 10, n), 10),
        "dense": rng.random((n, 10)).astype("f4"),
        "many": one_of(rng.integers(0, 70, n), 70),
        "mixed": rng.random((n, 3)).astype("f4") * (rng.random((n, 3)) < 0.4),
    }[weights]
    wanted = np.exp(-distances(images, images) / 255 / np.sqrt(d)) @ w.astype(float)
    found = lcrjax.ordinariness(images, w)
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-7)
    some = lcrjax.ordinariness(images[: n // 2 + 1], w, others=images)
    np.testing.assert_allclose(some, wanted[: n // 2 + 1], rtol=1e-6, atol=1e-7)


def compiled(function, *arguments):
    """The program's text; the same call otherwise."""
    return jax.jit(function).lower(*arguments).compile().as_text()


@pytest.mark.parametrize("kind", ["bytes", "floats"])
def test_the_loops_of_xla_agree(kind, rng):
    n, m, d = 128, 256, 50
    x = rng.integers(0, 256, (n, d), np.uint8)
    y = rng.integers(0, 256, (m, d), np.uint8)
    x, y = (x, y) if kind == "bytes" else (np.sin(x + 0.1).astype("f4"), np.cos(y).astype("f4"))
    weights, counts = rng.random((3, m)).astype("f4"), (jnp.int32(100), jnp.int32(200))
    weights[:, 200:] = 0
    rows, columns = lcrjax.RMSD().prepare_both(jnp.asarray(x), jnp.asarray(y))
    for others, w in ((columns, weights), (None, weights[:, :n] * (np.arange(n) < 100))):
        number = counts if others is not None else (counts[0], counts[0])
        given = (lcrjax.RMSD(), rows, others, jnp.asarray(w), number)
        kernel, loops = partial(_product, side=64), partial(product_in_tiles, side=64)
        assert "lcrjax_sums_of" in compiled(kernel, *given)
        assert "lcrjax_sums_of" not in compiled(loops, *given)
        found, wanted = kernel(*given), loops(*given)
        np.testing.assert_allclose(found[:, :100], wanted[:, :100], rtol=2e-5)


@pytest.mark.parametrize("kind", ["bytes", "floats"])
def test_arrays_on_the_host_need_no_program(kind, rng):
    """Of any layout, NumPy's or jax's; the number of threads changes no bit."""
    x, y = (rng.integers(0, 256, (n, 3, 10), np.uint8) for n in (1100, 190))
    x, y = (x, y) if kind == "bytes" else (np.sin(x + 0.1).astype("f4"), np.cos(y).astype("f4"))
    similarity, programs = lcrjax.RMSD(0.7), _jitted._cache_size()
    for others in (None, y):
        weights = rng.random((len(x if others is None else y), 3)).astype("f4")
        found = lcrjax.ordinariness(x, weights, similarity, others=others)
        assert _jitted._cache_size() == programs
        form, rate = similarity.native_form(30, kind == "bytes")
        flat = [None if a is None else a.reshape(len(a), -1) for a in (x, others)]
        for threads in (1, 3, 50):
            again = sums(*flat, weights, form, float(rate), threads)
            np.testing.assert_array_equal(again, found)
        layouts = (np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2], jnp.asarray(x))
        for other in layouts:
            again = lcrjax.ordinariness(
                other, np.asfortranarray(weights), similarity, others=others
            )
            np.testing.assert_array_equal(again, found)
        traced = jax.jit(lcrjax.ordinariness)(x, weights, similarity, others=others)
        np.testing.assert_allclose(found, traced, rtol=1e-5)


def test_parts_hold_what_their_rows_can_add(rng):
    """Many blocks of rows; distributions that meet in some blocks, everywhere or nowhere."""
    n = 4000
    x = rng.integers(0, 256, (n, 8), np.uint8)
    weights = np.zeros((n, 5), "f4")
    weights[np.arange(n), rng.integers(0, 2, n)] = rng.random(n)
    weights[:, 2] = rng.random(n)
    weights[5, 3] = 1
    z = np.exp(-distances(x, x) / (255 * np.sqrt(8)))
    np.testing.assert_allclose(lcrjax.ordinariness(x, weights), z @ weights, rtol=2e-6, atol=1e-7)
    np.testing.assert_array_equal(lcrjax.ordinariness(x, 0 * weights), 0)


def test_same_bits_every_time_and_in_a_batch(rng):
    """Whichever thread does what; a batch leaves each item to one thread."""
    images = rng.integers(0, 256, (3, 300, 64), np.uint8)
    weights = rng.random((300, 4)).astype("f4")
    alone = [np.asarray(lcrjax.ordinariness(x, weights)) for x in images]
    for x, once in zip(images, alone, strict=True):
        np.testing.assert_array_equal(lcrjax.ordinariness(x, weights), once)
    mapped = jax.vmap(lcrjax.ordinariness, (0, None))(images, weights)
    np.testing.assert_array_equal(mapped, np.stack(alone))
    scales = jnp.asarray([0.5, 1.0, 2.0])

    def scaled(scale, x):
        return lcrjax.ordinariness(x, weights, lcrjax.RMSD(scale))

    nested = jax.vmap(jax.vmap(scaled, (0, None)), (None, 0))(scales, images)
    np.testing.assert_array_equal(nested[:, 1], np.stack(alone))
    np.testing.assert_array_equal(nested[2, 0], scaled(scales[0], images[2]))


@pytest.mark.parametrize(("others", "split"), [(None, 0), (64, 0), (None, 288)])
def test_all_pairs_are_counted_once_they_are_compared(others, split, rng):
    x = rng.integers(0, 256, (960, 5), np.uint8)
    y = None if others is None else x[:others]
    compared = ctypes.c_longlong.in_dll(native.library(), "lcrjax_pairs")
    before, share = compared.value, _share_compared(960, others, split)
    weights = np.ones((others or 960, 1), "f4")
    sums(x, y, weights, "exponential", 0.1, split=split)
    pairs = 288 * 672 if split else 960 * others if others else 960 * (960 + 96) // 2
    assert compared.value - before == pairs
    assert share() == 1


def test_shares_are_told_and_who_is_told_may_end_it(monkeypatch, rng):
    monkeypatch.setattr(interrupts, "_GLANCE", 1e-3)
    x, weights, shares = rng.normal(size=(6000, 64)).astype("f4"), np.ones((6000, 1), "f4"), []
    with telling(shares.append):
        wanted = lcrjax.ordinariness(x, weights, "laplacian:3")
    assert len(shares) > 3
    assert shares == sorted(shares)
    assert 0 <= shares[0] < shares[-1] <= 1

    def end(share):
        raise RuntimeError("enough")

    with telling(end), pytest.raises(RuntimeError, match="enough"):
        lcrjax.ordinariness(x, weights, "laplacian:3")
    np.testing.assert_array_equal(lcrjax.ordinariness(x, weights, "laplacian:3"), wanted)
