import jax.numpy as jnp
import numpy as np
import pytest

from lcrjax.training import TrainingConfig
from lcrjax.training.stopping import is_due, is_over, least_of_interest, meets_target

CONFIG = TrainingConfig(target_accuracy=0.7, max_epochs=10)
# Epochs, training accuracy, failed; and whether that is the end.
CASES = [
    (3, 0.6, False, False),
    (3, 0.7, False, True),
    (3, np.nan, False, False),
    (3, np.nan, True, True),
    (10, 0.1, False, True),
    (9, 0.1, False, False),
]


@pytest.mark.parametrize("kind", [float, np.float32, jnp.float32])
@pytest.mark.parametrize(("epochs", "accuracy", "failed", "over"), CASES)
def test_the_rule_for_numbers_of_every_kind(kind, epochs, accuracy, failed, over):
    assert bool(is_over(epochs, kind(accuracy), failed, CONFIG)) is over
    assert bool(meets_target(kind(accuracy), CONFIG)) is (accuracy >= 0.7)


def test_the_rule_for_many_models():
    epochs, accuracy, failed, over = map(np.asarray, zip(*CASES, strict=True))
    np.testing.assert_array_equal(is_over(epochs, accuracy, failed, CONFIG), over)


def test_accuracy_is_counted_when_it_may_matter():
    assert is_due(0.5, 0.5, 3, CONFIG)
    assert not is_due(0.4, 0.5, 3, CONFIG)
    assert is_due(0.0, 0.5, 10, CONFIG)
    assert float(least_of_interest(jnp.int32(3), CONFIG)) == pytest.approx(0.7)
    assert float(least_of_interest(jnp.int32(10), CONFIG)) == 0
