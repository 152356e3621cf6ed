"""Where a training's measures are logged, as `train/conf/logger/*.yaml` choose: CSV, TensorBoard, Weights & Biases, MLflow."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...errors import InvalidValue, UnknownName, nearest, require

NAMES = ("csv", "tensorboard", "wandb", "mlflow")
NEEDS = {"tensorboard": ("tensorboard", "train"), "wandb": ("wandb", "loggers"), "mlflow": ("mlflow", "loggers")}
"""The module of each that is no part of Lightning, and the extra that installs it."""


def check(config: Mapping[str, Any] | None) -> None:
    """Whether the loggers of a config exist and are installed, before anything is decoded.

    Raises:
        UnknownName: no such logger. MissingExtra: its library is not installed. InvalidValue: settings that are none.
    """
    for name, settings in (config or {}).items():
        if name not in NAMES:
            raise UnknownName(f"no logger {name!r}; {nearest(name, NAMES)}")
        if settings is not None and not isinstance(settings, Mapping):
            raise InvalidValue(f"logger.{name} holds settings, got {settings!r}")
        if name in NEEDS:
            module, extra = NEEDS[name]
            require(module, extra, f"logger={name}")


def make(config: Mapping[str, Any], folder: Path) -> list[Any] | bool:
    """Lightning's loggers, which write into `folder` unless their settings say otherwise; False where there are none.

    Args:
        config: per logger its settings, by Lightning's own names.
        folder: of the run.

    Raises:
        UnknownName: no such logger or setting. MissingExtra: its library is not installed.
    """
    from lightning.pytorch import loggers

    check(config)
    made: list[Any] = []
    for name, given in config.items():
        settings = {k: v for k, v in (given or {}).items() if v is not None}
        if name == "csv":
            starts = len(list((folder / "csv").glob("start-*"))) if (folder / "csv").is_dir() else 0
            plain = {"save_dir": folder, "name": "csv", "version": f"start-{starts}", "flush_logs_every_n_steps": 50}
            made.append(_bound(loggers.CSVLogger, name, {**plain, **settings}))
        elif name == "tensorboard":
            plain = {"save_dir": folder, "name": "tensorboard", "version": "", "default_hp_metric": False}
            made.append(_bound(loggers.TensorBoardLogger, name, {**plain, **settings}))
        elif name == "wandb":
            finish()
            folder.mkdir(parents=True, exist_ok=True)
            made.append(_bound(loggers.WandbLogger, name, {"save_dir": folder, "name": folder.name, **settings}))
        else:
            folder.mkdir(parents=True, exist_ok=True)
            plain = {"tracking_uri": f"sqlite:///{folder / 'mlflow.db'}", "run_name": folder.name}
            made.append(_bound(loggers.MLFlowLogger, name, {**plain, **settings}))
    return made or False


def finish() -> None:
    """Close a Weights & Biases run that is open, so that the next training of this process begins one of its own."""
    wandb = sys.modules.get("wandb")
    if wandb is not None and getattr(wandb, "run", None) is not None:
        wandb.finish()


def _bound(kind: Any, name: str, settings: Mapping[str, Any]) -> Any:
    """A logger of these settings; one that it does not take is refused by name."""
    import inspect

    options = inspect.signature(kind).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in options.values())
    for key in settings:
        if key not in options and not takes_all:
            raise UnknownName(f"logger {name} has no setting {key!r}; {nearest(key, options)}")
    return kind(**settings)
