"""Files that a table lists, found below its folder."""

import collections
import itertools
import os
from collections.abc import Sequence
from pathlib import Path

from lcrjax.data.errors import DataError

#: Most missing files that an error names.
_NAMED = 20


def find_files(
    folder: Path, names: Sequence[str], where: str, *, follow_links: bool = False
) -> tuple[list[Path], int]:
    """Find files by their paths from a folder, or by name or stem alone anywhere below it.

    Of several of a name those count whose folders agree longest with the path, from its end.

    Args:
        folder: The table's folder.
        names: What the table lists; a backslash counts as a slash.
        where: What errors call the table.
        follow_links: Whether files may lie outside the folder.

    Returns:
        The files, and how many of them were found by name or stem.

    Raises:
        DataError: If some are not there, several have a name, or one lies outside the folder.
    """
    root = folder.resolve()
    paths = [root / name.replace("\\", "/") for name in names]
    gone = [i for i, path in enumerate(paths) if not os.path.isfile(path)]
    below = _below(root) if gone else {}
    missing = []
    for i in gone:
        found = _nearest(below.get(paths[i].name, []), paths[i])
        if len(found) > 1:
            raise DataError(
                f"{where} lists {names[i]!r}, of which there are {len(found)} below {folder}: "
                "list paths from the table's folder."
            )
        if found:
            paths[i] = found[0]
        else:
            missing.append(names[i])
    if missing:
        more = f" and {len(missing) - _NAMED:,} more" if len(missing) > _NAMED else ""
        raise DataError(
            f"{len(missing):,} of {len(names):,} files that {where} lists are not there: "
            f"{', '.join(missing[:_NAMED])}{more}: put them below {folder}, or leave their rows "
            "out."
        )
    outside = [path for path in paths if not path.resolve().is_relative_to(root)]
    if outside and not follow_links:
        raise DataError(
            f"{where} lists {outside[0]}, which lies outside {folder}: put the table above its "
            "files, or allow it with follow_links=True (on the command line --follow-links)."
        )
    return paths, len(gone)


def _nearest(found: list[Path], path: Path) -> list[Path]:
    """Those files whose folders agree longest with a path, from its end, such as of a machine."""

    def agreeing(file: Path) -> int:
        pairs = zip(reversed(file.parts[:-1]), reversed(path.parts[:-1]), strict=False)
        return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))

    most = max(map(agreeing, found), default=0)
    return [file for file in found if agreeing(file) == most]


def _below(root: Path) -> dict[str, list[Path]]:
    """Files below a folder by name and by stem, links to folders left alone."""
    found: dict[str, list[Path]] = collections.defaultdict(list)
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = Path(folder, name)
            for key in {name, path.stem}:
                found[key].append(path)
    return found
