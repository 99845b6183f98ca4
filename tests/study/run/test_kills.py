import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork, to start attempts quickly")
def test_killed_at_random_moments_a_study_ends_with_the_same_table(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.study.run.kills", tmp_path, "10", "0"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["kills"] >= 10
    assert report["partial"] > 0  # some kills did strike in the middle of a write
    assert (report["lost"], report["rewritten"], report["different"]) == (0, 0, 0)
