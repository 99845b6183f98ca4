"""What does not fit together, given to each kernel: an error, and no byte beyond an array."""

import re

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

from lcrjax import native
from lcrjax.native.calls import SIDE, sums
from lcrjax.native.pool import PackedPool
from lcrjax.training.networks.resnet18_native import backend as resnet
from tests.training.networks.resnet18_native.test_backend import backends, draw

pytestmark = pytest.mark.skipif(
    jax.default_backend() != "cpu" or not native.available(), reason="no compiled kernels"
)
N, D, K = 2 * SIDE, 4, 2
BYTES, FLOATS = np.zeros((N, D), np.uint8), np.zeros((N, D), np.float32)
WEIGHTS = np.ones((N, K), np.float32)


trains = pytest.mark.skipif(not native.complete(), reason="kernels for AVX2 do not train")


@pytest.fixture(autouse=True)
def annotations_unchecked(monkeypatch):
    """As users call them."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.mark.parametrize(
    ("rows", "others", "weights", "split", "said"),
    [
        (FLOATS, None, WEIGHTS[:-1], 0, r"192 elements and weights of shape \(191, 2\): give one"),
        (FLOATS, FLOATS[:5], WEIGHTS, 0, r"5 elements and weights of shape \(192, 2\)"),
        (FLOATS, None, WEIGHTS[:, :0], 0, "of one column at least"),
        (FLOATS, None, WEIGHTS[:, 0], 0, r"weights of shape \(192,\)"),
        (FLOATS, FLOATS[:, :3], WEIGHTS, 0, "one number of components"),
        (FLOATS, BYTES, WEIGHTS, 0, "give one dtype"),
        (FLOATS.astype("f2"), None, WEIGHTS, 0, "given float16 of shape .*: give bytes or float32"),
        (FLOATS.astype(">f4"), None, WEIGHTS, 0, "give bytes or float32"),
        (FLOATS[0], None, WEIGHTS, 0, r"of shape \(4,\): give"),
        (FLOATS[:, :0], None, WEIGHTS, 0, r"of shape \(192, 0\): give"),
        (FLOATS, None, WEIGHTS, SIDE + 1, "split 97 of 192 elements: give a multiple of 96"),
        (FLOATS, None, WEIGHTS, 3 * SIDE, "split 288 of 192 elements"),
        (FLOATS, None, WEIGHTS, -SIDE, "split -96"),
        (FLOATS, FLOATS, WEIGHTS, SIDE, "and no others"),
    ],
)
def test_arrays_on_the_host(rows, others, weights, split, said):
    with pytest.raises(ValueError, match=said):
        sums(rows, others, weights, "exponential", 1.0, split=split)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda pool: pool.gains(np.arange(3), np.zeros(N - 1), np.ones(N)), ValueError, "(191,)"),
        (lambda pool: pool.gains(np.arange(3), np.zeros(N), np.ones(1)), ValueError, "(1,)"),
        (lambda pool: pool.above(np.arange(3), np.zeros(2, "f4")), ValueError, "(2,)"),
        (lambda pool: pool.rows(np.array([2**32])), IndexError, "0 to 191"),
        (lambda pool: pool.rows(np.array([-1])), IndexError, "0 to 191"),
        (lambda _: PackedPool(FLOATS.astype("f8"), "exponential", 1.0), ValueError, "float64"),
    ],
)
def test_a_pool(call, error, said):
    pool = PackedPool(FLOATS, "exponential", 1.0)
    with pytest.raises(error, match=re.escape(said)):
        call(pool)


def refuses(name, results, *operands, **attributes):
    """Run a kernel as XLA does; say whether it refuses."""
    like = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype), results)
    call = jax.ffi.ffi_call(native.target(name), like, vmap_method="expand_dims")
    try:
        jax.block_until_ready(call(*operands, **attributes))
    except (ValueError, jax.errors.JaxRuntimeError) as error:  # which depends on who waits
        return "do not fit together" in str(error)
    return False


@pytest.mark.parametrize("kind", ["bytes", "floats"])
@pytest.mark.parametrize("others", [False, True])
def test_sums(kind, others):
    rows = BYTES if kind == "bytes" else FLOATS
    fitting = {
        "rows": rows,
        **({"columns": rows[:5]} if others else {}),
        "weights": np.ones((K, 5 if others else N), np.float32),
        "counts": np.int32([N, 5 if others else N]),
        "rate": np.float32(1),
        **({"centre": np.zeros(D, np.float32)} if kind == "floats" else {}),
    }
    out = np.zeros((K, N), np.float32)

    def refused(out=out, **changed):
        given = [jnp.asarray(x) for x in (fitting | changed).values() if x is not None]
        return refuses(f"sums_of_{kind}", out, *given, form=0)

    assert not refused()
    assert refused(weights=fitting["weights"][:, 1:])
    assert refused(weights=fitting["weights"].astype("i4"))
    assert refused(counts=fitting["counts"] + np.int32(1))
    assert refused(counts=np.int32([N]))
    assert refused(rate=None)
    assert refused(rows=rows.astype("i2"))
    assert refused(out=out[:, 1:])
    assert refused(out=out[0])
    assert refused(out=np.stack([out] * 2))
    if others:
        assert refused(columns=rows[:5, 1:])
    if kind == "floats":
        assert refused(centre=np.zeros(D - 1, np.float32))


@trains
def test_normals():
    key, out = jnp.zeros(2, jnp.uint32), np.zeros(5, np.float32)
    assert not refuses("normals", out, key)
    assert refuses("normals", out, key[:1])
    assert refuses("normals", out, key.astype(jnp.float32))
    assert refuses("normals", out[None], key)
    assert refuses("normals", out.astype("i4"), key)


@trains
def test_adam():
    x, numbers = jnp.ones((3, 2)), jnp.ones(3)
    assert not refuses("adam", [x] * 3, *[x] * 4, numbers)
    assert refuses("adam", [x] * 3, x, x[1:], x, x, numbers)
    assert refuses("adam", [x, x[1:], x], *[x] * 4, numbers)
    assert refuses("adam", [x] * 2, *[x] * 4, numbers)
    assert refuses("adam", [x] * 3, *[x] * 3, numbers)
    assert refuses("adam", [x] * 3, *[x] * 4, numbers[1:])


@trains
@pytest.mark.parametrize("part", ["training", "inference", "gradient"])
def test_a_network(part, monkeypatch):
    """Operands and results are spoilt in turn: some of each kind, as each takes a program."""
    ours, _ = backends()
    params, statistics, images = draw(ours, (8, 8, 1), 3)
    labels, weights = jnp.int32([0, 4, 9]), jnp.float32([1, 1, 0])  # that of weight zero is none
    calls = []

    def recording(target, results, **_):
        def call(*operands, **attributes):
            calls.append((list(results), list(operands), attributes))
            return [jnp.zeros(x.shape, x.dtype) for x in results]

        return call

    with monkeypatch.context() as patch:
        patch.setattr(resnet.jax.ffi, "ffi_call", recording)
        if part == "gradient":
            ours.gradient(params, statistics, images, labels, weights)
        else:
            ours.forward(params, statistics, images, weights, training=part == "training")
    ((results, operands, attributes),) = calls
    name = "resnet_gradient" if part == "gradient" else "resnet_forward"
    assert not refuses(name, results, *operands, **attributes)
    assert refuses(name, results[1:], *operands, **attributes)
    assert refuses(name, results, *operands[1:], **attributes)
    for i in (0, 1, 2, 3, -1):
        spoilt = [*operands]
        spoilt[i] = spoilt[i][1:]
        assert refuses(name, results, *spoilt, **attributes), i
    for i in (0, -2, -1):
        spoilt = [*results]
        spoilt[i] = jax.ShapeDtypeStruct((*spoilt[i].shape, 1), jnp.float32)
        assert refuses(name, spoilt, *operands, **attributes), i
    if part == "gradient":
        for none in (5, -1):
            operands[1] = labels.at[0].set(none)
            assert refuses(name, results, *operands, **attributes)
