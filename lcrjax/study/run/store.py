"""Store of a study: its configuration, finished blocks and table, in a folder with one owner."""

import contextlib
import hashlib
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from lcrjax.study.columns import columns_of
from lcrjax.study.run.files import is_partial, sweep, write_whole
from lcrjax.study.run.folder import CONFIG, own_folder, read_description, write_description
from lcrjax.study.run.folder import check_folder as check_any_folder
from lcrjax.study.run.machines import MachineError
from lcrjax.study.run.plan import Block
from lcrjax.study.run.provenance import differences
from lcrjax.study.table import decode, encode

ROWS = "rows"
RESULTS = "results.parquet"
#: Measures that were added to a finished study, one row for each of its subsets.
ADDED = "measures.parquet"
KEYS = ("dataset", "n", "subset")
# Numbers as they were written, which pandas 3.1 and later read without being asked.
_OLD = tuple(map(int, pd.__version__.split(".")[:2])) < (3, 1)
_EXACT: dict[str, Any] = {"float_precision": "round_trip"} if _OLD else {}


class Store:
    """A study's folder while this process owns it; made by `open_store`.

    Attributes:
        folder: The study's folder.
        description: What decides the study, and where its data came from, as in `config.json`.
    """

    def __init__(self, folder: Path, description: dict[str, Any]):
        self.folder = folder
        self.description = description
        content = json.dumps(description["decides"], sort_keys=True)
        self._digest = hashlib.sha256(content.encode()).hexdigest()
        self._columns = columns_of(description["decides"])

    @property
    def machines(self) -> list[dict[str, Any]]:
        """Kinds of machines that have computed rows, as `machine` describes them."""
        found: list[dict[str, Any]] = self.description.get("machines", [])
        return found

    def admit(self, machine: dict[str, Any], mixed: bool) -> None:
        """Let a machine compute rows, and write its kind down if it is a new one.

        Args:
            machine: As `machine` describes it.
            mixed: Whether it may be of another kind than those before.

        Raises:
            MachineError: If it is of another and may not.
        """
        known = self.machines
        if machine in known:
            return
        if known and not mixed:
            raise MachineError(
                f"the rows in {self.folder} were computed by another kind of machine, which rounds "
                "differently: go on with that, or allow this one (--allow-mixed; there -> now)\n  "
                + "\n  ".join(differences(known[-1], machine))
            )
        self.description["machines"] = [*known, machine]
        write_description(self.folder, self.description)

    def path(self, block: Block) -> Path:
        """Return the file of a block's rows."""
        name = f"{quote(block.dataset, safe='')}-{block.n:05d}-{block.index:04d}.parquet"
        return self.folder / ROWS / name

    def read(self, block: Block) -> pd.DataFrame | None:
        """Return a finished block's rows, or None where it is not finished.

        A file that is damaged counts as not finished: it is written anew.

        Raises:
            ValueError: If the file belongs to another study.
        """
        path = self.path(block)
        if not path.exists():
            return None
        try:
            frame, provenance = decode(path)
        except ValueError:
            return None
        numbers = list(range(block.first, block.first + len(block.seeds)))
        expected = list(frame["subset"]) == numbers and list(frame["seed"]) == list(block.seeds)
        if "checksum" in block.design:
            expected = expected and list(frame["checksum"]) == list(block.design["checksum"])
        if provenance.get("study") != self._digest or not expected:
            raise ValueError(
                f"{path} holds rows of another study: move it away and run the study again"
            )
        return frame

    def write(self, block: Block, rows: pd.DataFrame) -> pd.DataFrame:
        """Write a block's rows, whole or not at all, and return them as they were written."""
        path = self.path(block)
        write_whole(path, encode(rows, {"study": self._digest}, self._columns))
        return decode(path)[0]

    def finish(self, tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
        """Join the tables of all blocks, in order, and write the study's table."""
        table = pd.concat(tables, ignore_index=True)
        path = self.folder / RESULTS
        provenance = {"study": self._digest, **self.description}
        write_whole(path, encode(table, provenance, self._columns))
        return decode(path)[0]


@contextlib.contextmanager
def open_store(folder: str | Path, description: dict[str, Any]) -> Iterator[Store]:
    """Own a study's folder for as long as the context lasts.

    Args:
        folder: A new or empty folder, or that of the same study.
        description: As made by `describe`; written as `config.json` on the first visit.

    Yields:
        The store, free of what killed writes have left.

    Raises:
        ValueError, FolderInUseError, OSError: As `check_folder` and `own_folder` do.
    """
    folder = Path(folder)
    check_folder(folder)
    (folder / ROWS).mkdir(parents=True, exist_ok=True)
    with own_folder(folder, description, "study"):
        sweep(folder / ROWS)
        yield Store(folder, read_description(folder))


def check_folder(folder: str | Path) -> None:
    """Raise a ValueError unless a study may live in a folder: new, empty, or a study's already."""
    check_any_folder(folder, "study", (ROWS,))


def machines_of(folder: str | Path) -> list[dict[str, Any]]:
    """Read which kinds of machines have computed a study's rows; none of a new study."""
    known = (Path(folder) / CONFIG).exists()
    found: list[dict[str, Any]] = read_description(folder).get("machines", []) if known else []
    return found


def read_results(path: str | Path) -> pd.DataFrame:
    """Read a study's table from its folder or file; of an unfinished study, the finished rows.

    Args:
        path: A study's folder, whose table is joined with the measures that `add_measures` added;
            or a Parquet file with a study's columns.

    Raises:
        ValueError: If there is no such table, or it has no rows yet.
    """
    path = Path(path)
    if not path.exists():
        raise ValueError(f"{path} does not exist: name a study's folder or a table")
    if path.is_file():
        try:
            if path.suffix == ".csv":
                return pd.read_csv(path, **_EXACT)
            return pd.read_parquet(path)
        except (OSError, ValueError) as error:  # pyarrow's and pandas' own are ValueErrors
            raise ValueError(
                f"{path} is not a table ({error}): name a .parquet or .csv file"
            ) from None
    read_description(path)
    if (path / RESULTS).exists():
        table = decode(path / RESULTS)[0]
        added = read_added(path)
        return table if added is None else table.merge(added, "left", list(KEYS), validate="1:1")
    files = sorted(p for p in (path / ROWS).glob("*.parquet") if not is_partial(p))
    if not files:
        raise ValueError(f"the study in {path} has no finished rows yet: let it run on")
    table = pd.concat([decode(file)[0] for file in files], ignore_index=True)
    return table.sort_values(["dataset", "n", "subset"], ignore_index=True)


def read_added(folder: Path) -> pd.DataFrame | None:
    """Read the measures that were added to a study: `KEYS` and their columns; None if none were.

    Raises:
        ValueError: If the file is damaged.
    """
    path = folder / ADDED
    if not path.exists():
        return None
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is damaged ({error}): delete it and measure again") from None


def write_added(folder: Path, table: pd.DataFrame) -> None:
    """Write the measures that were added to a study, whole or not at all."""
    stream = io.BytesIO()
    table.to_parquet(stream, index=False, compression="zstd")
    write_whole(folder / ADDED, stream.getvalue())
