"""A real study of the digits killed at least fifty times, its table beside an unkilled one's.

    python experiments/kill_study.py [--kills 50] [--seed 0] [--folder DIR]

Every attempt is the command `lcrjax study` itself, in a process of its own, ended with SIGKILL:
two times out of three at a random moment of its life, start included, and every third time at
the moment when a half-written file is seen in its folder. When an attempt outlives its moment, the
study is complete and is compared; then the next study begins, until there were enough kills.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lcrjax.study import same_results
from lcrjax.study.run.folder import CONFIG
from lcrjax.study.run.store import RESULTS, ROWS
from lcrjax.study.table import decode

SETTINGS = """
datasets = ["digits"]
sizes = [20, 24, 28, 32, 40, 48]
bins = 8
per_bin = 1
candidates = 2000

[training]
max_epochs = 4
base_channels = 8  # narrow, so that fifty attempts take minutes
"""


def start(settings: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "lcrjax", "study", "--config", settings, "--out", out]
    return subprocess.Popen(
        [*command, "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def half_written(out: Path) -> bool:
    folders = [folder for folder in (out, out / ROWS) if folder.is_dir()]
    return any(name.endswith(".partial") for folder in folders for name in os.listdir(folder))


def wait_until_a_write(attempt: subprocess.Popen[bytes], out: Path, skip: int) -> None:
    """Return when a half-written file is seen for the `skip`-th time, or the attempt has ended."""
    seen = before = 0
    while attempt.poll() is None and seen <= skip:
        now = half_written(out)
        seen += now and not before
        before = now


def wait_until(attempt: subprocess.Popen[bytes], moment: float) -> None:
    while attempt.poll() is None and time.monotonic() < moment:
        time.sleep(0.01)


def finished(out: Path) -> dict[str, tuple[int, bytes]]:
    """Return the finished blocks, with what tells whether a file was ever written again."""
    files = (out / ROWS).glob("[!.]*.parquet")
    return {file.name: (file.stat().st_ino, file.read_bytes()) for file in files}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="lcrjax-kills-"))
    folder.mkdir(parents=True, exist_ok=True)
    settings = folder / "study.toml"
    settings.write_text(SETTINGS)
    rng = random.Random(options.seed)

    start(settings, folder / "warm").wait()  # fills the cache of compiled programs
    began = time.monotonic()
    whole_run = start(settings, folder / "whole")
    whole_run.wait()
    lasts = time.monotonic() - began
    if whole_run.returncode:
        sys.exit(whole_run.stderr.read().decode())
    whole = decode(folder / "whole" / RESULTS)[0]
    blocks = len(finished(folder / "whole"))
    print(f"uninterrupted: {len(whole)} rows in {blocks} blocks, {lasts:.1f} s", flush=True)

    tally = {"kills": 0, "during_a_write": 0, "before_config": 0, "studies": 0}
    tally |= {"rows_lost": 0, "blocks_rewritten": 0, "tables_different": 0}
    attempts = 0
    while tally["kills"] < options.kills:
        out = folder / f"cut-{tally['studies']}"
        complete = False
        while not complete:
            before, left_over = finished(out), half_written(out)
            attempt = start(settings, out)
            if attempts % 3 == 2:
                wait_until_a_write(attempt, out, skip=rng.randrange(3))
            else:
                wait_until(attempt, time.monotonic() + rng.uniform(0, 0.9) * lasts)
            attempts += 1
            attempt.send_signal(signal.SIGKILL)
            complete = attempt.wait() == 0
            if not complete and attempt.returncode != -signal.SIGKILL:
                sys.exit(attempt.stderr.read().decode())
            after = finished(out)
            tally["kills"] += not complete
            tally["during_a_write"] += not complete and not left_over and half_written(out)
            tally["before_config"] += not (out / CONFIG).exists()
            rows_of = {name: len(decode(out / ROWS / name)[0]) for name in after}
            lost = before.keys() - after.keys()
            tally["rows_lost"] += sum(len(decode(folder / "whole" / ROWS / n)[0]) for n in lost)
            tally["blocks_rewritten"] += sum(before[n] != after[n] for n in before.keys() - lost)
            print(f"kill {tally['kills']}: {sum(rows_of.values())} rows safe", flush=True)
        tally["studies"] += 1
        same = same_results(decode(out / RESULTS)[0], whole)
        tally["tables_different"] += not same
    print(json.dumps({**tally, "rows_per_study": len(whole)}, indent=2))


if __name__ == "__main__":
    main()
