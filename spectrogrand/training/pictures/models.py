"""From a model's config to a network and its spec, with the first weights that the config chooses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...audio.bars import MEAN, STD
from ...errors import ConfigError, InvalidValue, MissingExtra
from ...models import picture_classifier as networks
from ...weights import files

SIDES = {"genre": 96, "surprise": 256}
PLAIN = {"resnet_genre": (MEAN, STD), "mobilenet_surprise": ((0.0,) * 3, (1.0,) * 3)}
"""The published normalisation: ImageNet's for the genre, none for the covers."""
REVISION = re.compile(r"[0-9a-f]{40}")
CHOICES = "set model.initial=scratch, or model.initial=FILE.safetensors with weights of the backbone"


def make(
    task: str,
    classes: Sequence[str],
    *,
    name: str,
    initial: str = "imagenet",
    revision: str | None = None,
    side: int | None = None,
    head: str = "corrected",
    dropout: float | None = None,
    freeze: str | None = None,
    frozen_norm: bool = False,
) -> tuple[networks.Spec, Any]:
    """A network and what it is.

    Args:
        name: "resnet_genre" or "mobilenet_surprise" (the published layers), or a backbone of timm.
        initial: "imagenet" (fetched: torchvision's IMAGENET1K_V1 as published, timm's own from the hub), "scratch", or a
            safetensors file of backbone weights.
        revision: 40 hex digits: which revision of timm's weights on the hub; needed for "imagenet" with a timm backbone.
        side: of the pictures; None is the published 96 (genre) or 256 (surprise).
        head: of mobilenet_surprise: "published" trains through its sigmoid, "corrected" without.
        freeze: beginning of the names of parameters that are not trained ("baseline" as published for covers).
        frozen_norm: see `Classification`; here to be one setting of the model.

    Raises:
        MissingExtra: ImageNet weights that cannot be fetched here. InvalidValue, ConfigError: a setting that makes no sense.
    """
    mean, std = PLAIN.get(name, (MEAN, STD))
    if head == "published" and name != "mobilenet_surprise":
        raise ConfigError(f"model.head=published is the sigmoid of mobilenet_surprise; {name} has none")
    spec = networks.Spec(name, tuple(classes), side or SIDES[task], mean, std, head, task)
    network = networks.build(spec, dropout)
    if initial == "imagenet":
        _imagenet(network, name, revision)
    elif initial != "scratch":
        _from_file(network, name, Path(initial).expanduser())
    if freeze:
        frozen = [p.requires_grad_(False) for n, p in network.named_parameters() if n.startswith(freeze)]
        if not frozen:
            raise InvalidValue(f"model.freeze={freeze!r} matches no parameter of {name}")
    return spec, network


def _imagenet(network: Any, name: str, revision: str | None) -> None:
    """Fetch and fill in ImageNet weights: torchvision's hash is in their file's name, timm's revision is pinned."""
    import torch

    if name in networks.PUBLISHED:
        from torchvision import models

        kept = models.ResNet101_Weights if name == "resnet_genre" else models.MobileNet_V3_Small_Weights
        try:
            state = kept.IMAGENET1K_V1.get_state_dict(progress=False, check_hash=True, weights_only=True)
        except (OSError, RuntimeError) as error:
            raise MissingExtra(f"ImageNet weights of {name} cannot be fetched here ({error}): {CHOICES}") from error
        _backbone(network, name).load_state_dict(state)
        return
    if revision is None or not REVISION.fullmatch(revision):
        raise ConfigError(
            f"ImageNet weights of {name} come from the hub at one revision: set model.revision to 40 hex digits, or {CHOICES}"
        )
    import timm

    try:
        overlay = {"hf_hub_id": f"timm/{timm.get_pretrained_cfg(name).architecture}@{revision}"}
        source = timm.create_model(name, pretrained=True, num_classes=0, pretrained_cfg_overlay=overlay)
    except (OSError, RuntimeError, ValueError) as error:
        raise MissingExtra(f"ImageNet weights of {name} cannot be fetched here ({error}): {CHOICES}") from error
    with torch.no_grad():
        network.load_state_dict(source.state_dict(), strict=False)


def _from_file(network: Any, name: str, path: Path) -> None:
    """Backbone weights of a safetensors file; its classifier is left out where its shape is another."""
    if not path.is_file():
        raise InvalidValue(f"model.initial={path} is no file: imagenet, scratch or a safetensors file")
    tensors, target = files.load_torch(path), _backbone(network, name)
    own = target.state_dict()
    if name not in networks.PUBLISHED:
        tensors = {k: v for k, v in tensors.items() if k in own and v.shape == own[k].shape or not _is_head(k, target)}
        tensors |= {k: own[k] for k in own if _is_head(k, target) and k not in tensors}
    files.fill(target, tensors, str(path))


def _is_head(key: str, network: Any) -> bool:
    heads = network.pretrained_cfg.get("classifier") or ()
    return any(key.startswith(f"{h}.") for h in ([heads] if isinstance(heads, str) else heads))


def _backbone(network: Any, name: str) -> Any:
    return {"resnet_genre": lambda: network[0], "mobilenet_surprise": lambda: network.baseline}.get(
        name, lambda: network
    )()
