"""Blocks of subsets computed by the machines of a Ray cluster, each as one of its tasks."""

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import jax
import pandas as pd

from lcrjax.data import Dataset
from lcrjax.study.run.blocks import ThisProcess, Work
from lcrjax.study.run.machines import MachineError, machine
from lcrjax.study.run.plan import Block
from lcrjax.study.run.tally import Listener
from lcrjax.training import Progress

_T = TypeVar("_T")
_PATIENCE = 10.0  # seconds for an address to answer
_GLANCE = 0.5  # seconds between two looks at what tasks tell, and at signals
_SELDOM = 1.0  # seconds between two reports of a task in training
_EACH = 2  # blocks sent for each that can be computed at once: one more waits
#: Settings of jax that a task's process starts with, as this one has them. Its device is Ray's.
_SETTINGS = (
    "jax_enable_x64",
    "jax_default_matmul_precision",
    "jax_default_prng_impl",
    "jax_threefry_partitionable",
    "jax_numpy_dtype_promotion",
    "jax_numpy_rank_promotion",
    "jax_compilation_cache_dir",
    "jax_persistent_cache_min_compile_time_secs",
)
#: Variables of the environment that tell what computes, and what they are where nobody sets them.
_VARIABLES = {"XLA_FLAGS": "", "LCRJAX_NATIVE": "1"}


@contextlib.contextmanager
def connected(
    address: str | None, datasets: Mapping[str, Dataset]
) -> Iterator["ThisProcess | Cluster"]:
    """Connect to a Ray cluster, or use the connection that this process has.

    Args:
        address: "auto" for the cluster that runs on this machine or that `RAY_ADDRESS` names,
            HOST:PORT, or "local" for one that lasts as long as the context; None for none.
        datasets: Those of the blocks, by name; each is sent once.

    Yields:
        Where blocks are computed: this process where no address is given, else the cluster; what
        it still computes when the context is left is cancelled.

    Raises:
        ValueError: If Ray is not installed, there is no answer at the address, or no machine of the
            cluster has processors to give.
    """
    if address is None:
        yield ThisProcess(datasets)
        return
    with reached(address) as ray:
        cluster = Cluster(ray, address, datasets)
        try:
            yield cluster
        finally:
            cluster.cancel()


@contextlib.contextmanager
def reached(address: str | None) -> Iterator[Any]:
    """Connect to a Ray cluster as `connected`, which uses the connection; before data are read.

    Args:
        address: As `connected` takes it; None to connect to none.

    Yields:
        The module of Ray, or None.

    Raises:
        ValueError: If Ray is not installed, or there is no answer at the address.
    """
    if address is None:
        yield None
        return
    try:
        import ray
    except ImportError:
        raise ValueError(
            "Ray is not installed, which computes a study on a cluster: pip install 'lcrjax[ray]'"
        ) from None
    ours = not ray.is_initialized()
    if ours:
        _connect(ray, address)
    try:
        yield ray
    finally:
        if ours:
            ray.shutdown()


def _connect(ray: Any, address: str) -> None:
    named = os.environ.get("RAY_ADDRESS", address) if address == "auto" else address
    host, _, port = named.rpartition(":")
    if named not in ("auto", "local") and not (port.isdecimal() and host and "/" not in host):
        raise ValueError(
            f"the address of a Ray cluster is {named!r}: give HOST:PORT, auto or local"
        )
    try:
        if host:
            _check_answer(host, int(port))
        handler = signal.getsignal(signal.SIGTERM)
        try:
            ray.init(named, runtime_env=environment(), log_to_driver=False, logging_level="WARNING")
        finally:  # Ray puts its own handler in the place of ours, where it may
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, handler)
    except (OSError, RuntimeError, ValueError, SystemExit) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(
            f"no Ray cluster answers at {named!r} ({reason}): start it with `ray start`, and the "
            "study on one of its machines"
        ) from None


def _check_answer(host: str, port: int) -> None:
    """Raise an OSError unless a server of gRPC, as Ray's is, answers: Ray itself waits minutes."""
    with socket.create_connection((host, port), _PATIENCE) as connection:
        if os.environ.get("RAY_USE_TLS", "0") == "0":
            # Both sides of HTTP/2 begin with a frame of settings, which is the fourth type.
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0")
            if connection.recv(9)[3:4] != b"\4":
                raise OSError("what listens there is something else")


class Cluster:
    """A Ray cluster as the place where blocks are computed; made by `connected`."""

    def __init__(self, ray: Any, address: str, datasets: Mapping[str, Dataset]):
        self._ray = ray
        self._wants = resources(self._machines(), address)
        self._remote = ray.remote(**self._wants, runtime_env=environment())
        self._sent = {name: ray.put(dataset) for name, dataset in datasets.items()}
        self._pending: dict[Any, Block] = {}

    def ask(self, function: Callable[..., _T], *arguments: Any) -> _T:
        """Call a function on one of the machines."""
        given = [self._sent[x.name] if isinstance(x, Dataset) else x for x in arguments]
        return self._get(self._remote(_call).remote(function, *given), "asking a worker")

    def compute(
        self,
        blocks: Iterable[Block],
        work: Work,
        kinds: Sequence[Mapping[str, Any]] | None,
        tally: Listener,
    ) -> Iterator[tuple[Block, dict[str, Any], pd.DataFrame | None]]:
        """Yield each block as it is computed, the machine that did it, and its rows.

        Args:
            blocks: In order of their beginning; taken one by one, as there is room for them.
            work: How.
            kinds: Machines that may compute; another yields None in the place of rows. None for
                all.
            tally: Told how the blocks under way stand.

        Raises:
            MachineError: If machines were lost again and again.
        """
        board = self._ray.remote(num_cpus=0)(_Board).remote()
        shared = self._ray.put((work, kinds))
        left = iter(blocks)
        sent: list[Block] = []
        places: dict[Block, int] = {}
        told: dict[int, tuple[str, Progress | None]] = {}
        news = board.read.remote()
        while True:
            room = len(self._pending) < _EACH * capacity(self._machines(), self._wants)
            block = next(left, None) if room else None
            if block is not None:
                places[block] = len(sent)
                sent.append(block)
                task = self._remote(_compute).options(name=f"{block.dataset} n={block.n}")
                ref = task.remote(places[block], block, self._sent[block.dataset], shared, board)
                self._pending[ref] = block
            if not self._pending:
                return
            wait = 0 if block is not None else _GLANCE
            done, _ = self._ray.wait(list(self._pending), timeout=wait)
            for ref in done:
                block = self._pending.pop(ref)
                yield block, *self._get(ref, f"computing {block.dataset}, {block.n} images")
            if self._ray.wait([news], timeout=0)[0]:
                for place, (stage, training) in self._read(news).items():
                    told[place] = stage, training
                    if training:
                        tally.note(sent[place], training)
                news = board.read.remote()
            if self._pending:
                first = next(iter(self._pending.values()))
                stage, progress = told.get(places[first], ("features", None))
                tally.tell(stage, first, progress)

    def cancel(self) -> None:
        """End the tasks that are under way or wait."""
        for ref in self._pending:
            with contextlib.suppress(self._ray.exceptions.RayError):
                self._ray.cancel(ref, force=True)

    def _machines(self) -> list[dict[str, float]]:
        """What each machine has given to Ray."""
        return [node["Resources"] for node in self._ray.nodes() if node["Alive"]]

    def _get(self, ref: Any, what: str) -> Any:
        try:
            return self._ray.get(ref)
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from error
        except self._ray.exceptions.RayError as error:
            reason = str(error).strip().splitlines()[0]
            raise MachineError(
                f"{what}, workers were lost again and again ({type(error).__name__}: {reason}): "
                "see whether they have the memory for it. What was finished is safe; run the "
                "same command to resume"
            ) from error

    def _read(self, news: Any) -> dict[int, Any]:
        with contextlib.suppress(self._ray.exceptions.RayError):
            found: dict[int, Any] = self._ray.get(news)
            return found
        return {}  # the board was lost with its machine; the study does without


class _Board:
    """A board on which tasks say how they stand, in a process of its own; nobody waits for it."""

    def __init__(self) -> None:
        self._news: dict[int, Any] = {}

    def tell(self, place: int, *news: Any) -> None:
        self._news[place] = news

    def read(self) -> dict[int, Any]:
        news, self._news = self._news, {}
        return news


def resources(machines: Sequence[Mapping[str, float]], address: str) -> dict[str, int]:
    """Say what a block takes: a GPU where there are any, else the processors of a whole machine.

    Args:
        machines: What each has given to Ray.
        address: Their address, for the error.

    Raises:
        ValueError: If none has given a processor.
    """
    if any(has.get("GPU", 0) >= 1 for has in machines):
        return {"num_gpus": 1, "num_cpus": 1}
    processors = [has["CPU"] for has in machines if has.get("CPU", 0) >= 1]
    if not processors:
        raise ValueError(
            f"no machine of the Ray cluster at {address!r} has a processor to give: start workers "
            "with `ray start --address=HOST:PORT`"
        )
    return {"num_cpus": int(min(processors))}


def capacity(machines: Sequence[Mapping[str, float]], wants: Mapping[str, int]) -> int:
    """Count how many blocks can be computed at once, one if only machines to come can.

    Args:
        machines: What each has given to Ray.
        wants: What a block takes, as `resources` says it.
    """
    names = {"num_gpus": "GPU", "num_cpus": "CPU"}
    each = (min(int(has.get(names[w], 0) // k) for w, k in wants.items()) for has in machines)
    return max(1, sum(each))


def environment() -> dict[str, dict[str, str]]:
    """Environment of Ray in which a task computes as this process would."""
    values = {name: getattr(jax.config, name, None) for name in _SETTINGS}
    settings = {name.upper(): str(value) for name, value in values.items() if value is not None}
    given = {name: os.environ.get(name, usual) for name, usual in _VARIABLES.items()}
    return {"env_vars": settings | given}


def _call(function: Callable[..., _T], *arguments: Any) -> _T:
    return function(*arguments)


def _compute(
    place: int, block: Block, dataset: Dataset, shared: tuple[Work, Any], board: Any
) -> tuple[dict[str, Any], pd.DataFrame | None]:
    """A task's work: a block's rows, unless this machine is of another kind than it must be."""
    work, kinds = shared
    here = machine()
    if kinds is not None and here not in kinds:
        return here, None
    return here, work(block, dataset, _Reports(place, board).tell)


class _Reports:
    """Reports of a task to the process that writes the study."""

    def __init__(self, place: int, board: Any):
        self._place, self._board, self._last = place, board, 0.0

    def tell(self, stage: str, _: Block, training: Progress | None = None) -> None:
        if training and time.monotonic() - self._last < _SELDOM:
            return
        self._last = time.monotonic()
        self._board.tell.remote(self._place, stage, training)
