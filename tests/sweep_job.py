"""A job of a sweep that Hydra's launchers run in processes of their own: light to import, and its second point fails."""

import os
from pathlib import Path

from spectrogrand.errors import InvalidValue


def job(config):
    """Leave a mark; the value is highest at seed 3."""
    (Path(os.environ["SWEPT"]) / f"point-{config['seed']}").touch()
    if config["seed"] == 2:
        raise InvalidValue("two is none")
    return {"objective": -((config["seed"] - 3) ** 2)}
