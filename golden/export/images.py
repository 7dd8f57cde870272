"""The weight memory as text that ``$readmemh`` reads: one image for each cluster of lanes.

A line is a word of the memory, address after address; lane 0 of the cluster has the lowest bits,
lanes without a unit are 0 (`hebbware.golden.program.layout`).
"""

import numpy as np

from ..config import CoreConfig
from ..program.layout import Layout
from ..program.pipeline import clusters


def weight_images(config: CoreConfig, weights: list[np.ndarray]) -> list[str]:
    """Return the text of each image, lanes 0 to 7 first."""
    width, words = config.weight.width, Layout(config).weight_words(weights)
    mask = (1 << width) - 1
    images = []
    for lanes in clusters(config.lanes):
        part = words[:, lanes]
        digits = -(-part.shape[1] * width // 4)
        lines = [
            f"// lanes {lanes.start} to {lanes.stop - 1}, {width} bits each, the first one lowest; "
            f"{len(part)} words",
            "@0",  # in whichever direction the array is declared
        ]
        for row in part.tolist():
            word = sum((number & mask) << (lane * width) for lane, number in enumerate(row))
            lines.append(f"{word:0{digits}x}")
        images.append("\n".join(lines) + "\n")
    return images
