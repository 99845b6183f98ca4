"""Tables that commands write: CSV, Parquet or JSON, as the file's name ends."""

from pathlib import Path
from typing import TYPE_CHECKING

from lcrjax.cli.outcome import NO_DISK, check_writable, leave
from lcrjax.cli.steps import say

if TYPE_CHECKING:
    import pandas as pd

_ENDINGS = (".csv", ".json", ".parquet")


def check_table(out: Path) -> None:
    """Find out before long work whether a table can be written.

    Raises:
        ValueError: If its name ends otherwise, or it cannot be written there.
    """
    if out.suffix not in _ENDINGS:
        raise ValueError(f"--out is {str(out)!r}: give a name that ends in {', '.join(_ENDINGS)}")
    check_writable(out)


def write_table(frame: "pd.DataFrame", out: Path) -> None:
    """Write a table; numbers that JSON lacks are to be words by then."""
    if out.suffix == ".csv":
        frame.to_csv(out, index=False)
    elif out.suffix == ".json":
        frame.to_json(out, orient="records", indent=2)
    else:
        frame.to_parquet(out, index=False)


def save_table(frame: "pd.DataFrame", out: Path | None, *, quiet: bool) -> None:
    """Write the table for `--out`, if that is given, and say so; end the command if it fails."""
    if out is None:
        return
    try:
        write_table(frame, out)
    except OSError as error:
        leave(NO_DISK, f"cannot write {out}: {error}.")
    say(f"Written: {out}", quiet=quiet)
