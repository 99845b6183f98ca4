"""Options of loading, as every source of data is given them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from lcrjax.data.limits import MAX_PIXELS
from lcrjax.data.split import TEST_FRACTION


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

    def of_arrays(self) -> dict[str, Any]:
        """Those that `from_arrays` takes."""
        names = ("seed", "test_fraction", "resize", "mode")
        return {name: getattr(self, name) for name in names}
