import jax.numpy as jnp
import numpy as np
import pytest
from scipy.spatial.distance import cdist

import lcrjax
from lcrjax.pairwise.host_rows import _Distances, host_blocks, host_rows

N = 30
KERNELS = {
    "laplacian": (lcrjax.Laplacian(2.0), lambda d: np.exp(-d / 2)),
    "gaussian": (lcrjax.Gaussian(2.0), lambda d: np.exp(-(d**2) / 8)),
    "matern32": (lcrjax.Matern32(2.0), lambda d: (1 + 3**0.5 * d / 2) * np.exp(-(3**0.5) * d / 2)),
    "matern52": (
        lcrjax.Matern52(2.0),
        lambda d: (1 + 5**0.5 * d / 2 + 5 * d**2 / 12) * np.exp(-(5**0.5) * d / 2),
    ),
}


def rows(similarity, x, at=slice(None)):
    exact, elements, _ = similarity.canonical(x, None)
    return host_rows(exact, elements)(at)


@pytest.mark.parametrize("name", KERNELS)
def test_kernels_of_distances(name, rng):
    """To the rounding of the rate, which is a float32; near-duplicates included."""
    kernel, of = KERNELS[name]
    x = 5 + rng.normal(size=(N, 3))
    x[1], x[2] = x[0], x[0] + 1e-9
    z = of(cdist(x, x))
    np.testing.assert_allclose(rows(kernel, x), z, rtol=3e-6)
    np.testing.assert_allclose(rows(kernel, x, slice(7, 19)), z[7:19], rtol=3e-6)
    assert np.linalg.eigvalsh(rows(kernel, x))[0] > -1e-13


def test_images(rng):
    x = rng.integers(0, 256, (N, 4, 4), np.uint8)
    z = np.exp(-3 * cdist(*[x.reshape(N, -1) / 255] * 2) / 4)
    for given in (x, x / np.float32(255)):
        np.testing.assert_allclose(rows(lcrjax.RMSD(3.0), given), z, rtol=1e-6)


def test_cosines(rng):
    x = rng.normal(size=(N, 4)).astype("f4") * 1e-25
    x[3] = 0
    wide = x.astype(float)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    unit = wide / np.where(length > 0, length, 1)
    np.testing.assert_allclose(rows(lcrjax.Linear(), x), unit @ unit.T, atol=1e-15)
    z = np.maximum(unit @ unit.T, 0)
    np.fill_diagonal(z, 1)
    np.testing.assert_allclose(rows(lcrjax.Cosine(), x), z, atol=1e-15)


@pytest.mark.parametrize(
    "similarity",
    [
        *[kernel for kernel, _ in KERNELS.values()],
        lcrjax.RMSD(),
        lcrjax.Cosine(),
        lcrjax.Linear(),
        lcrjax.Laplacian(2.0) * lcrjax.Cosine(),
    ],
)
def test_agree_with_tiles(similarity, rng):
    x = rng.normal(size=(N, 3)).astype("f4")
    tiles = lcrjax.ordinariness(x, jnp.eye(N), similarity)
    np.testing.assert_allclose(rows(similarity, x), tiles, atol=3e-6)


def test_labels_and_products(rng):
    x, labels = rng.normal(size=(N, 3)), np.array(list("abc" * 10))
    same = labels[:, None] == labels
    np.testing.assert_array_equal(rows(lcrjax.SameClass(), labels), same)
    found = rows(lcrjax.Gaussian(1.0) * lcrjax.SameClass(), (x, labels), slice(3, 9))
    np.testing.assert_allclose(found, (np.exp(-(cdist(x, x) ** 2) / 2) * same)[3:9], rtol=3e-6)


def test_what_jax_alone_knows_has_none(rng):
    x = rng.normal(size=(N, 3))
    pointwise = lcrjax.Pointwise(lambda a, b: jnp.exp(-jnp.sum(jnp.abs(a - b))))
    assert host_rows(pointwise, x) is None
    assert host_rows(pointwise * lcrjax.Cosine(), (x, x)) is None


def test_blocks_of_several_similarities(rng, monkeypatch):
    """Any rows and columns; distances that similarities share are computed once for a block."""
    x = rng.integers(0, 256, (N, 4, 4), np.uint8)
    computed = []
    compute = _Distances._computed
    monkeypatch.setattr(
        _Distances, "_computed", lambda self, i, j: computed.append(1) or compute(self, i, j)
    )
    kernels = [lcrjax.RMSD(2.0), lcrjax.Cosine(), lcrjax.RMSD(5.0), lcrjax.SameClass()]
    elements = [x, x.reshape(N, -1) / np.float32(255), x / np.float32(255), np.arange(N) % 3]
    canonical = [kernel.canonical(y, None)[:2] for kernel, y in zip(kernels, elements, strict=True)]
    blocks = host_blocks(*zip(*canonical, strict=True))
    i, j = np.array([3, 0, 7]), np.array([7, 3, 29, 1])
    found = [block(i, j) for block in blocks]
    assert len(computed) == 1
    flat = x.reshape(N, -1) / 255
    d = cdist(flat, flat)[i][:, j] / 4
    unit = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    wanted = [np.exp(-2 * d), (unit @ unit.T)[i][:, j], np.exp(-5 * d),
              i[:, None] % 3 == j % 3]  # fmt: skip
    for z, expected in zip(found, wanted, strict=True):
        np.testing.assert_allclose(z, expected, rtol=1e-6)
    assert found[0][0, 1] == found[1][0, 1] == 1  # the same element
    pair = blocks[0](slice(0, 2), slice(0, 2))
    assert len(computed) == 2
    np.testing.assert_allclose(pair, np.exp(-2 * cdist(flat[:2], flat[:2]) / 4), rtol=1e-6)


def test_what_jax_alone_knows_has_no_blocks(rng):
    gower, elements, _ = lcrjax.Gower().canonical(rng.random((N, 2)), None)
    assert host_blocks([gower], [elements]) == [None]
