"""Kills of a study at random moments until it is done, beside one that ran through.

Run as `python -m tests.study.run.kills FOLDER KILLS SEED`. Each attempt is a forked process that
the parent kills with SIGKILL; real plan, folder, files and table, with instant stand-ins for
measuring and training. Every write is slowed down around its critical steps so that many kills
strike there. Prints what happened as JSON.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from lcrjax.study.design.config import StudyConfig
from lcrjax.study.run import files
from lcrjax.study.run.store import ROWS
from lcrjax.study.table import decode, same_results
from tests.study import fake_parts as fake

CONFIG = StudyConfig(sizes=(16, 32, 48), bins=8, per_bin=3, candidates=300)
PAUSE = 0.004


def study(folder):
    datasets = [fake.dataset("one"), fake.dataset("two", seed=1)]
    return fake.run_study(datasets, folder, CONFIG)


def slow_down():
    """Stretch the moments in which a write is half done."""
    fsync, replace = os.fsync, os.replace

    def slow_fsync(descriptor):
        time.sleep(PAUSE)
        fsync(descriptor)

    def slow_replace(source, target):
        time.sleep(PAUSE)
        replace(source, target)
        time.sleep(PAUSE)

    class HalfWriter:
        """A file that writes in two halves with a pause between."""

        def __init__(self, path, mode):
            self._file = open(path, mode)  # noqa: SIM115

        def __enter__(self):
            return self

        def __exit__(self, *reason):
            self._file.close()

        def __getattr__(self, name):
            return getattr(self._file, name)

        def write(self, content):
            self._file.write(content[: len(content) // 2])
            self._file.flush()
            time.sleep(PAUSE)
            self._file.write(content[len(content) // 2 :])

    os.fsync, os.replace, files.open = slow_fsync, slow_replace, HalfWriter


def finished(folder):
    """The finished blocks' files, with what tells whether they were ever written again."""
    rows = folder / ROWS
    if not rows.is_dir():
        return {}
    return {p.name: (p.stat().st_ino, p.read_bytes()) for p in rows.glob("*.parquet")}


def main(folder, kills, seed):
    slow_down()
    rng = random.Random(seed)
    began = time.monotonic()
    if (child := os.fork()) == 0:
        study(folder / "whole")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    lasted = time.monotonic() - began
    whole = decode(folder / "whole" / "results.parquet")[0]

    report = {"kills": 0, "studies": 0, "partial": 0, "lost": 0, "rewritten": 0, "different": 0}
    # A slow machine may hit no pause in the first kills.
    while report["kills"] < kills or (not report["partial"] and report["kills"] < 10 * kills):
        out = folder / f"cut{report['studies']}"
        done = False
        while not done:
            before, left_over = finished(out), any(out.rglob("*.partial"))
            if (child := os.fork()) == 0:
                study(out)
                os._exit(0)
            # A third of the way on average: several kills for each study.
            time.sleep(rng.uniform(0.05, 0.7) * lasted)
            os.kill(child, signal.SIGKILL)
            status = os.waitpid(child, 0)[1]
            done = status == 0
            assert done or os.WIFSIGNALED(status), f"the study failed by itself: {status}"
            report["kills"] += not done
            report["partial"] += not left_over and any(out.rglob("*.partial"))
            after = finished(out)
            report["lost"] += len(before.keys() - after.keys())
            report["rewritten"] += sum(before[name] != after.get(name) for name in before)
            for name in after:
                decode(out / ROWS / name)  # whole, whatever the moment of the kill
        report["studies"] += 1
        report["different"] += not same_results(decode(out / "results.parquet")[0], whole)
        report["different"] += any(out.rglob("*.partial"))
    print(json.dumps({**report, "rows": len(whole)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
