"""Music into Stable Diffusion: the published adapter, its three fusions, and a light variant with cross-attention of its own."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import InvalidValue, UnknownName, nearest, require
from ..files import parse_json
from ..weights.convert import PICKLED, read_tensors
from ..weights.files import fill, load_torch

PUBLISHED = ("concatenation", "cross_attention", "linear")
KINDS = (*PUBLISHED, "music_attention")
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
        published: the layers of the authors' own code, so that their checkpoints load; see `PublishedFusion`.

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
    published: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UnknownName(f"no fusion {self.kind!r}; {nearest(str(self.kind), KINDS)}")
        for name in ("music_width", "width", "tokens", "heads"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
                raise InvalidValue(f"a fusion's {name} is a whole number from 1 to {LARGEST:,}, got {value!r}")
        if self.published and self.kind not in PUBLISHED:
            raise InvalidValue(f"{self.kind} was not published: published=false, or one of {', '.join(PUBLISHED)}")
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

    These are ours; `PublishedFusion` is the authors' to the letter.
    As published f replaces the text: from random U the frozen UNet reads noise, and the published FID of 530 to 740 against
    170 for the prompt alone says how that went. With `residual` f's last layer begins at zero and the UNet
    reads c + f (cross_attention's f holds c already), so that training begins at the frozen model.

    **Dropping the music** (for guidance, and by chance in training): its tokens become 0. With `residual`, and always in
    music_attention, the UNet then reads exactly the text alone.

    Args:
        settings: see `FusionSettings`.
        unet: the UNet, for `music_attention` alone: its cross-attentions get the new matrices.
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
        self._check(features)
        m = self.module
        standard = (features - m.mean) / m.std
        tokens = m["norm"](m["pool"](m["conv"](m["linear"](standard).transpose(1, 2))).transpose(1, 2))
        return tokens if keep is None else tokens * keep.to(tokens.dtype)[:, None, None]

    def __call__(self, text: Any, features: Any, keep: Any = None) -> Any:
        """What the UNet takes as `encoder_hidden_states`: shape=(batch, token, width), or text and music for music_attention.

        Args:
            text: shape=(batch, token, width).
            features, keep: as for `music`.
        """
        music, m, kind = self.music(features, keep), self.module, self.settings.kind
        if kind == "music_attention":
            return text, [music]
        self._check_tokens(text, music)
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

    @property
    def listens(self) -> bool:
        """Whether it reads the music at all."""
        return True

    def save(self, path: str | Path) -> None:
        """Write the weights as safetensors, the settings in its header; whole or not at all."""
        from safetensors.torch import save_file

        from ..files import replacing

        tensors = {k: v.detach().cpu().contiguous().clone() for k, v in self.module.state_dict().items()}
        with replacing(path) as draft:
            save_file(tensors, str(draft), metadata={"fusion": json.dumps(asdict(self.settings), sort_keys=True)})

    def _check(self, features: Any) -> None:
        if features.ndim != 3 or features.shape[2] != self.settings.music_width:
            raise InvalidValue(
                f"this fusion reads features (batch, time, {self.settings.music_width})"
                f"{f' of {self.settings.embedder}' if self.settings.embedder else ''}, got {tuple(features.shape)}: "
                "set sound_embedder to the one that it was trained with"
            )

    def _check_tokens(self, text: Any, music: Any) -> None:
        if music.shape[1] != text.shape[1]:
            raise InvalidValue(
                f"the text has {text.shape[1]} tokens and the music {music.shape[1]}: set the fusion's tokens"
            )

    def _silence(self, layer: Any) -> None:
        """With `residual` a last layer begins at zero."""
        if self.settings.residual:
            layer.weight.data.zero_()
            layer.bias.data.zero_()


class PublishedFusion(Fusion):
    """Adapter and fusion as the authors' code has them (No-Pain-No-GAN, `code/model.py` and `code/attention.py`), key by key.

    The adapter is `Fusion`'s, of features as they are (nothing is standardised). With text tokens c and music tokens m:

        concatenation    f = LN(U [c ; m] + u)                          U in R^(768 x 1536)
        cross_attention  h = LN(O MHA_8(Q c, K m, V m));  f = h + relu(F h + b)       F in R^(768 x 768)
        linear           f = LN(U c + u): the text alone; there is no adapter, and the music is never read

    f replaces the text. Their cross-attention holds a second layer norm that nothing reads; it is kept, as the
    checkpoint has it.
    """

    def __init__(self, settings: FusionSettings) -> None:
        require("torch", "models", "fusing music with text")
        from torch import nn

        self.settings, wide = settings, settings.width
        parts: dict[str, Any] = {}
        if settings.kind != "linear":
            parts["adapter"] = nn.ModuleDict({
                "linear": nn.Linear(settings.music_width, wide),
                "conv": nn.Conv1d(wide, wide, kernel_size=3, stride=2, padding=1),
                "pool": nn.AdaptiveAvgPool1d(settings.tokens),
                "norm": nn.LayerNorm(wide),
            })  # fmt: skip
        if settings.kind == "cross_attention":
            maps = nn.ModuleDict({f"{k}_proj": nn.Linear(wide, wide) for k in ("q", "k", "v", "out")})
            joined = {
                "fusion": maps,
                "norm1": nn.LayerNorm(wide),
                "ffn1": nn.Linear(wide, wide),
                "norm2": nn.LayerNorm(wide),
            }
        else:
            both = 2 * wide if settings.kind == "concatenation" else wide
            joined = {"fusion": nn.Linear(both, wide), "norm": nn.LayerNorm(wide)}
        self.module = nn.ModuleDict({**parts, "fusion_module": nn.ModuleDict(joined)})

    @property
    def listens(self) -> bool:
        """The published linear layer does not."""
        return self.settings.kind != "linear"

    def music(self, features: Any, keep: Any = None) -> Any:
        """Music tokens, as `Fusion.music` gives them."""
        self._check(features)
        m = self.module["adapter"]
        tokens = m["norm"](m["pool"](m["conv"](m["linear"](features).transpose(1, 2))).transpose(1, 2))
        return tokens if keep is None else tokens * keep.to(tokens.dtype)[:, None, None]

    def __call__(self, text: Any, features: Any, keep: Any = None) -> Any:
        """What the UNet takes in the text's place, shape=(batch, token, width)."""
        import torch
        from torch.nn import functional

        m, kind = self.module["fusion_module"], self.settings.kind
        if kind == "linear":
            return m["norm"](m["fusion"](text))
        music = self.music(features, keep)
        self._check_tokens(text, music)
        if kind == "concatenation":
            return m["norm"](m["fusion"](torch.cat([text, music], dim=2)))
        maps, heads = m["fusion"], self.settings.heads
        split = lambda x: x.unflatten(2, (heads, -1)).transpose(1, 2)  # noqa: E731
        q, k, v = split(maps["q_proj"](text)), split(maps["k_proj"](music)), split(maps["v_proj"](music))
        heard = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        normed = m["norm1"](maps["out_proj"](heard))
        return normed + functional.relu(m["ffn1"](normed))

    def standardise(self, mean: Any, std: Any) -> None:
        """Not as published.

        Raises:
            InvalidValue: always.
        """
        raise InvalidValue("the published fusion reads features as they are: recipe.standardise=false")


def make(settings: FusionSettings, unet: Any = None) -> Fusion:
    """A fusion with fresh weights: the authors' own layers where `settings.published`, else ours."""
    return PublishedFusion(settings) if settings.published else Fusion(settings, unet)


def settings_of(path: str | Path) -> FusionSettings:
    """The settings in the header of a fusion's weights; of the authors' checkpoint, what its keys and shapes tell.

    Raises:
        InvalidValue: no safetensors file, or no fusion's.
    """
    from safetensors import SafetensorError, safe_open

    if Path(path).suffix in PICKLED:
        return _told_by({k: tuple(v.shape) for k, v in read_tensors(path).items()}, path)
    try:
        with safe_open(str(path), "np") as file:
            found = (file.metadata() or {}).get("fusion")
            shapes = {k: tuple(file.get_slice(k).get_shape()) for k in file.keys()}
        settings = parse_json(found) if found else None
    except (SafetensorError, OSError, ValueError) as error:
        raise InvalidValue(f"{path} is torn or no safetensors file: train it with train/fusion.py") from error
    if settings is None:
        return _told_by(shapes, path)
    if not isinstance(settings, dict) or set(settings) - set(FusionSettings.__dataclass_fields__):
        raise InvalidValue(f"{path} holds no fusion's weights: train them with train/fusion.py")
    return FusionSettings(**settings)


def load(path: str | Path, unet: Any = None) -> Fusion:
    """A fusion from its weights' file, in evaluation mode.

    The authors' checkpoint (`checkpoint_asd_epoch45.pth`) is read by an unpickler that runs nothing. It holds the whole of their
    model, {model_state_dict, optimizer_state_dict, ...}; of it adapter and fusion are taken, as the rest is the frozen miniSD.

    Raises:
        InvalidValue: not a fusion's file, or weights of another shape.
    """
    made = make(settings_of(path), unet)
    tensors = read_tensors(path) if Path(path).suffix in PICKLED else load_torch(Path(path))
    fill(made.module, _own(tensors) if made.settings.published else tensors, str(path))
    made.module.eval().requires_grad_(False)
    return made


def _own(tensors: dict[str, Any]) -> dict[str, Any]:
    """Adapter's and fusion's of the authors' tensors, without the prefix that parallel training puts before them."""
    plain = {k.removeprefix("module."): v for k, v in tensors.items()}
    return {k: v for k, v in plain.items() if k.startswith(("adapter.", "fusion_module."))}


def _told_by(shapes: dict[str, Any], path: str | Path) -> FusionSettings:
    """The settings of the authors' checkpoint."""
    own = _own(shapes)
    last = own.get("fusion_module.fusion.weight") or own.get("fusion_module.fusion.q_proj.weight")
    if not last or len(last) != 2:
        raise InvalidValue(f"{path} holds no fusion's weights: train them with train/fusion.py")
    wide = int(last[0])
    if "fusion_module.fusion.q_proj.weight" in own:
        kind = "cross_attention"
    else:
        kind = "concatenation" if last[1] == 2 * wide else "linear"
    adapter = own.get("adapter.linear.weight")
    return FusionSettings(
        kind, music_width=int(adapter[1]) if adapter else 4800, width=wide, residual=False, published=True
    )


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
