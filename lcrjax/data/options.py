"""Options of loading, as every source of data is given them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from lcrjax.data.limits import MAX_PIXELS
from lcrjax.data.split import TEST_FRACTION

#: Options that only some sources take, as they are called.
COLUMNS = ("image_column", "element_column", "label_column", "split_column", "group_column")


class Options(NamedTuple):
    """What the keywords of `lcrjax.data.load` ask for; a source takes what concerns it.

    Attributes:
        seed: Seed of a held-out test set.
        test_fraction: Part of each class that is held out where there is no test set.
        resize: New (height, width) in pixels, checked.
        size: Side in pixels of the variant wanted, of a source that has several.
        cache: Folder for downloads, or that which TFDS keeps data in; None for the usual one.
        max_bytes: Largest size that an archive, a split or an IDX file may expand to, see
            `limits.check_bytes`.
        mode: "grey" or "rgb" to bring all images to, checked; None leaves each as it is.
        skip_damaged: Whether to go on without files that cannot be decoded.
        follow_links: Whether links may lead out of a folder.
        max_pixels: Largest number of pixels of one picture in a file.
        progress: Told how many of how many pictures are decoded.
        labelled: Whether elements without labels are refused, not taken for one class.
        in_blocks: Whether vectors of more than 80 MiB become a stream, of a source that lets them.
        labels: File of labels, of a source that holds elements alone: `FILE` or `FILE:COLUMN`.
        image_column: Column of a table that holds pictures or names of their files.
        element_column: Column of a table that holds texts, or vectors as lists of numbers.
        label_column: Column of a table that holds labels.
        split_column: Column of a table that says which split a row belongs to.
        group_column: Column of a table that says which group a row belongs to.
    """

    seed: int = 0
    test_fraction: float | int = TEST_FRACTION
    resize: tuple[int, int] | None = None
    size: int | None = None
    cache: Path | None = None
    max_bytes: int | None = None
    mode: str | None = None
    skip_damaged: bool = False
    follow_links: bool = False
    max_pixels: int = MAX_PIXELS
    progress: Callable[[int, int], None] | None = None
    labelled: bool = True
    in_blocks: bool = False
    labels: str | None = None
    image_column: str | None = None
    element_column: str | None = None
    label_column: str | None = None
    split_column: str | None = None
    group_column: str | None = None

    def of_arrays(self) -> dict[str, Any]:
        """Those that `from_arrays` takes."""
        names = ("seed", "test_fraction", "resize", "mode")
        return {name: getattr(self, name) for name in names}
