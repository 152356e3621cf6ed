"""What all generators that run a hub model share: settings, where the weights lie, loading, identity, freeing."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from ...errors import ConfigError, InvalidValue, UnknownName, nearest, require
from ...files import parse_json
from ...interfaces import Generator, Weights
from ...models import devices
from ...weights import checkpoints, files, hub
from ...weights.sources import HubRepo, remedy
from ._exact_steps import keep_float32
from ._step_bar import StepBar

OFFLOADS = ("auto", "none", "model", "sequential")
"""What fits is chosen when the model loads; or models stay on the device; one whole model at a time is moved there; one layer
at a time is (slowest, least memory)."""


DENOISERS = ("unet", "transformer", "decoder", "prior")
"""What the pipelines call the network that runs at every step; others are run as they are."""


class HubGenerator(Generator):
    """A generator that keeps one loaded model. Subclasses set the settings below and say how to load with `_load`."""

    weights: str | None
    dtype: str | None
    device: str | None
    libraries: ClassVar[tuple[str, ...]] = ("diffusers", "transformers")

    def identity(self) -> Mapping[str, Any]:
        """sha256 of the weights, device, number type, batch size, library versions."""
        place, kind = self._where()
        return devices.identity(self._folders(), place, kind, self.batch_size, *self.libraries)

    def close(self) -> None:
        """Free the model and the memory it held, and the plug-ins inside it."""
        super().close()
        if self.__dict__.pop("_model", None) is not None:
            devices.free()

    def model(self) -> Any:
        """The model, loaded at first use."""
        if self.__dict__.get("_model") is None:
            self.__dict__["_model"] = self._load()
        return self.__dict__["_model"]

    def _load(self) -> Any:
        raise NotImplementedError

    def _hub_weights(self) -> Weights:
        return self.card.weights[0]

    def place_of(self, one: Weights) -> Path:
        """Where one of the models that the card names lies.

        Raises:
            MissingExtra: it is not here, or half of it; the command that fetches it is named.
        """
        if not isinstance(one.source, HubRepo):
            return files.find(self.weights, one, part=self.name)
        return hub.folder(self.weights, one, part=self.name, command=remedy(one, self))

    def inspect(self) -> None:
        """Device and number type, where they are set: a run on another machine must not find out after its songs."""
        if self.device is not None or self.dtype is not None:
            self._where()

    def _folder(self) -> Path:
        return self.place_of(self._hub_weights())

    def _folders(self) -> dict[str, Path]:
        return {"weights": self._folder()}

    def _where(self) -> tuple[str, str]:
        """Device and number type."""
        for module in self.card.modules:
            require(module, self.card.extra or "models", f"generators {self.name!r}")
        place = devices.device(self.device)
        return place, devices.dtype(self.dtype, place)


class DiffusersGenerator(HubGenerator):
    """A `HubGenerator` that runs a diffusers pipeline."""

    offload: str
    attention_slicing: bool
    scheduler: str | None
    channels_last: bool
    compile: bool
    auto: ClassVar[str | None] = None
    """The diffusers class that chooses the pipeline's; None: the one that the index names."""
    expected: ClassVar[str | None] = None
    """The class that the index must name; None: any that `auto` takes."""
    _offloaded: str = "none"
    """What was chosen for the loaded pipeline."""
    instead: ClassVar[Mapping[str, str]] = {}
    """Components whose class the index gets wrong."""

    def _load(self) -> Any:
        place, kind = self._where()
        made = checkpoints.pipeline(
            self._folder(), kind, part=self.name, auto=self.auto, instead=self.instead, expected=self.expected
        )
        self._adapt(made)
        return self._placed(made, place)

    def _adapt(self, made: Any) -> None:
        """Change a loaded pipeline before it is offloaded or compiled; as it is where a subclass has nothing to lay over it."""

    def inspect(self) -> None:
        """As of every hub model; whether the folder holds this pipeline, and its scheduler can give way to the set one."""
        super().inspect()
        self._look_into(self._folder(), self.expected)

    def _look_into(self, folder: Path, expected: str | None) -> None:
        checkpoints.check_class(folder, expected, part=self.name)
        checkpoints.check_parts(folder, self.instead)
        shipped = folder / "scheduler" / "scheduler_config.json"
        if self.scheduler is not None and shipped.is_file():
            with checkpoints.said(shipped, self.name):
                name = str(parse_json(shipped.read_text("utf-8")).get("_class_name"))
            _scheduler(self.scheduler, checkpoints.named(name, str(shipped)), self.name)

    def _run(self, pipeline: Any, **options: Any) -> Any:
        """Call a pipeline; "out of memory" is a MemoryError that halves the batch."""
        with devices.memory(), checkpoints.quiet():
            return pipeline(**options)

    def _chosen_offload(self, made: Any, place: str) -> str:
        """The setting, or for "auto" what the free memory of the device allows; a CPU has nowhere to offload to."""
        free = devices.free_bytes(place)
        if free is None:
            return "none"
        if self.offload != "auto":
            return self.offload
        models = [m for m in made.components.values() if hasattr(m, "parameters")]
        return devices.offloading([sum(p.numel() * p.element_size() for p in m.parameters()) for m in models], free)

    def _placed(self, made: Any, place: str) -> Any:
        """The pipeline with its scheduler, on its device, as fast as the settings allow."""
        import torch

        if self.scheduler is not None:
            cls = _scheduler(self.scheduler, type(made.scheduler), self.name)
            made.scheduler = cls.from_config(made.scheduler.config)
        keep_float32(made.scheduler)
        for runs in (made, getattr(made, "decoder_pipe", None)):  # what draws, in a pipeline of a prior and a decoder
            if runs is not None:
                runs.scheduler, runs.progress_bar = made.scheduler, functools.partial(StepBar, self.name)
        denoiser = next((k for k in DENOISERS if getattr(made, k, None) is not None), None)
        if self.compile and denoiser is None:
            raise ConfigError(f"{self.name} finds nothing to compile in a {type(made).__name__}: compile=false")
        if self.channels_last:
            for name in (denoiser or "", "vae"):
                for layer in getattr(getattr(made, name, None), "modules", tuple)():
                    if isinstance(layer, torch.nn.Conv2d):  # a whole model may hold convolutions of other ranks
                        layer.to(memory_format=torch.channels_last)
        if self.attention_slicing:
            made.enable_attention_slicing()
        self._offloaded = chosen = self._chosen_offload(made, place)
        if chosen != "none":  # the picture is then decoded one at a time, in tiles
            for name in ("enable_vae_slicing", "enable_vae_tiling"):
                if hasattr(getattr(made, "vae", None), name.replace("_vae", "")):
                    getattr(made.vae, name.replace("_vae", ""))()
        if chosen == "none":
            made.to(place)
        elif chosen == "model":
            made.enable_model_cpu_offload(device=place)
        else:
            made.enable_sequential_cpu_offload(device=place)
        if self.compile:
            getattr(made, str(denoiser)).compile()
        return made


def _scheduler(name: str, shipped: Any, part: str) -> Any:
    """The scheduler class called `name`, which can take the settings of the shipped one.

    Raises:
        UnknownName: diffusers has none of that name, or none that can take these settings.
    """
    known = {cls.__name__: cls for cls in [*shipped._get_compatibles(), shipped]}
    if name not in known:
        raise UnknownName(f"{part} cannot sample with scheduler {name!r}; {nearest(name, known)}")
    return known[name]


def numbers(part: str, **ranges: tuple[Any, float, float]) -> None:
    """Check settings: each is `name=(value, least, most)`; a range of ints asks for a whole number.

    Raises:
        InvalidValue: one line with the setting, its value and its range.

    >>> numbers("svd", steps=(25, 1, 1000))
    >>> numbers("svd", steps=(0.5, 1, 1000))
    Traceback (most recent call last):
    ...
    spectrogrand.errors.InvalidValue: svd takes steps as a whole number from 1 to 1000, got 0.5
    """
    for name, (value, least, most) in ranges.items():
        whole = isinstance(least, int) and isinstance(most, int)
        kind = int if whole else int | float
        if isinstance(value, bool) or not isinstance(value, kind) or not least <= value <= most:
            raise InvalidValue(
                f"{part} takes {name} as a {'whole ' if whole else ''}number from {least} to {most}, got {value!r}"
            )


def one_of(part: str, name: str, value: Any, known: Sequence[str]) -> None:
    """Check that a setting is one of a few words.

    Raises:
        UnknownName: it is not.
    """
    if value not in known:
        raise UnknownName(f"{part} has no {name} {value!r}; {nearest(str(value), known)}")


def multiple(part: str, name: str, value: int, step: int) -> None:
    """Check that a side in pixels is a multiple of what the model's latent grid asks for.

    Raises:
        ConfigError: it is not; the nearest one is in the message.
    """
    if value % step:
        near = max(step, round(value / step) * step)
        raise ConfigError(f"{part} draws {name} in multiples of {step} pixels, got {value}: {name}={near}")
