"""A study's tally of what is done, of several blocks at once."""

import numpy as np

from lcrjax.study.run.plan import Block
from lcrjax.study.run.tally import Tally
from lcrjax.training import Progress
from tests.study import fake_parts as fake


def test_news_of_a_finished_block_that_come_late_are_not_counted_twice():
    blocks = [Block("toy", 20, i, 0, np.arange(20)[None], np.array([i])) for i in range(4)]
    shares = []
    tally = Tally({"toy": fake.dataset()}, blocks, lambda told: shares.append(told.share))
    half = Progress(1, 2, 1, 1, 10, 0.1)
    tally.tell("training", blocks[0], half)
    tally.finish("written", blocks[0])
    tally.note(blocks[0], half)
    tally.tell("training", blocks[1], half)
    for block in blocks[1:]:
        tally.finish("written", block)
        tally.note(block, half)
    assert shares == [0.125, 0.25, 0.375, 0.5, 0.75, 1]
