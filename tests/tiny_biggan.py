"""A tiny random BigGAN-deep in the published layout, from plain torch modules: an implementation of its own to compare with."""

from __future__ import annotations

import json

import torch
from torch import nn
from torch.nn.utils import spectral_norm

CONFIG = {
    "output_dim": 128, "z_dim": 128, "class_embed_dim": 128, "channel_width": 8, "num_classes": 1000,
    "layers": [
        [False, 16, 16], [True, 16, 8], [False, 8, 8], [True, 8, 4], [False, 4, 4], [True, 4, 2], [False, 2, 2], [True, 2, 1],
        [False, 1, 1], [True, 1, 1],
    ],
    "attention_layer_position": 8, "eps": 1e-4, "n_stats": 51,
}  # fmt: skip


def normed(layer):
    return spectral_norm(layer, eps=1e-4)


class Norm(nn.Module):
    def __init__(self, channels, condition=None):
        super().__init__()
        self.register_buffer("running_means", 0.3 * torch.randn(51, channels))
        self.register_buffer("running_vars", 0.5 + torch.rand(51, channels))
        if condition:
            self.scale = normed(nn.Linear(condition, channels, bias=False))
            self.offset = normed(nn.Linear(condition, channels, bias=False))
        else:
            self.weight, self.bias = nn.Parameter(torch.randn(channels)), nn.Parameter(torch.randn(channels))

    def forward(self, x, row, y=None):
        mean, variance = self.running_means[row][None, :, None, None], self.running_vars[row][None, :, None, None]
        flat = (x - mean) / torch.sqrt(variance + 1e-4)
        if y is None:
            return flat * self.weight[None, :, None, None] + self.bias[None, :, None, None]
        return flat * (1 + self.scale(y))[:, :, None, None] + self.offset(y)[:, :, None, None]


class Block(nn.Module):
    def __init__(self, doubles, before, after):
        super().__init__()
        self.doubles, inner = doubles, before // 4
        sizes = [(before, inner, 1), (inner, inner, 3), (inner, inner, 3), (inner, after, 1)]
        for k, (a, b, side) in enumerate(sizes):
            setattr(self, f"bn_{k}", Norm(a, 256))
            setattr(self, f"conv_{k}", normed(nn.Conv2d(a, b, side, padding=side // 2)))
        self.after = after

    def forward(self, x, row, y):
        enlarge = nn.Upsample(scale_factor=2) if self.doubles else nn.Identity()
        h = self.conv_0(torch.relu(self.bn_0(x, row, y)))
        h = self.conv_1(enlarge(torch.relu(self.bn_1(h, row, y))))
        h = self.conv_2(torch.relu(self.bn_2(h, row, y)))
        h = self.conv_3(torch.relu(self.bn_3(h, row, y)))
        return h + enlarge(x[:, : self.after])


class Attention(nn.Module):
    def __init__(self, ch):
        super().__init__()
        self.snconv1x1_theta = normed(nn.Conv2d(ch, ch // 8, 1, bias=False))
        self.snconv1x1_phi = normed(nn.Conv2d(ch, ch // 8, 1, bias=False))
        self.snconv1x1_g = normed(nn.Conv2d(ch, ch // 2, 1, bias=False))
        self.snconv1x1_o_conv = normed(nn.Conv2d(ch // 2, ch, 1, bias=False))
        self.gamma = nn.Parameter(torch.tensor([0.7]))

    def forward(self, x, row, y):
        query = self.snconv1x1_theta(x).flatten(2)
        key = nn.functional.max_pool2d(self.snconv1x1_phi(x), 2).flatten(2)
        value = nn.functional.max_pool2d(self.snconv1x1_g(x), 2).flatten(2)
        seen = torch.einsum("bcq,bck->bqk", query, key).softmax(-1)
        out = torch.einsum("bqk,bck->bcq", seen, value).reshape(len(x), -1, *x.shape[2:])
        return x + self.gamma * self.snconv1x1_o_conv(out)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        ch = CONFIG["channel_width"]
        self.gen_z = normed(nn.Linear(256, 16 * 16 * ch))
        layers = []
        for k, (doubles, before, after) in enumerate(CONFIG["layers"]):
            if k == CONFIG["attention_layer_position"]:
                layers.append(Attention(before * ch))
            layers.append(Block(doubles, before * ch, after * ch))
        self.layers = nn.ModuleList(layers)
        self.bn = Norm(ch)
        self.conv_to_rgb = normed(nn.Conv2d(ch, ch, 3, padding=1))

    def forward(self, y, row):
        x = self.gen_z(y).reshape(len(y), 4, 4, -1).movedim(3, 1)
        for layer in self.layers:
            x = layer(x, row, y)
        return torch.tanh(self.conv_to_rgb(torch.relu(self.bn(x, row)))[:, :3])


class Plain(nn.Module):
    """`row`: which of the 51 statistics."""

    def __init__(self):
        super().__init__()
        self.embeddings = nn.Linear(1000, 128, bias=False)
        self.generator = Generator()

    def forward(self, noise, classes, row):
        return self.generator(torch.cat([noise, self.embeddings(classes)], 1), row)


def plain(seed=0):
    """gen_z is as wide as the published one (16 channel widths), so the first layer takes 16 of them."""
    torch.manual_seed(seed)
    made = Plain()
    made(torch.randn(2, 128), torch.rand(2, 1000), 50)  # a step of the power iterations
    return made.eval()


def save(folder, seed=0):
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    made = plain(seed)
    save_file({k: v.contiguous() for k, v in made.state_dict().items()}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    return folder
