import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lcrjax.similarity.distances import byte_products
from lcrjax.similarity.distances.byte_products import _signed_product, byte_product, signed


def extreme(shape, rng):
    """Bytes of which every row holds many of the largest, the smallest and the middle."""
    return rng.choice(np.uint8([0, 1, 127, 128, 129, 254, 255]), shape)


@pytest.mark.parametrize("product", [_signed_product, byte_product], ids=["signed", "here"])
@pytest.mark.parametrize(
    ("batch", "a", "b", "d"),
    [((), 1, 1, 1), ((), 7, 9, 130), ((3,), 4, 5, 33), ((2, 3), 3, 2, 64), ((), 2, 2, 33_025)],
)
def test_both_forms_equal_products_of_integers(product, batch, a, b, d, rng):
    """From signed bytes alone, and as this processor multiplies them."""
    rows, columns = extreme((*batch, a, d), rng), extreme((*batch, b, d), rng)
    if d > 33_000:
        rows[0], columns[0] = 255, 255
        rows[1], columns[1] = 0, 0
    found = jax.jit(product)(rows, signed(jnp.asarray(columns)))
    wanted = np.einsum("...ad,...bd->...ab", rows.astype(np.int64), columns.astype(np.int64) - 128)
    assert found.dtype == jnp.int32
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("product", [_signed_product, byte_product], ids=["signed", "here"])
def test_a_batch_equals_its_items(product, rng):
    rows, columns = extreme((4, 3, 20), rng), extreme((5, 20), rng)
    found = jax.vmap(product, (0, None))(rows, signed(jnp.asarray(columns)))
    wanted = rows.astype(int) @ (columns.astype(int) - 128).T
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize(
    ("instructions", "mixed"),
    [({"avx2", "avx512f"}, False), ({"avx2", "avx512_vnni"}, True), (set(), False), (None, False)],
    ids=["AVX-512 without VNNI", "VNNI", "arm64", "unknown"],
)
def test_mixed_bytes_are_multiplied_where_the_processor_can(instructions, mixed, monkeypatch, rng):
    """XLA has no loop for them but that of VNNI and AMX."""
    monkeypatch.setattr(byte_products, "x86_instructions", lambda: instructions)
    rows, columns = extreme((3, 8), rng), extreme((2, 8), rng)
    fresh = jax.jit(lambda *given: byte_product(*given))  # another would be lowered already
    text = fresh.lower(rows, signed(jnp.asarray(columns))).as_text()
    product = next(line for line in text.splitlines() if "dot_general" in line)
    assert ("ui8" in product) == mixed
