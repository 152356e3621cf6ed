"""The transfer network on one coarse grid: 4 x 4 pixels become channels, so that its thin layers fill a processor's matrix units.

Near full size the network has 3, 8 or 16 channels, which leaves most of a vector unit idle, and upsampling repeats work. Here
a picture of (channel, row, column) is kept as (phase row, phase column, channel) x (row / A, column / A), and each layer becomes
one dense convolution over blocks. Every product of the plain network is there once, so the result is the same up to rounding.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np


def taps(inside: int, outside: int, stride: int, grow: int, size: int) -> tuple[np.ndarray, int]:
    """Which source phase of which block feeds which tap of which output phase, along one axis.

    Args:
        inside, outside: source and output pixels a block.
        stride: of the convolution.
        grow: nearest upsampling before it.
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
        kernel: shape=(output, input, tap, tap).
        bias: shape=(output,).
        inside, outside, stride, grow: as for `taps`.
        device, dtype: where and in which type it runs.
        rooms: padded inputs, kept by shape and shared by all layers: what was just read is still near the processor.
    """

    def __init__(
        self, kernel: Any, bias: Any, inside: int, outside: int, stride: int, grow: int, device: Any, dtype: Any,
        rooms: dict[tuple[int, ...], tuple[Any, Any, Any]],
    ) -> None:  # fmt: skip
        import torch

        size = int(kernel.shape[-1])
        one, self.before = taps(inside, outside, stride, grow, size)
        self.after = one.shape[-1] - 1 - self.before
        pick = torch.from_numpy(one)
        dense = torch.einsum("ocij,yirp,xjsq->yxorscpq", kernel.float().cpu(), pick, pick)
        y, x, o, r, s, c, p, q = dense.shape
        self.channels, self.idle = (
            r * s * c,
            -(r * s * c) % 16,
        )  # matrix units take 16 channels; fewer are slower than 16
        dense = torch.nn.functional.pad(dense.reshape(y * x * o, r * s * c, p, q), (0, 0, 0, 0, 0, self.idle))
        self.kernel = dense.to(device, dtype).contiguous(memory_format=torch.channels_last)
        self.bias = bias.to(device, dtype).repeat(outside * outside)
        self.inside, self.mirror = inside, 1 if grow > 1 else 0
        self._rooms = rooms

    def __call__(self, x: Any, relu: bool = False, cut: int = 1) -> Any:
        """The layer's output, shape=(item, channel, row, column).

        Args:
            x: shape=(item, channel, row, column).
            relu: of `x`, first.
            cut: the blocks of `x` are `cut` times as many pixels a side as the layer's, and are cut up first.
        """
        import torch.nn.functional as F

        return F.conv2d(self._padded(x, relu, cut), self.kernel, self.bias)

    def _padded(self, x: Any, relu: bool, cut: int) -> Any:
        """`x` and, outside it, the plain network's reflection (of the upsampled picture, where it is upsampled).

        One pass over memory: the layers are thin, so that reading and writing costs more than arithmetic.
        """
        import torch

        n, _, rows, columns = x.shape
        key = (n, self.channels, rows, columns, cut, self.inside, self.before, self.after, self.mirror)
        if key not in self._rooms:
            if len(self._rooms) >= 16:  # pictures of many sizes
                self._rooms.clear()
            self._rooms[key] = self._room(n, rows * cut, columns * cut, cut, x)
        whole, inner, borders = self._rooms[key]
        if cut > 1:
            x = x.unflatten(1, (cut, cut, self.channels)).permute(0, 3, 4, 1, 5, 2)
        if relu:
            torch.clamp_min(x, 0, out=inner)
        else:
            inner.copy_(x)
        for outside, source in borders:
            outside.copy_(source)
        return whole

    def _room(self, count: int, rows: int, columns: int, cut: int, like: Any) -> tuple[Any, Any, list[tuple[Any, Any]]]:
        """A padded input; the picture's place in it; its borders, each with what it copies, in this order.

        Channels that the layer does not have are zeros and stay so.
        """
        import torch

        before, a = self.before, self.inside
        size = (count, self.channels + self.idle, rows + before + self.after, columns + before + self.after)
        whole = torch.zeros(size, dtype=like.dtype, device=like.device).contiguous(memory_format=torch.channels_last)
        own = whole[:, : self.channels]
        inner = own[:, :, before : before + rows, before : before + columns]
        if cut > 1:
            inner = inner.unflatten(3, (columns // cut, cut)).unflatten(2, (rows // cut, cut))
        parts, borders = own.unflatten(1, (a, a, self.channels // (a * a))), []
        for block, line in self._outside(columns):
            for phase, where in enumerate(line):
                borders.append((parts[:, :, phase, ..., block], parts[:, :, where % a, ..., before + where // a]))
        for block, line in self._outside(rows):
            for phase, where in enumerate(line):
                borders.append((parts[:, phase, ..., block, :], parts[:, where % a, ..., before + where // a, :]))
        return whole, inner, borders

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
    source = x.permute(0, 2, 3, 1).reshape(n, rows // side, side, columns // side, side * c)
    made = x.new_empty((n, rows // side, columns // side, side, side * c))
    for k in range(side):  # row by row of a block: long loops
        made[:, :, :, k] = source[:, :, k]
    return made.flatten(3).permute(0, 3, 1, 2)


def from_blocks(x: Any, side: int) -> Any:
    """The inverse of `to_blocks`."""
    n, channels, rows, columns = x.shape
    parts = x.reshape(n, side, side, channels // side**2, rows, columns).permute(0, 4, 1, 5, 2, 3)
    return parts.reshape(n, rows * side, columns * side, channels // side**2).permute(0, 3, 1, 2)


def styled(y: Any, scale: Any, shift: Any, eps: float, phases: int) -> Any:
    """gamma * (y - mean) / sqrt(variance + eps) + beta per picture and channel, over all phases, written over `y`.

    Statistics in float32. torch's batch norm of one picture has kernels for this memory order, some ten times faster than
    `var_mean` and arithmetic.

    Args:
        y: shape=(item, phase * channel, row, column).
        scale, shift: gamma and beta, shape=(item, channel).
    """
    for k in range(len(y)):
        _style_one(y[k : k + 1], scale[k], shift[k], eps, phases)
    return y


def _style_one(y: Any, scale: Any, shift: Any, eps: float, phases: int) -> None:
    n, channels, rows, columns = y.shape
    if channels < 32 and columns % 4 == 0:  # four columns side by side count as channels, too: vector units are filled
        y = y.permute(0, 2, 3, 1).view(n, rows, columns // 4, 4 * channels).permute(0, 3, 1, 2)
        phases *= 4
    if phases == 1:
        _batch_norm(y, scale, shift, None, None, eps)
        return
    means, spreads = _statistics(y)
    means = means.view(phases, -1)
    middle = means.mean(0)
    spread = (spreads.view(phases, -1) + (means - middle).square()).mean(0)
    wide = [v.repeat(phases) for v in (scale, shift, middle, spread)]
    _batch_norm(y, wide[0], wide[1], wide[2], wide[3], eps)


def _batch_norm(y: Any, scale: Any, shift: Any, mean: Any, variance: Any, eps: float) -> None:
    """torch's batch norm, written over its input: one thing less in the cache. Without a mean, by the picture's own."""
    import torch

    kept = torch.empty_like(scale), torch.empty_like(scale)
    torch.native_batch_norm(y, scale, shift, mean, variance, mean is None, 0.0, eps, out=(y, *kept))


def _statistics(y: Any) -> tuple[Any, Any]:
    """Mean and variance of each channel of one picture, float32, shape=(channel,)."""
    import torch

    count = y.shape[2] * y.shape[3]
    mean, variance = (torch.zeros(y.shape[1], device=y.device) for _ in range(2))
    # as running statistics with no memory: those are kept in float32, the returned ones in the picture's own type
    torch.batch_norm_update_stats(y, mean, variance, 1.0)
    return mean, variance * ((count - 1) / count)  # running variance is the unbiased one


class BlockTransfer:
    """The transfer network over blocks: `contract` and `expand` of the plain one, with 2 x 2 pixels as channels near full size.

    Threads take turns: all layers share the padded inputs that are kept.

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
        rooms: dict[tuple[int, ...], tuple[Any, Any, Any]] = {}
        self._turn = threading.Lock()
        for name, (inside, outside, stride, grow) in shapes.items():
            kernel, bias = weights[name]
            self._layers[name] = BlockConv(kernel, bias, inside, outside, stride, grow, device, dtype, rooms)
        self._norms = {stage: _Norms(weights, stage) for stage in ("residual", "expand")}
        kernel, bias = weights["contract/conv3"]
        self._last = kernel.to(device, dtype), bias.to(device, dtype)

    def contract(self, x: Any) -> Any:
        """Picture, shape=(item, rgb, row, column) -> features, shape=(item, 32, row / 4, column / 4)."""
        import torch.nn.functional as F

        with self._turn:
            x = self._layers["contract/conv2"](self._layers["contract/conv1"](to_blocks(x, 2)), relu=True).relu_()
        return F.conv2d(F.pad(x, (1,) * 4, mode="reflect"), *self._last, 2).relu_()

    def restyle(self, x: Any, style: Any) -> Any:
        """Features and style vectors, shape=(item, 100) -> features in that style, shaped alike."""
        norm = self._norms["residual"](style)
        with self._turn:
            for k in range(1, 6):
                name = f"residual/residual{k}/conv"
                y = norm(self._layers[name + "1"](x), name + "1", 1)
                x = norm(self._layers[name + "2"](y, relu=True), name + "2", 1).add_(x)
        return x

    def expand(self, x: Any, style: Any) -> Any:
        """Restyled features and style vectors -> picture in [0, 1], shape=(item, rgb, row, column)."""
        norm = self._norms["expand"](style)
        with self._turn:
            x = norm(self._layers["expand/conv1/conv"](x), "expand/conv1/conv", 4)
            x = norm(self._layers["expand/conv2/conv"](x, relu=True, cut=2), "expand/conv2/conv", 4)
            x = norm(self._layers["expand/conv3/conv"](x, relu=True), "expand/conv3/conv", 4)
        return from_blocks(x.float(), 2).sigmoid_()


class _Norms:
    """The style-steered scales and shifts of one stage's layers, from one product with the style vector."""

    def __init__(self, weights: dict[str, Any], stage: str) -> None:
        import torch

        styles = {
            n.removesuffix("/style"): v for n, v in weights.items() if n.startswith(stage) and n.endswith("/style")
        }
        self._eps = {name: eps for name, (*_, eps) in styles.items()}
        self._sizes = [len(bias) for beta, gamma, _ in styles.values() for _, bias in (beta, gamma)]
        both = [pair for beta, gamma, _ in styles.values() for pair in (beta, gamma)]
        self._kernel, self._bias = torch.cat([k for k, _ in both]).T.contiguous(), torch.cat([b for _, b in both])

    def __call__(self, style: Any) -> Any:
        """For style vectors, shape=(item, 100): what normalises a layer's output, as (output, layer, phases) -> output."""
        import torch

        pieces = torch.addmm(self._bias, style, self._kernel).split(self._sizes, 1)
        found = {name: pieces[2 * k : 2 * k + 2] for k, name in enumerate(self._eps)}
        return lambda y, name, phases: styled(y, found[name][1], found[name][0], self._eps[name], phases)
