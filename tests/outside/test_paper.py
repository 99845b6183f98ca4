"""Of benchmarks and experiments, what computes rather than measures."""

import numpy as np
import pytest

from benchmarks.paper import MODELS, whole_paper


def test_the_paper_trained_4599_models():
    assert sum(MODELS.values()) == 4599


def test_sizes_that_were_measured_count_as_measured():
    seconds = {n: 1 + n**0.7 for n in MODELS}
    wanted = sum(count * seconds[n] for n, count in MODELS.items())
    assert whole_paper(seconds) == pytest.approx(wanted)


def test_between_and_beyond_sizes_a_power_law_goes_on():
    wanted = sum(count * 0.3 * n**1.4 for n, count in MODELS.items())
    assert whole_paper({n: 0.3 * n**1.4 for n in (64, 256, 1024)}) == pytest.approx(wanted)
    assert np.isfinite(whole_paper({256: 3.0, 300: 3.1}))
