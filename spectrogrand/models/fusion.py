"""Music into Stable Diffusion: the published adapter, its three fusions, and a light variant with cross-attention of its own."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import InvalidValue, UnknownName, nearest, require
from ..files import parse_json
from ..weights.files import fill, load_torch

KINDS = ("concatenation", "cross_attention", "linear", "music_attention")
"""The published fusions, and the IP-Adapter-style variant."""
LARGEST = 65536


@dataclass(frozen=True)
class FusionSettings:
    """What a fusion is; kept in the header of its weights' file.

    Attributes:
        kind: one of `KINDS`.
        music_width: axes of a music feature vector: 4800 for Jukebox as published, 1024 for MusicGen-small, 512 for CLAP.
        width: axes of a text token: 768 for Stable Diffusion 1.x.
        tokens: tokens that the music becomes: the text's 77 as published; 4 to 16 are enough for `music_attention`.
        residual: True adds the fused part, zero at first, to the text; False replaces the text by it, as published.
        heads: of the cross-attention.
        embedder: the sound embedder that the features are of; another one's are refused.

    Raises:
        UnknownName: no such kind. InvalidValue: a width or count that is not a whole number above 0, or heads that do not
            divide the width.
    """

    kind: str = "cross_attention"
    music_width: int = 4800
    width: int = 768
    tokens: int = 77
    residual: bool = True
    heads: int = 8
    embedder: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UnknownName(f"no fusion {self.kind!r}; {nearest(str(self.kind), KINDS)}")
        for name in ("music_width", "width", "tokens", "heads"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
                raise InvalidValue(f"a fusion's {name} is a whole number from 1 to {LARGEST:,}, got {value!r}")
        if self.width % self.heads:
            raise InvalidValue(f"{self.heads} heads do not divide a width of {self.width}: choose heads that do")


class Fusion:
    """Text tokens and music features to what a UNet's cross-attention reads.

    **Adapter**, as published (No-Pain-No-GAN; M features of 4800 axes, W = 768, 77 tokens): every time step x_t in R^M becomes
    y_t = A x_t + a in R^W; a convolution over time, 3 wide with stride 2, halves their number; averages over 77 equal
    stretches give 77 tokens (a short clip's are repeated); a layer norm ends it: m = LN(pool_77(conv_2(A x + a))).
    Features are first standardised by the training set's mean and deviation, (0, 1) where those are not known.

    **Fusions** of text tokens c (77, W) and music tokens m (77, W), token by token:

        concatenation    f = U [c ; m] + u                       U in R^(W x 2W)
        linear           f = U (c + m) + u                       U in R^(W x W)
        cross_attention  h = c + MHA(q = c, k = m, v = m);       f = h + F2 gelu(F1 LN(h)), F1 to 4 W
        music_attention  the text is left alone; in each of the UNet's cross-attentions the query q of the picture reads
                         both: softmax(q K'/sqrt(d)) V + softmax(q Km'/sqrt(d)) Vm, with keys and values Km, Vm of the music
                         tokens by matrices of their own (Ye et al. 2023, IP-Adapter, eq. 5)

    The project says in words, not in code, what it concatenates and what its linear layer reads; this is the plainest reading.
    As published f replaces the text: from random U the frozen UNet reads noise, and the published FID of 530 to 740 against
    170 for the prompt alone says how that went. With `residual` f's last layer begins at zero and the UNet
    reads c + f (cross_attention's f holds c already), so that training begins at the frozen model.

    **Dropping the music** (for guidance, and by chance in training): its tokens become 0. With `residual`, and always in
    music_attention, the UNet then reads exactly the text alone.

    Args:
        settings: see `FusionSettings`. unet: the UNet, for `music_attention` alone: its cross-attentions get the new matrices.
    """

    def __init__(self, settings: FusionSettings, unet: Any = None) -> None:
        require("torch", "models", "fusing music with text")
        from torch import nn

        self.settings, wide = settings, settings.width
        parts: dict[str, Any] = {
            "linear": nn.Linear(settings.music_width, wide),
            "conv": nn.Conv1d(wide, wide, kernel_size=3, stride=2, padding=1),
            "pool": nn.AdaptiveAvgPool1d(settings.tokens),
            "norm": nn.LayerNorm(wide),
        }
        if settings.kind in ("concatenation", "linear"):
            parts["join"] = last = nn.Linear(2 * wide if settings.kind == "concatenation" else wide, wide)
            self._silence(last)
        elif settings.kind == "cross_attention":
            parts["attention"] = nn.MultiheadAttention(wide, settings.heads, batch_first=True)
            parts["before"] = nn.LayerNorm(wide)
            parts["ahead"] = nn.Sequential(nn.Linear(wide, 4 * wide), nn.GELU(), nn.Linear(4 * wide, wide))
            self._silence(parts["attention"].out_proj)
            self._silence(parts["ahead"][2])
        else:
            if unet is None:
                raise InvalidValue("music_attention lives in a UNet: give Fusion(settings, unet)")
            parts["attentions"] = _own_attentions(unet, settings.tokens)
        self.module = nn.ModuleDict(parts)
        import torch

        self.module.register_buffer("mean", torch.zeros(settings.music_width))
        self.module.register_buffer("std", torch.ones(settings.music_width))

    def music(self, features: Any, keep: Any = None) -> Any:
        """Music tokens, shape=(batch, token, width), of features, shape=(batch, time, music_width).

        Args:
            keep: bool, shape=(batch,); where False the music is dropped.

        Raises:
            InvalidValue: features of another width; both widths and the embedder are named.
        """
        if features.ndim != 3 or features.shape[2] != self.settings.music_width:
            raise InvalidValue(
                f"this fusion reads features (batch, time, {self.settings.music_width})"
                f"{f' of {self.settings.embedder}' if self.settings.embedder else ''}, got {tuple(features.shape)}: "
                "set sound_embedder to the one that it was trained with"
            )
        m = self.module
        standard = (features - m.mean) / m.std
        tokens = m["norm"](m["pool"](m["conv"](m["linear"](standard).transpose(1, 2))).transpose(1, 2))
        return tokens if keep is None else tokens * keep.to(tokens.dtype)[:, None, None]

    def __call__(self, text: Any, features: Any, keep: Any = None) -> Any:
        """What the UNet takes as `encoder_hidden_states`: shape=(batch, token, width), or text and music for music_attention.

        Args:
            text: shape=(batch, token, width). features, keep: as for `music`.
        """
        music, m, kind = self.music(features, keep), self.module, self.settings.kind
        if kind == "music_attention":
            return text, [music]
        if music.shape[1] != text.shape[1]:
            raise InvalidValue(
                f"the text has {text.shape[1]} tokens and the music {music.shape[1]}: set the fusion's tokens"
            )
        if kind == "cross_attention":
            heard = text + m["attention"](text, music, music, need_weights=False)[0]
            fused = heard + m["ahead"](m["before"](heard))
            added = fused - text
        else:
            import torch

            fused = m["join"](torch.cat([text, music], dim=2) if kind == "concatenation" else text + music)
            added = fused
        if not self.settings.residual:
            return fused
        return text + (added if keep is None else added * keep.to(added.dtype)[:, None, None])

    def standardise(self, mean: Any, std: Any) -> None:
        """Set the training set's mean and deviation of each axis, shape=(music_width,); a deviation of 0 becomes 1."""
        self.module.mean.copy_(mean)
        self.module.std.copy_(std.masked_fill(std < 1e-6, 1.0))

    def save(self, path: str | Path) -> None:
        """Write the weights as safetensors, the settings in its header; whole or not at all."""
        from safetensors.torch import save_file

        from ..files import replacing

        tensors = {k: v.detach().cpu().contiguous().clone() for k, v in self.module.state_dict().items()}
        with replacing(path) as draft:
            save_file(tensors, str(draft), metadata={"fusion": json.dumps(asdict(self.settings), sort_keys=True)})

    def _silence(self, layer: Any) -> None:
        """With `residual` a last layer begins at zero."""
        if self.settings.residual:
            layer.weight.data.zero_()
            layer.bias.data.zero_()


def settings_of(path: str | Path) -> FusionSettings:
    """The settings in the header of a fusion's weights.

    Raises:
        InvalidValue: no safetensors file, or no fusion's.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), "np") as file:
            found = (file.metadata() or {}).get("fusion")
        settings = parse_json(found) if found else None
    except (SafetensorError, OSError, ValueError) as error:
        raise InvalidValue(f"{path} is torn or no safetensors file: train it with train/fusion.py") from error
    if not isinstance(settings, dict) or set(settings) - set(FusionSettings.__dataclass_fields__):
        raise InvalidValue(f"{path} holds no fusion's weights: train them with train/fusion.py")
    return FusionSettings(**settings)


def load(path: str | Path, unet: Any = None) -> Fusion:
    """A fusion from its weights' file, in evaluation mode.

    Raises:
        InvalidValue: not a fusion's file, or weights of another shape.
    """
    made = Fusion(settings_of(path), unet)
    fill(made.module, load_torch(Path(path)), str(path))
    made.module.eval().requires_grad_(False)
    return made


def _own_attentions(unet: Any, tokens: int) -> Any:
    """Give each cross-attention of a UNet keys and values of its own for music; returns the new modules, values at zero."""
    from diffusers.models.attention_processor import AttnProcessor2_0, IPAdapterAttnProcessor2_0
    from torch import nn

    made: dict[str, Any] = {}
    for name in unet.attn_processors:
        if not name.endswith("attn2.processor"):
            made[name] = AttnProcessor2_0()
            continue
        attention = unet.get_submodule(name.removesuffix(".processor"))
        own = IPAdapterAttnProcessor2_0(attention.inner_dim, attention.to_k.in_features, num_tokens=(tokens,))
        own.to_k_ip[0].weight.data.copy_(attention.to_k.weight.data)
        own.to_v_ip[0].weight.data.zero_()
        made[name] = own
    unet.set_attn_processor(dict(made))
    return nn.ModuleList([p for name, p in sorted(made.items()) if name.endswith("attn2.processor")])
