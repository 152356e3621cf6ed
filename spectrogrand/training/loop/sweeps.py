"""Sweeps by Hydra's own plug-ins: joblib and submitit launch the points, Optuna chooses them by their validation measure.

    python train/genre.py -m hydra/launcher=joblib seed=0,1,2 ...
    python train/genre.py -m hydra/sweeper=optuna hydra.sweeper.direction=maximize hydra.sweeper.n_trials=20 \\
        'recipe.lr=tag(log,interval(1e-4,1e-2))' ...
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...errors import ConfigError, SpectrograndError
from . import loggers, settings
from .words import CONF, quoted_word, tell, translated

OBJECTIVE = "objective"
"""What a training's results call the measure that a sweep goes by."""


def by_hydra(name: str, job: Callable[[dict[str, Any]], object], words: Sequence[str]) -> int:
    """Let Hydra run the points of a sweep, with the launcher and sweeper that the words choose.

    A point that fails is told and counts as not a number; the others go on.

    Raises:
        ConfigError: Hydra's complaint, for example a plug-in that is not installed, in one line.
    """
    import hydra
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    settings.renamed(name, words)
    flags = [w for w in words if w.startswith("-")]
    plain = [quoted_word(w) for w in words if not w.startswith("-")]
    own = ["hydra.output_subdir=null", "hydra/job_logging=none", "hydra/hydra_logging=none"]
    if not any(w.startswith("hydra.sweep.dir=") for w in plain):
        own += ["hydra.sweep.dir=outputs/train/sweep", "hydra.sweep.subdir=${hydra.job.num}"]
    kept = {"argv": sys.argv, "full": os.environ.get("HYDRA_FULL_ERROR")}
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra then raises its errors instead of printing them
    sys.argv = [f"train {name}", *(flags or ["-m"]), *own, *plain]
    try:
        hydra.main(version_base="1.3", config_path=str(CONF), config_name=name)(Point(name, job))()
    except (HydraException, OmegaConfBaseException) as error:
        raise translated(error, name) from error
    except ImportError as error:
        raise ConfigError(
            f"Hydra cannot load the sweep's plug-in ({error}): pip install 'spectrogrand[sweeps]'"
        ) from error
    finally:
        sys.argv = kept["argv"]  # type: ignore[assignment]
        if kept["full"] is None:
            del os.environ["HYDRA_FULL_ERROR"]
    return 0


class Point:
    """One point as Hydra calls it, here or in another process: config in, objective out."""

    def __init__(self, name: str, job: Callable[[dict[str, Any]], object]) -> None:
        self.name, self.job = name, job
        self.__name__ = self.__qualname__ = f"train_{name}"

    def __call__(self, config: Any) -> float:
        """The objective of one training; not a number where it failed or has none."""
        from omegaconf import OmegaConf

        plain = OmegaConf.to_container(config, resolve=True)
        assert isinstance(plain, dict)
        try:
            found = self.job({str(k): v for k, v in plain.items()})
        except SpectrograndError as error:
            tell(self.name, error)
            return float("nan")
        finally:
            loggers.finish()
        return float(found.get(OBJECTIVE, "nan")) if isinstance(found, Mapping) else float("nan")
