"""The same pictures give the same bytes, whatever lay in memory before: the encoder must not read what nobody wrote."""

import os
import subprocess
import sys

import pytest

CODE = """
import hashlib, sys, tempfile
from fractions import Fraction
import numpy as np
from spectrogrand.media import save_video
from spectrogrand.types import Frames
side = int(sys.argv[1])
grid = np.cumsum(np.cumsum(np.random.default_rng(0).normal(size=(side, side, 3)), 0), 1)
base = ((grid - grid.min()) / np.ptp(grid) * 255).astype(np.uint8)
noise = [np.random.default_rng(k).integers(0, 12, base.shape, np.uint8) for k in range(30)]
pictures = [np.roll(base, 3 * k, 1) // 2 + (20 * (k % 5 == 0)) + n for k, n in enumerate(noise)]
with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
    frames = Frames(lambda: (p.astype(np.uint8) for p in pictures), (side, side), 30, Fraction(10))
    save_video(file.name, frames, preset="medium", threads=2)
    print(hashlib.sha256(open(file.name, "rb").read()).hexdigest())
"""


@pytest.mark.parametrize("side", [96, 192])
def test_bytes_do_not_depend_on_what_lay_in_memory(side):
    found = set()
    for fill in ("1", "77", "165"):
        env = {**os.environ, "MALLOC_PERTURB_": fill}
        done = subprocess.run(
            [sys.executable, "-c", CODE, str(side)], env=env, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        found.add(done.stdout)
    assert len(found) == 1
