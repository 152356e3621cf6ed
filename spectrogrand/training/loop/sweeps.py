"""Sweeps by Hydra's own plug-ins: joblib and submitit launch the points, Optuna chooses them by their validation measure.

    python train/genre.py -m hydra/launcher=joblib seed=0,1,2 ...
    python train/genre.py -m hydra/sweeper=optuna hydra.sweeper.direction=maximize hydra.sweeper.n_trials=20 \\
        'recipe.lr=tag(log,interval(1e-4,1e-2))' ...
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
import traceback
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import ConfigError, SpectrograndError
from . import loggers, settings
from .words import CONF, quoted_word, tell, translated

OBJECTIVE = "objective"
"""What a training's results call the measure that a sweep goes by."""


def by_hydra(name: str, job: Callable[[dict[str, Any]], object], words: Sequence[str]) -> int:
    """Let Hydra run the points of a sweep, with the launcher and sweeper that the words choose; returns the worst exit code.

    A point that fails is told and the others go on: Optuna takes it for a failed trial.

    Args:
        name: of the script's config.
        job: called with each point's config, in another process where the launcher starts some.
        words: the command line's.

    Raises:
        ConfigError: Hydra's complaint in one line, as of a plug-in that is not installed; no point of a search had a value.
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
        # in the working folder, which machines of a cluster share
        with tempfile.TemporaryDirectory(prefix=".sweep-", dir=".") as failures:
            point = Point(name, job, Path(failures).absolute())
            codes: list[int] = []
            try:
                hydra.main(version_base="1.3", config_path=str(CONF), config_name=name)(point)()
            finally:
                codes = [int(p.read_text("utf-8")) for p in Path(failures).iterdir()]
                if codes:
                    sys.stderr.write(f"train {name}: {len(codes)} of the sweep's points failed\n")
        return max(codes, default=0)
    except (HydraException, OmegaConfBaseException) as error:
        raise translated(error, name) from error
    except ImportError as error:
        raise ConfigError(
            f"Hydra cannot load the sweep's plug-in ({error}): pip install 'spectrogrand[sweeps]'"
        ) from error
    except ValueError as error:
        if "No trials are completed" not in str(error):
            raise
        raise ConfigError(
            "no point of the sweep had a value, so there is no best one: look at what each said"
        ) from error
    finally:
        sys.argv = kept["argv"]  # type: ignore[assignment]
        if kept["full"] is None:
            del os.environ["HYDRA_FULL_ERROR"]


class Point:
    """One point as Hydra calls it, here or in another process: config in, objective out.

    Args:
        name: of the script's config.
        job: called with the plain config; its result's `objective` is the point's value.
        failures: a folder that takes a file with the exit code of each point that fails; None keeps none.
    """

    def __init__(self, name: str, job: Callable[[dict[str, Any]], object], failures: Path | None = None) -> None:
        self.name, self.job, self.failures = name, job, failures
        self.__name__ = self.__qualname__ = f"train_{name}"

    def __call__(self, config: Any) -> float | None:
        """The objective of one training; None where it failed or has none, which Optuna takes for a failed trial."""
        from omegaconf import OmegaConf

        plain = OmegaConf.to_container(config, resolve=True)
        assert isinstance(plain, dict)
        try:
            found = self.job({str(k): v for k, v in plain.items()})
        except SpectrograndError as error:
            self._failed(tell(self.name, error))
            return None
        except Exception:  # a fault of one point: shown whole, and no reason to lose the others
            traceback.print_exc()
            self._failed(1)
            return None
        finally:
            loggers.finish()
        value = found.get(OBJECTIVE) if isinstance(found, Mapping) else None
        return float(value) if value is not None and math.isfinite(value) else None

    def _failed(self, code: int) -> None:
        if self.failures is not None:
            (self.failures / uuid.uuid4().hex).write_text(str(code), "utf-8")
