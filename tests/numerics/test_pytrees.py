"""Structures of trees, by which compiled programs are looked up and classes are told apart."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp

import lcrjax
from lcrjax.numerics.pytrees import Shared, map_elements, register_dataclass


@register_dataclass
@dataclasses.dataclass(frozen=True)
class Pair:
    first: object
    second: object
    name: str = dataclasses.field(default="", metadata={"static": True})


@register_dataclass
@dataclasses.dataclass(frozen=True)
class Couple:
    first: object
    second: object
    name: str = dataclasses.field(default="", metadata={"static": True})


def test_a_tree_is_taken_apart_and_put_together():
    pair = Pair(jnp.arange(3), {"a": 1.0}, "x")
    leaves, structure = jax.tree.flatten(pair)
    assert len(leaves) == 2
    again = jax.tree.unflatten(structure, leaves)
    assert (again.second, again.name) == ({"a": 1.0}, "x")
    paths = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(pair)]
    assert paths == [".first", ".second['a']"]


def test_classes_and_static_fields_make_different_structures():
    given = [Pair(1, 2), Pair(1, 2, "x"), Couple(1, 2), Couple(1, 2, "x")]
    for a, b in itertools.combinations(map(jax.tree.structure, given), 2):
        assert a != b
    assert jax.tree.structure(Pair(1, 2, "x")) == jax.tree.structure(Pair(3, 4, "x"))


def test_what_elements_share_is_left_as_it_is():
    tree = Pair(jnp.arange(4), {"own": jnp.ones((4, 2)), "shared": Shared(jnp.arange(3))})
    part = map_elements(lambda x: x[1:3], tree)
    assert part.first.tolist() == [1, 2]
    assert part.second["own"].shape == (2, 2)
    assert part.second["shared"].value is tree.second["shared"].value


def test_no_similarity_is_taken_for_another():
    """Were structures equal, `jit` could run one similarity's program for another."""
    given = [
        *(lcrjax.RMSD(), lcrjax.Laplacian(), lcrjax.Gaussian(), lcrjax.Matern32()),
        *(lcrjax.Matern52(), lcrjax.Cosine(), lcrjax.Identity(), lcrjax.SameClass()),
    ]
    for a, b in itertools.combinations(map(jax.tree.structure, given), 2):
        assert a != b
