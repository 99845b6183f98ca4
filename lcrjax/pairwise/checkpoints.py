"""Partial sums of a long computation in a folder, from which it goes on after it was killed."""

import contextlib
import os
import time
import zipfile
from pathlib import Path

import numpy as np
from jaxtyping import Float

_EVERY = 30.0  # seconds between two checkpoints
_NAME = "checkpoint.npz"


class Checkpoint:
    """Sums of the pairs up to a place, written whole or not at all.

    Args:
        folder: Where it lies; made if there is none.

    Raises:
        ValueError: If the folder cannot be made or is a file.
    """

    def __init__(self, folder: str | Path) -> None:
        self.path = Path(folder) / _NAME
        self._made = sum(not above.exists() for above in self.path.parents)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(
                f"the checkpoint's folder is {folder} ({error.strerror}): give one that can be made"
            ) from error
        self._last = time.monotonic()
        self._of: dict[str, str] = {}

    def load(self, of: dict[str, str]) -> tuple[Float[np.ndarray, "n k"], tuple[int, int]] | None:
        """What an earlier run of the same computation left: its sums, and where to go on.

        Args:
            of: What is computed, in words or checksums, by what to call it.

        Raises:
            ValueError: If it was another computation, saying what differs, or the file is damaged.
        """
        self._of = of
        if not self.path.exists():
            return None
        try:
            with np.load(self.path, allow_pickle=False) as found:
                own = dict(zip(found["names"].tolist(), found["values"].tolist(), strict=True))
                sums, (i, j) = found["sums"], found["place"].tolist()
                made = int(found["made"]) if "made" in found else 0
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise ValueError(f"{self.path} is no checkpoint ({error}): remove it") from error
        if differ := [name for name, value in of.items() if own.get(name) != value]:
            raise ValueError(
                f"{self.path} is a checkpoint of other {' and '.join(differ)}: "
                "give another folder, or remove it"
            )
        self._made = made
        return sums, (i, j)

    def offer(self, sums: Float[np.ndarray, "n k"], place: tuple[int, int]) -> None:
        """Write sums down, if the last time is long ago."""
        if time.monotonic() - self._last < _EVERY:
            return
        part = self.path.with_suffix(".part")
        with part.open("wb") as out:
            names, values = list(self._of), list(self._of.values())
            rest = {"names": names, "values": values, "made": self._made}
            np.savez(out, sums=sums, place=np.array(place), **rest)  # type: ignore[arg-type]
            out.flush()
            os.fsync(out.fileno())
        part.replace(self.path)
        self._last = time.monotonic()

    def remove(self) -> None:
        """Forget what is finished, and the folders that were made for it if they are empty."""
        self.path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            for folder in list(self.path.parents)[: self._made]:
                folder.rmdir()
