"""Pictures of the documentation and the README, drawn by `python docs/draw.py`."""

from pathlib import Path

from matplotlib.figure import Figure

import lcrjax
from lcrjax.data import load
from lcrjax.report import (
    PROFILE_ORDERS,
    frequency_and_similarity_figure,
    profile_figure,
    similarity_figure,
)

IMAGES = Path(__file__).parent / "images"


def save(figure: Figure, name: str) -> None:
    """Write a picture of few colours, which keeps it small."""
    figure.savefig(
        IMAGES / f"{name}.png", dpi=110, pil_kwargs={"optimize": True}, metadata={"Software": None}
    )


if __name__ == "__main__":
    digits = load("digits")
    measured = lcrjax.measure(digits.train_images, digits.train_labels, q=PROFILE_ORDERS)
    IMAGES.mkdir(exist_ok=True)
    save(frequency_and_similarity_figure(digits), "sense")
    save(similarity_figure(digits), "similarity")
    save(profile_figure(measured), "profiles")
