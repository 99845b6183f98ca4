"""Architecture of a ResNet-18: only the first and the last layer follow the data."""

import dataclasses

from lcrjax.training.networks.convolution import Geometry

LARGEST_SMALL_IMAGE = 32


@dataclasses.dataclass(frozen=True)
class Architecture:
    """What a ResNet-18 needs to know of the data.

    Attributes:
        height: Height of the images in pixels.
        width: Width of the images in pixels.
        channels: Channels of the images.
        n_classes: Number of classes.
        base: Channels of the first stage, doubled from stage to stage; 64 in ResNet-18.
        stem: Side of the first convolution, 3 (stride 1) or 7 (stride 2); None follows the
            images: 3 up to 32 pixels a side.
    """

    height: int
    width: int
    channels: int
    n_classes: int
    base: int = 64
    stem: int | None = None

    @property
    def stem_geometry(self) -> Geometry:
        """Shape of the first convolution."""
        small = max(self.height, self.width) <= LARGEST_SMALL_IMAGE
        size = self.stem or (3 if small else 7)
        return Geometry(self.height, self.width, size, 1 if size == 3 else 2, size // 2)
