"""The sides of a comparison: elements of two datasets and a target, and classes by name."""

import dataclasses
from typing import Any

import numpy as np
from jaxtyping import Int

from lcrjax.measures.labels import numbered
from lcrjax.numerics.inputs import sequence
from lcrjax.numerics.listing import listed
from lcrjax.numerics.pixels import check_pixels

#: Kinds of elements that are compared by RMSD.
OF_NUMBERS = ("images", "vectors")


@dataclasses.dataclass(frozen=True, eq=False)
class Side:
    """Elements of one side of a comparison.

    Attributes:
        name: What the side is called.
        kind: What its elements are: "images", "vectors", "texts" or "rows".
        elements: n of them.
        labels: (n,) places among the class names; None without labels.
        class_names: C names, each with an element; none without labels.
        names: (n,) names of the elements; None where they have none.
    """

    name: str
    kind: str
    elements: Any
    labels: Int[np.ndarray, " n"] | None
    class_names: tuple[str, ...]
    names: Any = None

    def __len__(self) -> int:
        return len(self.elements)

    @property
    def counts(self) -> dict[str, int]:
        """Number of elements of each class."""
        if self.labels is None:
            return {}
        sizes = np.bincount(self.labels, minlength=len(self.class_names)).tolist()
        return dict(zip(self.class_names, sizes, strict=True))

    def name_of(self, i: int) -> str:
        """Name of an element, its number where it has none."""
        return str(i if self.names is None else self.names[i])


def as_side(given: Any, name: str, *, target: bool = False) -> Side:
    """Take a side of a comparison in any form in which people have one.

    Args:
        given: A `lcrjax.data.Dataset`, of which the training split counts, but of a target the
            test split if there is one; a `lcrjax.data.Split`; a tuple (elements, labels); of a
            target also elements alone.
        name: What a side is called that has no name of its own.
        target: Whether it is the target.

    Raises:
        ValueError: If it is none of these, is empty, or has another number of labels.
    """
    words, names = None, None
    if hasattr(given, "train") and hasattr(given, "class_names"):
        words, name = tuple(map(str, given.class_names)), str(given.name)
        given = given.test if target and given.test is not None else given.train
    if hasattr(given, "elements") and hasattr(given, "labels"):
        elements, labels, names = given.elements, given.labels, given.names
    elif isinstance(given, tuple) and len(given) == 2:
        elements, labels = given
    elif target:
        elements, labels = given, None
    else:
        raise ValueError(f"{name} has no labels: give a Dataset, or a tuple (elements, labels)")
    kind, elements = _kind(name, elements)
    if not len(elements):
        raise ValueError(f"{name} is empty: give one element at least")
    if labels is None:
        if not target:
            raise ValueError(f"{name} has no labels: give a Dataset, or a tuple (elements, labels)")
        return Side(name, kind, elements, None, (), names)
    found, classes = numbered(labels)
    if len(classes) != len(elements):
        raise ValueError(
            f"{name} has {len(elements):,} elements and {len(classes):,} labels: give one each"
        )
    if words is not None:  # labels are places among them, and some may be absent
        found = tuple(words[int(place)] for place in found)
    return Side(name, kind, elements, np.asarray(classes, np.int64), found, names)


def _kind(name: str, elements: Any) -> tuple[str, Any]:
    if hasattr(elements, "iloc") and getattr(elements, "ndim", 0) == 2:
        return "rows", elements
    found = np.asarray(sequence(f"the elements of {name}", elements))
    if found.dtype.kind in "OUT":
        return "texts", [str(x) for x in found]
    if found.ndim < 2 or found.dtype.kind not in "buif":
        raise ValueError(
            f"the elements of {name} have shape {found.shape} and dtype {found.dtype}: give images "
            "(n, h, w) or (n, h, w, c), vectors (n, d), texts or a table of rows"
        )
    if found.ndim == 2:
        return "vectors", found
    check_pixels(found, f"images of {name}")
    return "images", found


def alike(sides: list[Side]) -> list[Side]:
    """Bring the elements of all sides into one form.

    Returns:
        The sides; where some images are bytes and others floats, all are floats.

    Raises:
        ValueError: If kinds, shapes or columns differ.
    """
    first = sides[0]
    for side in sides[1:]:
        if side.kind != first.kind:
            raise ValueError(
                f"{first.name} holds {first.kind} and {side.name} {side.kind}: give one kind"
            )
        if first.kind == "rows" and list(first.elements.columns) != list(side.elements.columns):
            raise ValueError(
                f"{first.name} has the columns {listed(first.elements.columns, 6)} and {side.name} "
                f"{listed(side.elements.columns, 6)}: give the same ones in one order"
            )
        own, other = (np.shape(x.elements)[1:] for x in (first, side))
        if own != other:
            raise ValueError(
                f"{first.kind} of {first.name} have shape {own} and those of {side.name} {other}: "
                f"{'resize them' if first.kind == 'images' else 'give as many components'}"
            )
    if first.kind not in OF_NUMBERS or len({x.elements.dtype for x in sides}) == 1:
        return sides
    return [dataclasses.replace(side, elements=_float(side.elements)) for side in sides]


def _float(elements: Any) -> Any:
    unit = 255 if elements.dtype == np.uint8 and elements.ndim > 2 else 1
    return elements.astype(np.float32) / np.float32(unit)


def joined(sides: list[Side]) -> Any:
    """All elements of sides in one form, one after the other."""
    parts = [side.elements for side in sides]
    if sides[0].kind == "texts":
        return [x for part in parts for x in part]
    if sides[0].kind == "rows":
        import pandas as pd

        return pd.concat(parts, ignore_index=True)
    return np.concatenate(parts)


def class_notes(a: Side, b: Side, target: Side | None = None) -> list[str]:
    """Say by name which classes some sides lack.

    Raises:
        ValueError: If two sides that are to be compared have no class in common.
    """
    notes = []
    pairs = [(a, b), (b, a)]
    if target is not None and target.labels is not None:
        pairs += [(target, a), (target, b)]
    for first, second in pairs:
        absent = [name for name in first.class_names if name not in second.class_names]
        if len(absent) == len(first.class_names):
            raise ValueError(
                f"{first.name} and {second.name} have no class in common "
                f"({listed(first.class_names, 6)}; {listed(second.class_names, 6)}): "
                "name the same classes alike"
            )
        if absent:
            which = "class" if len(absent) == 1 else "classes"
            notes.append(f"{second.name} lacks the {which} {listed(absent)} of {first.name}.")
    return notes
