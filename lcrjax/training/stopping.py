"""The stopping rule: training accuracy in inference mode, or the most epochs.

Every function takes numbers of Python, NumPy or jax, and gives the same kind. The rule is that of
the paper's section III-C: 99 % training accuracy or 1,000 epochs.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp

from lcrjax.training.config import TrainingConfig


class Passed(NamedTuple):
    """What models have come past.

    Attributes:
        stop: Epochs after which it stopped; -1 before.
        running: Whether its running accuracy has met the target.
    """

    stop: Any
    running: Any


class Events(NamedTuple):
    """What has come to pass after an epoch; a model is scored at each.

    Attributes:
        stop: It stops: see `is_over`.
        beyond: It is so many epochs further.
        running: Its running accuracy meets the target for the first time.
    """

    stop: Any
    beyond: Any
    running: Any

    @property
    def any(self) -> Any:
        """Whether anything has."""
        return self.stop | self.beyond | self.running


def events(
    epochs: Any, running: Any, accuracy: Any, passed: Passed, config: TrainingConfig
) -> Events:
    """Say what has come to pass, of models that go on beyond their stop (`config.beyond` > 0).

    Args:
        epochs: Epochs done, as an array, as is all but the recipe.
        running: Training accuracy of the latest epoch, in training mode, weights changing.
        accuracy: Training accuracy in inference mode, NaN where none was counted.
        passed: What it has come past before.
        config: The recipe.
    """
    stopped = passed.stop >= 0
    return Events(
        stop=~stopped & is_over(epochs, accuracy, False, config),
        beyond=stopped & (epochs >= passed.stop + config.beyond),
        running=~passed.running & meets_target(running, config),
    )


def meets_target(accuracy: Any, config: TrainingConfig) -> Any:
    """Whether a training accuracy, NaN where none was counted, is what models are trained for."""
    return accuracy >= config.target_accuracy


def is_over(epochs: Any, accuracy: Any, failed: Any, config: TrainingConfig) -> Any:
    """Whether a model stops.

    Args:
        epochs: Epochs done.
        accuracy: Training accuracy in inference mode, NaN where none was counted.
        failed: Whether the loss became NaN or infinite.
        config: The recipe.
    """
    return meets_target(accuracy, config) | _is_last(epochs, config) | failed


def is_due(estimate: Any, threshold: float, epochs: Any, config: TrainingConfig) -> Any:
    """Whether accuracy is worth counting: an estimate of it is high enough, or no epoch is left."""
    return (estimate >= threshold) | _is_last(epochs, config)


def least_of_interest(epochs: Any, config: TrainingConfig) -> Any:
    """Accuracy below which its exact value does not matter: the target, but 0 after the end."""
    return jnp.where(_is_last(epochs, config), 0.0, config.target_accuracy)


def _is_last(epochs: Any, config: TrainingConfig) -> Any:
    return epochs >= config.max_epochs
