"""Augmentation on tensors, a whole batch at once; what happens to an item follows from (seed, epoch, its index)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import UnknownName, nearest
from ..loop.entry import bound
from .batches import draws


class Chain:
    """Augmentations in order, from a list of configs `{name: ..., settings}`.

    Raises:
        UnknownName: no such augmentation, or no such setting of one.
    """

    def __init__(self, configs: Sequence[Mapping[str, Any]]) -> None:
        self.parts = []
        for config in configs:
            name = str(config.get("name"))
            if name not in AUGMENTATIONS:
                raise UnknownName(f"no augmentation {name!r}; {nearest(name, AUGMENTATIONS)}")
            self.parts.append(bound(AUGMENTATIONS[name], config, f"augmentation {name!r}"))
        self.count = sum(part.count for part in self.parts)

    def __call__(self, pictures: Any, seed: int, epoch: int, indices: Sequence[int]) -> Any:
        """uint8 (item, rgb, row, column) to the same, augmented; the input is left as it is."""
        import torch

        if not self.parts:
            return pictures
        if pictures.device.type not in ("cpu", "cuda"):  # Apple's knows no float64, and numpy cannot read from it
            return self(pictures.cpu(), seed, epoch, indices).to(pictures.device)
        u = torch.from_numpy(draws(seed, epoch, indices, self.count))
        if pictures.is_cuda:
            return self._changed(pictures, u)
        made, steps = torch.empty_like(pictures), self._steps(u)
        for k in range(len(pictures)):  # one picture fits the processor's cache, a batch does not: three times as fast
            one = pictures[k : k + 1]
            for part, drawn in steps:
                one = _looked_up(one, drawn[k]) if part is None else part(one, drawn[k : k + 1])
            made[k] = one[0]
        return made

    def _changed(self, pictures: Any, u: Any) -> Any:
        at = 0
        for part in self.parts:
            pictures = part(pictures, u[:, at : at + part.count])
            at += part.count
        return pictures

    def _steps(self, u: Any) -> list[tuple[Any, Any]]:
        """The parts with their draws; neighbours that change each value by itself as one table of 256 values per item."""
        import torch

        steps: list[tuple[Any, Any]] = []
        at = 0
        for part in self.parts:
            drawn = u[:, at : at + part.count]
            at += part.count
            if not getattr(part, "pointwise", False):
                steps.append((part, drawn))
                continue
            if not steps or steps[-1][0] is not None:
                steps.append((None, torch.arange(256, dtype=torch.uint8).repeat(len(u), 1)))
            steps[-1] = (None, part(steps[-1][1][:, None, None], drawn)[:, 0, 0])
        return steps


def _looked_up(picture: Any, table: Any) -> Any:
    """Every value's entry in `table`, uint8, shape=(256,): bytes.translate has no equal for speed in numpy or torch."""
    import torch

    values = picture.permute(0, 2, 3, 1).numpy()
    found = np.frombuffer(bytearray(values.data).translate(table.numpy().tobytes()), np.uint8)
    return torch.from_numpy(found.reshape(values.shape)).permute(0, 3, 1, 2)


class SpecAugment:
    """Stripes of time and of mel bands set to silence (Park et al., Interspeech 2019, section 2; without time warping).

    Args:
        times, bands: how many stripes of each.
        time, band: widest stripe, as a share of the picture.
    """

    def __init__(self, times: int = 2, bands: int = 2, time: float = 0.15, band: float = 0.12) -> None:
        self.stripes = [(3, time)] * times + [(2, band)] * bands
        self.count = 2 * len(self.stripes)

    def __call__(self, pictures: Any, u: Any) -> Any:
        """Stripes become magma's black (0, 0, 3)."""
        import torch

        hidden = torch.zeros(pictures.shape[0], 1, *pictures.shape[2:], dtype=torch.bool, device=pictures.device)
        u = u.to(pictures.device)
        for k, (axis, widest) in enumerate(self.stripes):
            size = pictures.shape[axis]
            width = u[:, 2 * k] * widest * size
            start = u[:, 2 * k + 1] * (size - width)
            place = torch.arange(size, device=pictures.device)[None]
            stripe = (place >= start[:, None]) & (place < (start + width)[:, None])
            hidden |= stripe[:, None, None, :] if axis == 3 else stripe[:, None, :, None]
        silence = torch.tensor([0, 0, 3], dtype=pictures.dtype, device=pictures.device)[None, :, None, None]
        return torch.where(hidden, silence, pictures)


class Roll:
    """The bar begins somewhere else: rolled along time by up to `most` of its length, the end joined to the start."""

    count = 1

    def __init__(self, most: float = 1.0) -> None:
        self.most = most

    def __call__(self, pictures: Any, u: Any) -> Any:
        """Rolled pictures."""
        import torch

        columns = pictures.shape[3]
        shift = (u[:, 0] * self.most * columns).long().to(pictures.device)
        place = (torch.arange(columns, device=pictures.device)[None] - shift[:, None]) % columns
        return pictures.gather(3, place[:, None, None, :].expand_as(pictures))


class Posterize:
    """Keep the top `bits` of every value, with probability `p`."""

    count, pointwise = 1, True

    def __init__(self, bits: int = 4, p: float = 0.25) -> None:
        self.mask, self.p = (0xFF << (8 - bits)) & 0xFF, p

    def __call__(self, pictures: Any, u: Any) -> Any:
        """Posterised pictures."""
        import torch

        masks = torch.where(u[:, 0] < self.p, self.mask, 0xFF).to(pictures.device, torch.uint8)
        return pictures & masks[:, None, None, None]


class Brightness:
    """Multiply by a factor drawn from [low, high]."""

    count, pointwise = 1, True

    def __init__(self, low: float = 0.15, high: float = 0.9) -> None:
        self.low, self.high = low, high

    def __call__(self, pictures: Any, u: Any) -> Any:
        """Rounded down, as torchvision does."""
        import torch

        factor = (self.low + u[:, 0] * (self.high - self.low)).to(pictures.device, torch.float32)[:, None, None, None]
        return pictures.float().mul_(factor).clamp_(max=255).to(torch.uint8)


class Rotation:
    """Turn about the centre by up to `degrees` either way; nearest neighbour, black outside, as torchvision's default."""

    count = 1

    def __init__(self, degrees: float = 15.0) -> None:
        self.degrees = degrees

    def __call__(self, pictures: Any, u: Any) -> Any:
        """By Pillow on a processor, by a sampling grid on a GPU."""
        import torch

        degrees = ((2 * u[:, 0] - 1) * self.degrees).tolist()
        if pictures.is_cuda:
            rows = [
                [[math.cos(a), -math.sin(a), 0.0], [math.sin(a), math.cos(a), 0.0]] for a in map(math.radians, degrees)
            ]
            turn = torch.tensor(rows, device=pictures.device)
            grid = torch.nn.functional.affine_grid(turn, list(pictures.shape), align_corners=False)
            found = torch.nn.functional.grid_sample(pictures.float(), grid, mode="nearest", align_corners=False)
            return found.to(torch.uint8)
        from PIL import Image

        flat = pictures.permute(0, 2, 3, 1).contiguous().numpy()
        turned = [np.array(Image.fromarray(x).rotate(a)) for x, a in zip(flat, degrees, strict=True)]
        return torch.from_numpy(turned[0][None] if len(turned) == 1 else np.stack(turned)).permute(0, 3, 1, 2)


class RandAugment:
    """torchvision's RandAugment (Cubuk et al., 2020), every picture by itself, seeded by its own draw."""

    count = 1

    def __init__(self, operations: int = 2, magnitude: int = 7) -> None:
        self.operations, self.magnitude = operations, magnitude

    def __call__(self, pictures: Any, u: Any) -> Any:
        """Augmented pictures; torch's global state is left as it was."""
        import torch
        from torchvision.transforms import v2

        change, made = v2.RandAugment(self.operations, self.magnitude), []
        with torch.random.fork_rng(devices=[]):
            for picture, draw in zip(pictures, u[:, 0], strict=True):
                torch.manual_seed(int(float(draw) * 2**53))
                made.append(change(picture))
        return torch.stack(made)


class Flip:
    """Mirror left and right with probability one half."""

    count = 1

    def __call__(self, pictures: Any, u: Any) -> Any:
        """Mirrored pictures."""
        import torch

        return torch.where((u[:, 0] < 0.5).to(pictures.device)[:, None, None, None], pictures.flip(3), pictures)


AUGMENTATIONS: dict[str, Any] = {
    "spec_augment": SpecAugment, "roll": Roll, "posterize": Posterize, "brightness": Brightness, "rotation": Rotation,
    "rand_augment": RandAugment, "flip": Flip,
}  # fmt: skip


def mixed(pictures: Any, targets: Any, alpha: float, seed: int, epoch: int, indices: Sequence[int]) -> tuple[Any, Any]:
    """Mixup (Zhang et al., ICLR 2018): each item with its neighbour in the batch, its share drawn from Beta(alpha, alpha).

    Args:
        pictures: float (item, rgb, row, column).
        targets: float (item, class), rows summing to 1.
    """
    import torch

    shares = [np.random.default_rng([seed, epoch, int(i), 1]).beta(alpha, alpha) for i in indices]
    share = torch.tensor(shares, dtype=pictures.dtype, device=pictures.device)
    other, target = pictures.roll(1, 0), targets.roll(1, 0)
    k = share[:, None, None, None]
    return k * pictures + (1 - k) * other, share[:, None] * targets + (1 - share[:, None]) * target
