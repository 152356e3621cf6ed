"""BigGAN-deep as torch functions over the published weights' own keys (pytorch-pretrained-biggan): 128, 256 and 512 pixels.

Brock, Donahue and Simonyan, "Large scale GAN training for high fidelity natural image synthesis" (ICLR 2019), appendix B,
figure 16. With z the noise vector, e = E c the embedded class vector and y = (z, e):

    x = G_z y, shape=(16 ch, 4, 4);  x = block(x, y) for every layer, self-attention before one of them;
    picture = tanh(conv(relu(batch norm(x))))[:3]

A block is four convolutions (1x1 to a quarter of the channels, two 3x3, 1x1), each behind a batch norm whose scale 1 + S y and
shift O y come from y, and relu; beside it go the first channels of its input, enlarged where it doubles the size.

Two departures from the published program. Spectral norms are divided out once, with the stored singular vectors; that program
never leaves training mode and improves them with every batch, so that a frame depends on how many came before. And the
statistics of the batch norms, known for 51 truncations, are interpolated towards the nearer one; there the two weights are
exchanged, and rounding picks the wrong one even on the grid (0.14 / 0.02 is 7.000000000000001).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InvalidValue
from ..files import parse_json
from ..walks.class_vectors import CLASSES
from ..walks.noise_vectors import NOISE
from ..weights.files import LISTED, load_torch

REDUCTION = 4
"""A block's inner channels are its input's over this."""


def resolution_of(folder: Path) -> int:
    """Side in pixels of what the network in a folder draws; its config.json is all that is read.

    Raises:
        InvalidValue: there is none, or it is of another network.
    """
    try:
        return _pixels(_config(folder))
    except (KeyError, TypeError, IndexError) as error:
        raise InvalidValue(f"{folder}/config.json is no BigGAN's ({type(error).__name__}: {error})") from error


def _config(folder: Path) -> dict[str, Any]:
    try:
        return dict(parse_json((folder / "config.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InvalidValue(f"{folder}/config.json cannot be read ({error}): get it again") from error


def _pixels(config: Mapping[str, Any]) -> int:
    return int(4 * 2 ** sum(bool(layer[0]) for layer in config["layers"]))


class Network:
    """Noise vectors and class vectors to pictures.

    Args:
        config: the published config.json: z_dim, channel_width, num_classes, layers [[doubles, in, out], ...] in units of
            channel_width, attention_layer_position, eps, n_stats, output_dim.
        tensors: key -> torch tensor, all of the published ones and no others.

    Raises:
        InvalidValue: a config that is none, keys or shapes of another architecture, or numbers that are not finite.
    """

    def __init__(
        self, config: Mapping[str, Any], tensors: Mapping[str, Any], device: str = "cpu", dtype: str = "float32"
    ) -> None:
        import torch

        self.config = config
        self._check(tensors)
        folded = {}
        for key, value in tensors.items():
            name, _, last = key.rpartition(".")
            if last == "weight_orig":
                matrix = value.double().flatten(1)
                sigma = tensors[f"{name}.weight_u"].double() @ matrix @ tensors[f"{name}.weight_v"].double()
                folded[f"{name}.weight"] = (value.double() / sigma).float()
            elif last not in ("weight_u", "weight_v"):
                folded[key] = value
        wild = [k for k, v in folded.items() if not torch.isfinite(v).all()]
        if wild:
            raise InvalidValue(
                f"the BigGAN weights hold numbers that are not finite in {', '.join(wild[:LISTED])}: get them again"
            )
        self.device, self.dtype = torch.device(device), getattr(torch, dtype)
        self._w = {k: v.to(self.device, self.dtype) for k, v in folded.items()}
        self._scales: dict[tuple[str, float], tuple[Any, Any]] = {}

    @classmethod
    def load(cls, folder: Path, device: str = "cpu", dtype: str = "float32") -> Network:
        """From a folder with config.json and one safetensors file, what `spectrogrand convert` makes of pytorch_model.bin."""
        config = _config(folder)
        files = sorted(folder.glob("*.safetensors"))
        if len(files) != 1:
            raise InvalidValue(f"{folder} holds {len(files)} safetensors files, one is needed")
        return cls(config, load_torch(files[0]), device, dtype)

    @property
    def resolution(self) -> int:
        """Side of its square pictures in pixels."""
        return _pixels(self.config)

    def __call__(self, noise: Any, classes: Any, truncation: float) -> Any:
        """Pictures in [-1, 1], shape=(item, rgb, row, column).

        Args:
            noise: shape=(item, 128).
            classes: shape=(item, 1000).
            truncation: in (0, 1], picks the batch norms' statistics.
        """
        import torch
        from torch.nn import functional as F

        w = self._w
        noise, classes = noise.to(self.device, self.dtype), classes.to(self.device, self.dtype)
        y = torch.cat([noise, F.linear(classes, w["embeddings.weight"])], dim=1)
        x = F.linear(y, w["generator.gen_z.weight"], w["generator.gen_z.bias"])
        x = x.view(len(x), 4, 4, -1).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        index = 0
        for k, (doubles, _, out) in enumerate(self.config["layers"]):
            if k == self.config["attention_layer_position"]:
                x = self._attention(x, f"generator.layers.{index}")
                index += 1
            x = self._block(
                x, y, f"generator.layers.{index}", bool(doubles), out * self.config["channel_width"], truncation
            )
            index += 1
        mean, scale = self._statistics("generator.bn", truncation)
        gain = w["generator.bn.weight"] * scale
        x = F.relu(torch.addcmul((w["generator.bn.bias"] - mean * gain)[:, None, None], x, gain[:, None, None]))
        x = F.conv2d(x, w["generator.conv_to_rgb.weight"][:3], w["generator.conv_to_rgb.bias"][:3], padding=1)
        return torch.tanh(x)

    def _block(self, x: Any, y: Any, name: str, doubles: bool, out: int, truncation: float) -> Any:
        from torch.nn import functional as F

        h = x
        for k in range(4):
            h = F.relu(self._norm(h, y, f"{name}.bn_{k}", truncation))
            if doubles and k == 1:
                h = F.interpolate(h, scale_factor=2, mode="nearest")
            h = F.conv2d(
                h, self._w[f"{name}.conv_{k}.weight"], self._w[f"{name}.conv_{k}.bias"], padding=int(k in (1, 2))
            )
        if out != x.shape[1]:
            x = x[:, :out]
        return h + (F.interpolate(x, scale_factor=2, mode="nearest") if doubles else x)

    def _norm(self, x: Any, y: Any, name: str, truncation: float) -> Any:
        """Batch norm with the scale and shift of y: one product and one sum per value."""
        import torch
        from torch.nn import functional as F

        mean, scale = self._statistics(name, truncation)
        gain = (1 + F.linear(y, self._w[f"{name}.scale.weight"])) * scale
        shift = F.linear(y, self._w[f"{name}.offset.weight"]) - mean * gain
        return torch.addcmul(shift[..., None, None], x, gain[..., None, None])

    def _statistics(self, name: str, truncation: float) -> tuple[Any, Any]:
        """(mean, 1 / standard deviation) of a batch norm at a truncation, shape=(channel,)."""
        import torch

        key = (name, truncation)
        if key not in self._scales:
            means, variances = self._w[f"{name}.running_means"].float(), self._w[f"{name}.running_vars"].float()
            place = round(truncation * (len(means) - 1), 6)
            low = min(int(place), len(means) - 2)
            mean, variance = (torch.lerp(s[low], s[low + 1], place - low) for s in (means, variances))
            self._scales[key] = mean.to(self.dtype), torch.rsqrt(variance + self.config["eps"]).to(self.dtype)
        return self._scales[key]

    def _attention(self, x: Any, name: str) -> Any:
        """Zhang et al., SAGAN (2019), section 3: keys and values at half the size."""
        import torch
        from torch.nn import functional as F

        w, (n, channels, rows, columns) = self._w, x.shape
        query = F.conv2d(x, w[f"{name}.snconv1x1_theta.weight"]).reshape(n, channels // 8, -1)
        key = F.max_pool2d(F.conv2d(x, w[f"{name}.snconv1x1_phi.weight"]), 2).reshape(n, channels // 8, -1)
        value = F.max_pool2d(F.conv2d(x, w[f"{name}.snconv1x1_g.weight"]), 2).reshape(n, channels // 2, -1)
        seen = torch.softmax(query.transpose(1, 2) @ key, dim=-1)
        out = (value @ seen.transpose(1, 2)).reshape(n, channels // 2, rows, columns)
        return x + w[f"{name}.gamma"] * F.conv2d(out, w[f"{name}.snconv1x1_o_conv.weight"])

    def _check(self, tensors: Mapping[str, Any]) -> None:
        wanted = layout(self.config)
        missing = [k for k in wanted if k not in tensors]
        strange = [k for k in tensors if k not in wanted]
        shaped = [
            f"{k} is {tuple(tensors[k].shape)}, not {wanted[k]}"
            for k in wanted
            if k in tensors and tuple(tensors[k].shape) != wanted[k]
        ]
        for what, found in (("missing", missing), ("unknown", strange), ("other shapes", shaped)):
            if found:
                raise InvalidValue(
                    f"these are the weights of another network than their config.json; {what}: {', '.join(found[:LISTED])}"
                )


def layout(config: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Every key of the published state dict and its shape, for a config.

    Raises:
        InvalidValue: the config lacks something, or takes other vectors than 128 and 1000 numbers.
    """
    found: dict[str, tuple[int, ...]] = {}

    def normed(name: str, shape: tuple[int, ...], bias: bool = True) -> None:
        rest = 1
        for n in shape[1:]:
            rest *= n
        found.update({f"{name}.weight_orig": shape, f"{name}.weight_u": (shape[0],), f"{name}.weight_v": (rest,)})
        if bias:
            found[f"{name}.bias"] = (shape[0],)

    def statistics(name: str, channels: int) -> None:
        found[f"{name}.running_means"] = found[f"{name}.running_vars"] = (int(config["n_stats"]), channels)

    try:
        width, z, classes = int(config["channel_width"]), int(config["z_dim"]), int(config["num_classes"])
        if (z, classes) != (NOISE, CLASSES):
            raise InvalidValue(
                f"this BigGAN takes {z} noise and {classes} class numbers; a walk has {NOISE} and {CLASSES}"
            )
        found["embeddings.weight"] = (z, classes)
        normed("generator.gen_z", (16 * 16 * width, 2 * z))
        index = 0
        for k, (_, before, after) in enumerate(config["layers"]):
            ch, out = before * width, after * width
            if k == config["attention_layer_position"]:
                name = f"generator.layers.{index}"
                found[f"{name}.gamma"] = (1,)
                for part, shape in (
                    ("theta", (ch // 8, ch)),
                    ("phi", (ch // 8, ch)),
                    ("g", (ch // 2, ch)),
                    ("o_conv", (ch, ch // 2)),
                ):
                    normed(f"{name}.snconv1x1_{part}", (*shape, 1, 1), bias=False)
                index += 1
            name, inner = f"generator.layers.{index}", ch // REDUCTION
            for j, (a, b, side) in enumerate(((ch, inner, 1), (inner, inner, 3), (inner, inner, 3), (inner, out, 1))):
                statistics(f"{name}.bn_{j}", a)
                normed(f"{name}.bn_{j}.scale", (a, 2 * z), bias=False)
                normed(f"{name}.bn_{j}.offset", (a, 2 * z), bias=False)
                normed(f"{name}.conv_{j}", (b, a, side, side))
            index += 1
        statistics("generator.bn", width)
        found["generator.bn.weight"] = found["generator.bn.bias"] = (width,)
        normed("generator.conv_to_rgb", (width, width, 3, 3))
        float(config["eps"])
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InvalidValue):
            raise
        raise InvalidValue(
            f"this config.json is not BigGAN-deep's ({type(error).__name__}: {error}): get it again"
        ) from error
    return found
