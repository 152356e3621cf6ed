"""Fine-tune Stable Diffusion or SDXL on covers of your own, by low-rank adapters (LoRA) on its attention.

    python train/lora.py data.root=COVERS model.weights=SDXL_FOLDER "data.caption=album cover in the style of mine"
    spectrogrand run topic="the sea" cover=sdxl cover.weights=SDXL_FOLDER cover.lora=outputs/train/lora/lora.safetensors

A picture's caption is the text file beside it (cover.txt beside cover.png), else `data.caption`. It may be
stopped at any time, and resumes where it was.
"""

from __future__ import annotations

import sys
from typing import Any

from spectrogrand.training.loop.entry import main


def fit(config: dict[str, Any]) -> dict[str, Any]:
    """Train, or resume, and write lora.safetensors."""
    from spectrogrand.training.lora import fit as lora

    return lora.fit(config)


if __name__ == "__main__":
    sys.exit(main("lora", fit))
