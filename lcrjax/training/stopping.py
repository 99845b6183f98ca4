"""The stopping rule: training accuracy in inference mode, or the most epochs.

Every function takes numbers of Python, NumPy or jax, and gives the same kind. The rule is that of
the paper's section III-C: 99 % training accuracy or 1,000 epochs.
"""

from typing import Any

import jax.numpy as jnp

from lcrjax.training.config import TrainingConfig


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
