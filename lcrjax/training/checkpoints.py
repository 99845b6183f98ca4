"""Checkpoints of one model in training: the last state, and the best one where that is asked."""

from pathlib import Path
from typing import Any

import jax

LAST = "last"
BEST = "best"


class Checkpoints:
    """Checkpoints in a folder, each written whole or not at all, by orbax.

    Only the latest of each kind is kept; an older one goes when the newer is complete.

    Args:
        folder: Where they live; made if need be. No other process may be writing there.

    Raises:
        OSError: If the folder cannot be made.
    """

    def __init__(self, folder: str | Path):
        import orbax.checkpoint as ocp  # type: ignore[import-untyped]

        self._ocp = ocp
        self._folder = Path(folder).resolve()
        self._managers: dict[str, Any] = {}

    def save(self, kind: str, number: int, state: Any, notes: dict[str, Any]) -> None:
        """Write a checkpoint.

        Args:
            kind: `LAST` or `BEST`.
            number: Steps or epochs done; a checkpoint that is there already is not written again.
            state: Any pytree of arrays.
            notes: What goes with it, as JSON can hold it.

        Raises:
            OSError: If it could not be written; the one before is untouched.
        """
        manager, ocp = self._manager(kind), self._ocp
        if number in manager.all_steps():
            return
        items = {"state": ocp.args.StandardSave(state), "notes": ocp.args.JsonSave(notes)}
        try:
            manager.save(number, args=ocp.args.Composite(**items), force=True)
            manager.wait_until_finished()
        except ValueError as error:  # how tensorstore tells of a full disk
            raise OSError(f"a checkpoint could not be written: {error}") from error

    def restore(self, kind: str, like: Any) -> tuple[Any, dict[str, Any]] | None:
        """Read the latest checkpoint.

        Args:
            kind: `LAST` or `BEST`.
            like: A pytree of the same shapes and dtypes, arrays or `jax.ShapeDtypeStruct`.

        Returns:
            State and notes, or None where there is no checkpoint yet.
        """
        manager, ocp = self._manager(kind), self._ocp
        number = manager.latest_step()
        if number is None:
            return None
        place = jax.sharding.SingleDeviceSharding(jax.devices()[0])
        abstract = jax.tree.map(
            lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=place), like
        )
        items = {"state": ocp.args.StandardRestore(abstract), "notes": ocp.args.JsonRestore()}
        found = manager.restore(number, args=ocp.args.Composite(**items))
        return found["state"], found["notes"]

    def close(self) -> None:
        """Let go of the folder."""
        for manager in self._managers.values():
            manager.close()
        self._managers.clear()

    def _manager(self, kind: str) -> Any:
        if kind not in self._managers:
            (self._folder / kind).mkdir(parents=True, exist_ok=True)
            options = self._ocp.CheckpointManagerOptions(
                max_to_keep=1, cleanup_tmp_directories=True, enable_async_checkpointing=False
            )
            self._managers[kind] = self._ocp.CheckpointManager(self._folder / kind, options=options)
        return self._managers[kind]
