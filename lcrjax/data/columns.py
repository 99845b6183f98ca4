"""Columns of a table: which holds elements, labels, splits, groups and names."""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from lcrjax.data.errors import DataError
from lcrjax.data.options import COLUMNS, Options
from lcrjax.data.split_names import split_of
from lcrjax.numerics.listing import listed
from lcrjax.numerics.sources import takes_blocks

# What columns are called, the likeliest first.
_LABEL = (
    *("label", "labels", "target", "class", "class_name", "class_label", "class_id", "category"),
    *("target_name", "fine_label", "species", "diagnosis", "dx", "y"),
)
_SPLIT = ("split", "splits", "subset", "partition", "set", "usage")
_GROUP = (
    *("group", "groups", "group_id", "patient", "patient_id", "subject", "subject_id"),
    *("site", "series", "series_id"),
)
_NAME = (
    *("name", "names", "filename", "file_name", "file", "path", "id", "ids", "index"),
    *("image_id", "uuid"),
)
_IMAGE = ("image", "img", "image_path", "file_name", "filename", "file", "path", "filepath")
_TEXT = ("text", "sentence", "content", "review", "document", "question", "comment", "message")
_VECTOR = ("embedding", "embeddings", "vector", "vectors", "features", "emb")
_PICTURE = re.compile(r"\.(png|jpe?g|jpe|jfif|tiff?|bmp|gif|webp|pgm|ppm|pbm|dcm)$", re.IGNORECASE)


class Column(NamedTuple):
    """A column's values and what they are.

    Attributes:
        kind: "numbers", "words", "arrays" (numbers of one shape each), "pictures" (encoded), or
            "others".
        values: (n,) of numbers, strings, or (content, path) pairs of pictures; or (n, ...).
        classes: Names that whole numbers stand for, of a column of labels that has some.
        why: What about a column makes it "others", where that may be a fault.
    """

    kind: str
    values: Any
    classes: tuple[str, ...] | None = None
    why: str = ""


class Roles(NamedTuple):
    """What columns are taken for.

    Attributes:
        kind: "pictures", "files", "arrays", "texts", "vectors" or "rows".
        elements: The columns of elements: one, but of vectors and rows any number.
        label: The column of labels; None where nobody knows them.
        split: That of splits.
        group: That of groups.
        name: That of names.
        notes: How they were chosen where nobody said.
    """

    kind: str
    elements: tuple[str, ...]
    label: str | None
    split: str | None
    group: str | None
    name: str | None
    notes: tuple[str, ...]

    def streamed(self, head: Mapping[str, Column], count: int, options: Options) -> str | None:
        """The column of vectors that is read in blocks: a large one, where that was asked for.

        Args:
            head: The columns, of some rows.
            count: How many rows there are in all.
            options: Those of the source.
        """
        if not options.in_blocks or self.kind != "arrays" or self.label is None:
            return None
        some = head[self.elements[0]].values
        large = some.ndim == 2 and takes_blocks(count * some[:1].nbytes)
        return self.elements[0] if large else None

    def used(self) -> list[str]:
        """All columns that are read."""
        single = [self.label, self.split, self.group, self.name]
        return list(dict.fromkeys([*self.elements, *(c for c in single if c is not None)]))


def choose_roles(head: Mapping[str, Column], options: Options, where: str) -> Roles:
    """Choose roles of a table's columns: those that options name, the rest by usual names.

    Args:
        head: The columns, of the first rows at least.
        options: Those of the source.
        where: What errors call the table.

    Raises:
        DataError: If a named column is not there, or nothing serves as label or element.
    """
    for option in COLUMNS:
        _check_there(getattr(options, option), head, where, option)
    asked = options.image_column or options.element_column
    if options.image_column and options.element_column:
        raise DataError(
            f"{options.image_column!r} is named as column of images and "
            f"{options.element_column!r} as column of elements: give one of them."
        )
    label = options.label_column or _usual(_LABEL, head)
    if label is None and options.labelled:
        label = _label_by_name(head, where)
    free = [column for column in head if column not in (label, asked)]
    split = options.split_column or _usual(_SPLIT, free, lambda c: _is_split(head[c]))
    group = options.group_column or _usual(_GROUP, free, lambda c: head[c].kind != "arrays")
    blank = [c for c in free if not c.strip() or c.startswith(("Unnamed: ", "__index_level_"))]
    free = [c for c in free if c not in (split, group, *blank)]
    kind, elements = _elements(head, free, options, where)
    free = [c for c in free if c not in elements]
    name = elements[0] if kind == "files" else _usual(_NAME, free, lambda c: _scalar(head[c]))
    roles = Roles(kind, elements, label, split, group, name, ())
    left = [column for column in head if column not in roles.used()]
    return roles._replace(notes=_notes(roles, options, left))


def label_of(head: Mapping[str, Column], column: str | None, where: str) -> str:
    """Return the column of labels: that named, the only one, or the one of a usual name.

    Raises:
        DataError: If there is none.
    """
    _check_there(column, head, where, "labels")
    return column or (next(iter(head)) if len(head) == 1 else _label_by_name(head, where))


def _label_by_name(head: Mapping[str, Column], where: str) -> str:
    named = [column for column in head if head[column].classes is not None]
    if label := _usual(_LABEL, head) or (named[0] if len(named) == 1 else None):
        return label
    raise DataError(
        f"{where} has the columns {listed(head)}, of which none is called label, class or "
        "target: name it with label_column= (--label-column)."
    )


def _check_there(column: str | None, head: Collection[str], where: str, option: str) -> None:
    if column is None or column in head:
        return
    near = difflib.get_close_matches(column, list(head), n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"it has {listed(head)}."
    raise DataError(f"{where} has no column {column!r} ({option}): {hint}")


def _usual(words: Sequence[str], columns: Collection[str], fits: Any = None) -> str | None:
    """Return the column that has the first of the usual names."""
    plain = {re.sub(r"[^0-9a-z]+", "_", column.casefold()).strip("_"): column for column in columns}
    found = (plain[word] for word in words if word in plain)
    return next((column for column in found if fits is None or fits(column)), None)


def _is_split(column: Column) -> bool:
    return column.kind == "words" and all(map(split_of, column.values))


def _scalar(column: Column) -> bool:
    return column.kind in ("numbers", "words")


def is_picture_file(column: Column) -> bool:
    """Say whether all values are names that end as pictures do."""
    return (
        column.kind == "words"
        and len(column.values) > 0
        and all(_PICTURE.search(str(value)) for value in column.values)
    )


def _elements(
    head: Mapping[str, Column], free: Sequence[str], options: Options, where: str
) -> tuple[str, tuple[str, ...]]:
    """Return the kind of a table's elements and their columns."""
    by_kind = {"pictures": "pictures", "arrays": "arrays", "words": "texts"}
    if column := options.image_column:
        kind = by_kind.get(head[column].kind, "files").replace("texts", "files")
        return kind, (column,)
    if column := options.element_column:
        if why := head[column].why:
            raise DataError(f"the column {column!r} of {where} {why}: give equal ones.")
        if head[column].kind not in by_kind:
            raise DataError(
                f"the column {column!r} of {where} holds {head[column].kind}, neither texts nor "
                "lists of numbers: leave element_column out for columns of numbers."
            )
        return by_kind[head[column].kind], (column,)
    for kind, words, fits in (
        ("pictures", _IMAGE, lambda c: c.kind == "pictures"),
        ("files", _IMAGE, is_picture_file),
        ("arrays", (*_VECTOR, *_IMAGE), lambda c: c.kind == "arrays"),
    ):
        found = [column for column in free if fits(head[column])]
        if len(found) > 1 and (first := _usual(words, found)):
            found = [first]
        if len(found) > 1:
            option = "element_column" if kind == "arrays" else "image_column"
            dashed = option.replace("_", "-")
            raise DataError(
                f"{where} has several columns of {kind} ({listed(found)}): "
                f"name one with {option}= (--{dashed})."
            )
        if found:
            return kind, tuple(found)
    text = _usual(_TEXT, [c for c in free if head[c].kind == "words"])
    if text:
        return "texts", (text,)
    name = _usual(_NAME, free, lambda c: _scalar(head[c]))
    plain = [c for c in free if _scalar(head[c]) and c != name]
    if [head[c].kind for c in plain] == ["words"]:
        return "texts", (plain[0],)
    if not plain and name and head[name].kind == "words":
        return "files", (name,)
    if not plain:
        odd = next((f" ({c!r} {head[c].why})" for c in head if head[c].why), "")
        raise DataError(
            f"{where} has the columns {listed(head)}, of which none holds elements{odd}: "
            "name one with image_column= (--image-column) or element_column= (--element-column)."
        )
    numbers = all(head[c].kind == "numbers" for c in plain)
    return ("vectors" if numbers else "rows"), tuple(plain)


def _notes(roles: Roles, options: Options, left: Sequence[str]) -> tuple[str, ...]:
    """Say which columns were taken for what where nobody named them."""
    given = {options.label_column, options.split_column, options.group_column}
    given |= {options.image_column, options.element_column}
    chosen = [
        f"{what} from {column!r}"
        for what, column in (
            ("labels", roles.label),
            ("splits", roles.split),
            ("groups", roles.group),
            ("names", roles.name if roles.kind != "files" else None),
        )
        if column is not None and column not in given
    ]
    if not given.intersection(roles.elements):
        what = {"pictures": "images", "files": "images", "arrays": "elements"}.get(
            roles.kind, roles.kind
        )
        columns = ", ".join(map(repr, roles.elements[:6]))
        more = f" and {len(roles.elements) - 6} more" if len(roles.elements) > 6 else ""
        chosen.insert(0, f"{what} from {columns}{more}")
    said: tuple[str, ...] = ()
    if chosen:
        said = (f"Columns were chosen by their names: {', '.join(chosen)}.",)
    if left:
        said += (f"Columns left out: {listed(left)}.",)
    return said
