"""The public calls, listed once: what each takes, in plain arrays that any container can hold."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import lcrjax
from lcrjax.pairwise import (
    count_close_pairs,
    intrinsic_dimension,
    list_close_pairs,
    nearest_neighbours,
)
from lcrjax.selection import contributions

VECTORS = np.array([[0, 1], [0.5, 1], [2, 0], [1.5, 3], [0, 4]])
LABELS = np.array([0, 1, 1, 0, 2])
COUNTS = np.array([[4, 0], [2, 1], [0, 8], [1, 1], [0, 2]])
ABUNDANCES = np.array([4, 2, 1, 0.5, 0.5])
#: Symmetric, with numbers that half precision holds.
Z = np.exp2(-np.abs(np.arange(5)[:, None] - np.arange(5)[None, :])).round(3) // 0.125 * 0.125
KERNEL = lcrjax.Gaussian(2.0)


class Call(NamedTuple):
    """A public function with arguments that are good for it.

    Attributes:
        function: Returns a pytree of arrays.
        arguments: By their names, in the plural that errors use.
        numbers: Which of them are numbers; the others are labels or elements of any kind.
    """

    function: Callable[..., Any]
    arguments: dict[str, Any]
    numbers: tuple[str, ...]

    def __call__(self, **others: Any) -> list[Any]:
        """Call with some arguments replaced, and list the arrays of the result."""
        return jax.tree.leaves(self.function(**{**self.arguments, **others}))


def _alike(x: Any, y: Any) -> Any:
    return jnp.exp(-jnp.sum(jnp.abs(x - y)))


def _alike_in_python(x: Any, y: Any) -> float:
    return float(np.exp(-np.abs(np.asarray(x, float) - np.asarray(y, float)).sum()))


def _call(function: Callable[..., Any], *more: str, **arguments: Any) -> Call:
    """A call whose arguments, but for those of `more`, are numbers."""
    return Call(function, arguments, tuple(name for name in arguments if name not in more))


CALLS: dict[str, Call] = {
    "measure": _call(
        lambda elements, labels, viewpoints: lcrjax.measure(
            elements, labels, similarity=KERNEL, q=viewpoints
        ),
        "labels",
        elements=VECTORS,
        labels=LABELS,
        viewpoints=np.array([0.0, 1.0, 2.0]),
    ),
    "diversity": _call(
        lambda counts, similarities, viewpoints: lcrjax.diversity(
            counts, similarities, q=viewpoints
        ),
        counts=COUNTS,
        similarities=Z,
        viewpoints=np.array([0.0, 1.0, 2.0]),
    ),
    "diversity of elements": _call(
        lambda counts, elements: lcrjax.diversity(counts, KERNEL, elements=elements),
        counts=ABUNDANCES,
        elements=VECTORS,
    ),
    "ordinariness": _call(
        lambda elements, weights, others: lcrjax.ordinariness(
            elements, weights, KERNEL, others=others
        ),
        elements=VECTORS,
        weights=COUNTS,
        others=VECTORS[::-1],
    ),
    "ordinariness by a function": _call(
        lambda elements, weights: lcrjax.ordinariness(elements, weights, lcrjax.Pointwise(_alike)),
        elements=VECTORS,
        weights=ABUNDANCES,
    ),
    "ordinariness in Python": _call(
        lambda elements, weights: lcrjax.ordinariness(
            elements, weights, lcrjax.PythonFunction(_alike_in_python)
        ),
        "elements",
        elements=VECTORS,
        weights=ABUNDANCES,
    ),
    "ordinariness of labels": _call(
        lambda elements, weights: lcrjax.ordinariness(elements, weights, lcrjax.SameClass()),
        "elements",
        elements=LABELS,
        weights=ABUNDANCES,
    ),
    "from_distance": _call(
        lambda distances: lcrjax.from_distance(distances, scale=0.5),
        distances=np.abs(np.arange(5)[:, None] - np.arange(5)[None, :]),
    ),
    "hill_number": _call(
        lambda abundances, viewpoints: lcrjax.hill_number(abundances, viewpoints),
        abundances=ABUNDANCES,
        viewpoints=np.float64(2),
    ),
    "power_mean": _call(
        lambda orders, weights, items: lcrjax.power_mean(orders, weights, items),
        orders=np.float64(-1),
        weights=COUNTS,
        items=COUNTS + 1,
    ),
    "vendi_score": _call(
        lambda counts, similarities, viewpoints: lcrjax.vendi_score(
            counts, similarities, viewpoints
        ),
        counts=ABUNDANCES,
        similarities=np.eye(5) / 2 + 0.5,
        viewpoints=np.float64(2),
    ),
    "vendi_score of elements": _call(
        lambda elements, counts: lcrjax.vendi_score(elements, KERNEL, 2, weights=counts),
        elements=VECTORS,
        counts=ABUNDANCES,
    ),
    "relative_diversity": _call(
        lambda counts, similarities, viewpoints: lcrjax.relative_diversity(
            counts, ABUNDANCES, similarities, viewpoints
        ),
        counts=COUNTS,
        similarities=Z,
        viewpoints=np.float64(2),
    ),
    "cross_diversity": _call(
        lambda counts, similarities, viewpoints: lcrjax.cross_diversity(
            ABUNDANCES, counts, similarities, viewpoints
        ),
        counts=COUNTS,
        similarities=Z,
        viewpoints=np.float64(2),
    ),
    "contributions": _call(
        lambda elements, labels: contributions(elements, labels, similarity=KERNEL),
        "labels",
        elements=VECTORS,
        labels=LABELS,
    ),
}

_random = np.random.default_rng(5)
BYTES = _random.integers(0, 256, (12, 3, 3), np.uint8)
FLOATS = _random.normal(size=(12, 5)).astype(np.float32)
FLOATS[3] = FLOATS[7]
SHARES = np.full(12, 1 / 12, np.float32)
TWELVE = np.arange(12) % 3


def _squares(length: Any, x: Any, weights: Any) -> Any:
    return jnp.sum(lcrjax.ordinariness(x, weights, lcrjax.Gaussian(length)) ** 2)


def _alpha(counts: Any) -> Any:
    found = lcrjax.diversity(counts, Z.astype(counts.dtype), q=(0.5, 1, np.inf))
    return found.dataset_level["alpha"]


def _by(kernel: Any) -> Callable[..., Any]:
    return lambda x, w: lcrjax.ordinariness(x, w, kernel)


#: Functions of arrays alone, which may be traced and spread over devices, and what to give them.
TRACEABLE: dict[str, tuple[Any, ...]] = {
    "Laplacian": (_by(lcrjax.Laplacian(2.0)), FLOATS, SHARES),
    "RMSD": (_by(lcrjax.RMSD(2.0)), FLOATS, SHARES),
    "Cosine": (_by(lcrjax.Cosine()), FLOATS, SHARES),
    "Product": (_by(lcrjax.Gaussian(2.0) * lcrjax.Cosine()), FLOATS, SHARES),
    "Pointwise": (_by(lcrjax.Pointwise(_alike)), FLOATS, SHARES),
    "bytes": (_by(lcrjax.RMSD()), BYTES, SHARES),
    "others": (lambda x, w: lcrjax.ordinariness(x, w, KERNEL, others=x), FLOATS, SHARES),
    "measure": (lambda x: lcrjax.measure(x, TWELVE).class_level, BYTES),
    "diversity": (
        lambda n, z: lcrjax.diversity(n, z).class_level,
        COUNTS.astype(np.float32),
        Z.astype(np.float32),
    ),
    "hill_number": (lambda p: lcrjax.hill_number(p, 2), SHARES),
    "Linear": (lambda x: lcrjax.vendi_score(x, lcrjax.Linear()), FLOATS),
    "gradient": (jax.grad(_squares, (0, 1, 2)), np.float32(2), FLOATS, SHARES),
    "jacobian": (jax.jacrev(_alpha), COUNTS[:, 0].astype(np.float32)),
    "batch": (
        jax.vmap(lambda x: lcrjax.ordinariness(x, SHARES)),
        np.stack([BYTES, BYTES // 2, BYTES // 3, BYTES // 4]),
    ),
}


def _nearest(images: Any) -> list[Any]:
    return [(found.index, found.rmsd) for found in nearest_neighbours(images, TWELVE)]


#: Functions that look at numbers, and cannot be traced.
ON_HOST: dict[str, tuple[Any, ...]] = {
    "Identity": (lambda w: lcrjax.ordinariness(TWELVE, w, lcrjax.Identity()), SHARES),
    "nearest_neighbours of bytes": (_nearest, BYTES),
    "nearest_neighbours of floats": (_nearest, FLOATS),
    "intrinsic_dimension": (intrinsic_dimension, FLOATS),
    "count_close_pairs": (
        lambda x: count_close_pairs(x, TWELVE, np.ones(12, bool), [0.0, 1.0]),
        FLOATS,
    ),
    "list_close_pairs": (lambda x: list_close_pairs(x, np.ones(12, bool), 1.0), FLOATS),
}
