"""Stand-ins for training that fail as tasks do, and a study of them to be killed.

Run as `python -m tests.study.run.on_ray ADDRESS FOLDER`.
"""

import functools
import os
import signal
import sys
import time
from pathlib import Path

from lcrjax.study.design.config import StudyConfig
from lcrjax.training import Progress
from tests.study import fake_parts as fake

CONFIG = StudyConfig(sizes=(16, 32), bins=6, per_bin=4, candidates=500)


def train(dataset, subsets, seeds, config, *, progress, log, pause=0.0, until=None, **fails):
    """Note what was trained in a file; die once with seed `killed`, lack memory with `large`."""
    while until and not Path(until).exists():
        progress(Progress(0, len(seeds), 1, 1, 10, 0.1))
        time.sleep(0.1)
    progress(Progress(0, len(seeds), 1, 1, 10, 0.1))
    time.sleep(pause)
    progress(Progress(1, len(seeds), 1, 1, 10, 0.1))
    dead = Path(f"{log}.dead")
    if fails.get("killed") in seeds and not dead.exists():
        dead.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if fails.get("large") in seeds:
        raise MemoryError
    with open(log, "a") as file:
        file.write("".join(f"{seed}\n" for seed in seeds))
    return fake.train(dataset, subsets, seeds, config)


def study(folder, *, ray=None, progress=None, **kind):
    part = functools.partial(train, log=str(folder.with_suffix(".log")), **kind)
    data = [fake.dataset("one"), fake.dataset("two", seed=1)]
    return fake.run_study(data, folder, CONFIG, train=part, ray=ray, progress=progress)


def trained(folder):
    return [int(line) for line in folder.with_suffix(".log").read_text().split()]


if __name__ == "__main__":
    from tests.study.run import on_ray  # whose functions have the same names in other processes

    before = signal.getsignal(signal.SIGTERM)
    on_ray.study(
        Path(sys.argv[2]),
        ray=sys.argv[1],
        pause=0.3,
        progress=lambda _: signal.getsignal(signal.SIGTERM) is before or os._exit(1),
    )
