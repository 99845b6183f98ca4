"""Pytrees: dataclasses whose structures tell classes apart, and what elements have in common."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

import jax
from jax import Array
from jax.tree_util import GetAttrKey

T = TypeVar("T", bound=type)


def register_dataclass(cls: T) -> T:
    """Register a dataclass as a pytree; fields with the metadata `static` belong to its structure.

    `jax.tree_util.register_dataclass` does the same, but the structures of two classes of as many
    fields compare equal (jax 0.10.2): where their hashes collide in a cache of `jit`, a call with
    one class runs the program of the other. Here the structure is that of a class of its own.

    Args:
        cls: A dataclass.

    Returns:
        `cls`, as a decorator does.
    """
    fields = dataclasses.fields(cls)
    static = tuple(field.name for field in fields if field.metadata.get("static"))
    data = tuple(field.name for field in fields if field.name not in static)

    def of(tree: Any, names: tuple[str, ...]) -> tuple[Any, ...]:
        return tuple(getattr(tree, name) for name in names)

    def restored(aux: tuple[Any, ...], children: Iterable[Any]) -> Any:
        # Not by the constructor: jax puts other things than values into a tree.
        new: Any = object.__new__(cls)
        for name, value in zip(data + static, (*children, *aux), strict=True):
            object.__setattr__(new, name, value)
        return new

    def with_keys(tree: Any) -> tuple[list[tuple[GetAttrKey, Any]], tuple[Any, ...]]:
        return [(GetAttrKey(name), getattr(tree, name)) for name in data], of(tree, static)

    jax.tree_util.register_pytree_with_keys(
        cls,
        with_keys,
        restored,
        lambda tree: (of(tree, data), of(tree, static)),
    )
    return cls


class Shared(NamedTuple):
    """An array that belongs to no single element, among those whose first axis counts elements."""

    value: Array


def is_shared(node: Any) -> bool:
    """Whether a node of a pytree is `Shared`."""
    return isinstance(node, Shared)


def map_elements(function: Callable[[Any], Any], tree: Any) -> Any:
    """Apply a function to every array whose first axis counts elements; what is `Shared` stays."""
    return jax.tree.map(lambda x: x if is_shared(x) else function(x), tree, is_leaf=is_shared)
