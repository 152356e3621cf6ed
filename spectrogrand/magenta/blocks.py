"""The transfer network on one coarse grid: 4 x 4 pixels become channels, so that its thin layers fill a processor's matrix units.

Near full size the network has 3, 8 or 16 channels, which leaves most of a vector unit idle, and upsampling repeats work. Here
a picture of (channel, row, column) is kept as (phase row, phase column, channel) x (row / A, column / A), and each layer becomes
one dense convolution over blocks. Every product of the plain network is there once, so the result is the same up to rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def taps(inside: int, outside: int, stride: int, grow: int, size: int) -> tuple[np.ndarray, int]:
    """Which source phase of which block feeds which tap of which output phase, along one axis.

    Args:
        inside, outside: source and output pixels a block. stride: of the convolution. grow: nearest upsampling before it.
        size: taps of the kernel (odd).

    Returns:
        0 or 1, shape=(output phase, tap, source phase, block), and how many blocks lie before the own one.

    >>> taps(1, 2, 1, 2, 3)[0].shape  # upsampled twice, three taps: three blocks of one pixel
    (2, 3, 1, 3)
    """
    where = [[(stride * b + i - size // 2) // grow for i in range(size)] for b in range(outside)]
    blocks = [w // inside for row in where for w in row]
    first, last = min(blocks), max(blocks)
    made = np.zeros((outside, size, inside, last - first + 1), np.float32)
    for b, row in enumerate(where):
        for i, w in enumerate(row):
            made[b, i, w % inside, w // inside - first] = 1
    return made, -first


class BlockConv:
    """One convolution over blocks, with the borders that reflection gives the plain one.

    Args:
        kernel: shape=(output, input, tap, tap). bias: shape=(output,).
        inside, outside, stride, grow: as for `taps`.
        device, dtype: where and in which type it runs.
    """

    def __init__(
        self, kernel: Any, bias: Any, inside: int, outside: int, stride: int, grow: int, device: Any, dtype: Any
    ) -> None:
        import torch

        size = int(kernel.shape[-1])
        one, self.before = taps(inside, outside, stride, grow, size)
        self.after = one.shape[-1] - 1 - self.before
        pick = torch.from_numpy(one)
        dense = torch.einsum("ocij,yirp,xjsq->yxorscpq", kernel.float().cpu(), pick, pick)
        y, x, o, r, s, c, p, q = dense.shape
        dense = dense.reshape(y * x * o, r * s * c, p, q)
        self.kernel = dense.to(device, dtype).contiguous(memory_format=torch.channels_last)
        self.bias = bias.to(device, dtype).repeat(outside * outside)
        self.inside, self.mirror = inside, 1 if grow > 1 else 0
        self.outside = outside

    def __call__(self, x: Any) -> Any:
        import torch.nn.functional as F

        return F.conv2d(self._padded(x), self.kernel, self.bias)

    def _padded(self, x: Any) -> Any:
        """Blocks outside the picture: the plain network's reflection (of the upsampled picture, where it is upsampled)."""
        import torch
        import torch.nn.functional as F

        if self.inside == 1:
            mode = "replicate" if self.mirror else "reflect"
            return F.pad(x, (self.before, self.after, self.before, self.after), mode=mode)
        n, channels, rows, columns = x.shape
        before, after, a = self.before, self.after, self.inside
        size = (n, channels, rows + before + after, columns + before + after)
        out = torch.empty(size, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
        out[:, :, before : before + rows, before : before + columns] = x
        parts = out.view(n, a, a, channels // (a * a), *size[2:])
        for block, line in self._outside(columns):
            for phase, where in enumerate(line):
                parts[:, :, phase, ..., block] = parts[:, :, where % a, ..., before + where // a]
        for block, line in self._outside(rows):
            for phase, where in enumerate(line):
                parts[:, phase, ..., block, :] = parts[:, where % a, ..., before + where // a, :]
        return out

    def _outside(self, count: int) -> list[tuple[int, list[int]]]:
        """Per block outside a side of `count` blocks: where it lies in the padded picture, and the pixels that stand in."""
        ahead = [(self.before + k, k) for k in range(-self.before, 0)]
        behind = [(self.before + k, k) for k in range(count, count + self.after)]
        a = self.inside
        return [(at, [self._source(a * k + r, a * count) for r in range(a)]) for at, k in ahead + behind]

    def _source(self, at: int, size: int) -> int:
        """The pixel that stands in for one outside; far ones, which no tap reads, are any."""
        if at < 0:
            at = -at - self.mirror
        elif at >= size:
            at = 2 * size - 2 - at + self.mirror
        return min(max(at, 0), size - 1)


def to_blocks(x: Any, side: int) -> Any:
    """Pictures, shape=(item, channel, row, column) -> blocks, shape=(item, phase row * phase column * channel, row, column)."""
    n, c, rows, columns = x.shape
    parts = x.reshape(n, c, rows // side, side, columns // side, side).permute(0, 3, 5, 1, 2, 4)
    return parts.reshape(n, side * side * c, rows // side, columns // side)


def from_blocks(x: Any, side: int) -> Any:
    """The inverse of `to_blocks`."""
    n, channels, rows, columns = x.shape
    parts = x.reshape(n, side, side, channels // side**2, rows, columns).permute(0, 3, 4, 1, 5, 2)
    return parts.reshape(n, channels // side**2, rows * side, columns * side)


def styled(y: Any, scale: Any, shift: Any, eps: float, phases: int) -> Any:
    """gamma * (y - mean) / sqrt(variance + eps) + beta per picture and channel, over all phases; statistics in float32.

    torch's batch norm of one picture has kernels for this memory order, some ten times faster than `var_mean` and arithmetic.

    Args:
        y: shape=(item, phase * channel, row, column). scale, shift: gamma and beta, shape=(item, channel).
    """
    import torch
    import torch.nn.functional as F

    if len(y) > 1:
        return torch.cat([styled(y[k : k + 1], scale[k : k + 1], shift[k : k + 1], eps, phases) for k in range(len(y))])
    if phases == 1:
        return F.batch_norm(y, None, None, scale[0], shift[0], True, 0.0, eps)
    _, mean, root = torch.native_batch_norm(y, None, None, None, None, True, 0.0, eps)
    means = mean.float().view(phases, -1)
    middle = means.mean(0)
    spread = (root.float().view(phases, -1).pow(-2) - eps + (means - middle).square()).mean(0)
    given = (v.repeat(phases) for v in (middle, spread, scale[0], shift[0]))
    return F.batch_norm(y, *given, False, 0.0, eps)


class BlockTransfer:
    """The transfer network over blocks: `contract` and `expand` of the plain one, with 2 x 2 pixels as channels near full size.

    Args:
        weights: layer -> (kernel, bias), and layer + "/style" -> (beta, gamma, eps), as for the plain network.
        device, dtype: where and in which type the convolutions run.
    """

    def __init__(self, weights: dict[str, Any], device: Any, dtype: Any) -> None:
        # source and output pixels a block, stride, upsampling
        shapes: dict[str, tuple[int, int, int, int]] = {
            "contract/conv1": (2, 2, 1, 1), "contract/conv2": (2, 1, 2, 1),
            "expand/conv1/conv": (1, 2, 1, 2), "expand/conv2/conv": (1, 2, 1, 2), "expand/conv3/conv": (2, 2, 1, 1),
        }  # fmt: skip
        shapes |= {f"residual/residual{k}/conv{j}": (1, 1, 1, 1) for k in range(1, 6) for j in (1, 2)}
        self._layers: dict[str, BlockConv] = {}
        for name, (inside, outside, stride, grow) in shapes.items():
            kernel, bias = weights[name]
            self._layers[name] = BlockConv(kernel, bias, inside, outside, stride, grow, device, dtype)
        self._styles = {n.removesuffix("/style"): v for n, v in weights.items() if n.endswith("/style")}
        kernel, bias = weights["contract/conv3"]
        self._last = kernel.to(device, dtype), bias.to(device, dtype)

    def contract(self, x: Any) -> Any:
        """Picture, shape=(item, rgb, row, column) -> features, shape=(item, 32, row / 4, column / 4)."""
        import torch
        import torch.nn.functional as F

        x = self._layers["contract/conv1"](to_blocks(x, 2).contiguous(memory_format=torch.channels_last)).relu_()
        x = self._layers["contract/conv2"](x).relu_()
        return F.conv2d(F.pad(x, (1,) * 4, mode="reflect"), *self._last, 2).relu_()

    def restyle(self, x: Any, style: Any) -> Any:
        """Features and style vectors, shape=(item, 100) -> features in that style, shaped alike."""
        for k in range(1, 6):
            y = self._styled(x, style, f"residual/residual{k}/conv1", 1).relu_()
            x = x + self._styled(y, style, f"residual/residual{k}/conv2", 1)
        return x

    def expand(self, x: Any, style: Any) -> Any:
        """Restyled features and style vectors -> picture in [0, 1], shape=(item, rgb, row, column)."""
        import torch

        x = self._styled(x, style, "expand/conv1/conv", 4).relu_()
        x = from_blocks(x, 2).contiguous(memory_format=torch.channels_last)
        x = self._styled(x, style, "expand/conv2/conv", 4).relu_()
        return from_blocks(self._styled(x, style, "expand/conv3/conv", 4).float().sigmoid_(), 2)

    def _styled(self, x: Any, style: Any, name: str, phases: int) -> Any:
        beta, gamma, eps = self._styles[name]
        scale, shift = style @ gamma[0].T + gamma[1], style @ beta[0].T + beta[1]
        return styled(self._layers[name](x), scale, shift, eps, phases)
