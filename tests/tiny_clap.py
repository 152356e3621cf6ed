"""Tiny random CLAP and CLIP checkpoints in the hub's own layout, and heads for them: what the scorers load, small."""

from __future__ import annotations

from pathlib import Path

import numpy as np

WORDS = "a calm sea at dawn the angry machine futuristic spaceship house music for low quality bright and dark"
CLAP_AXES = 32


def write_clap(folder: Path, seed: int = 0) -> Path:
    """ClapModel with its processor, 32 axes; saved by transformers itself."""
    import torch
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, ClapProcessor, RobertaTokenizer

    tokens = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *map(chr, range(33, 127)), "\u0120"]
    tokenizer = RobertaTokenizer(vocab={t: k for k, t in enumerate(tokens)}, merges=[])
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = ClapConfig(
        text_config={**sizes, "vocab_size": len(tokens), "max_position_embeddings": 600, "projection_dim": CLAP_AXES},
        audio_config={
            "patch_embeds_hidden_size": 8, "hidden_size": 64, "depths": [1, 1, 1, 1], "num_attention_heads": [1, 2, 2, 2],
            "enable_fusion": True, "projection_dim": CLAP_AXES, "aff_block_r": 2,
        },
        projection_dim=CLAP_AXES,
    )  # fmt: skip
    torch.manual_seed(seed)
    model = ClapModel(config).eval()
    with torch.no_grad():  # first values are so small that all songs would sound alike
        for name, weight in model.named_parameters():
            if weight.ndim > 1:
                weight.normal_(0, 2 / weight[0].numel() ** 0.5)
            elif name.endswith("weight"):
                weight.fill_(1)
    model.save_pretrained(folder)
    ClapProcessor(ClapFeatureExtractor(), tokenizer).save_pretrained(folder)
    return folder


def write_clip(folder: Path, seed: int = 0, axes: int = 24) -> Path:
    """CLIPModel, both towers, with its picture processor."""
    import torch
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = CLIPConfig(
        text_config={**sizes, "vocab_size": 50, "projection_dim": axes},
        vision_config={**sizes, "image_size": 224, "patch_size": 32, "projection_dim": axes},
        projection_dim=axes,
    )
    torch.manual_seed(seed)
    model = CLIPModel(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                weight.normal_(0, 1 / weight[0].numel() ** 0.5)
    model.save_pretrained(folder)
    CLIPImageProcessor().save_pretrained(folder)
    return folder


def write_heads(folder: Path, axes: int = 24) -> Path:
    """Both published heads under their file names, in their published keys."""
    from safetensors.numpy import save_file

    rng = np.random.default_rng(0)
    sizes = (axes, 1024, 128, 64, 16, 1)
    improved = {}
    for place, (a, b) in zip((0, 2, 4, 6, 7), zip(sizes, sizes[1:], strict=False), strict=True):
        improved[f"layers.{place}.weight"] = (rng.standard_normal((b, a)) / a**0.5).astype(np.float32)
        improved[f"layers.{place}.bias"] = rng.standard_normal(b).astype(np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(improved, folder / "sac+logos+ava1-l14-linearMSE.safetensors")
    linear = {"weight": rng.standard_normal((1, axes)).astype(np.float32), "bias": np.full(1, 5, np.float32)}
    save_file(linear, folder / "sa_0_4_vit_l_14_linear.safetensors")
    return folder


def write_references(folder: Path) -> Path:
    """Four genres of unit vectors in tiny CLAP's space, as the published embeddings are kept."""
    from safetensors.numpy import save_file

    rng = np.random.default_rng(1)
    rows = {g: rng.standard_normal((4, CLAP_AXES)) for g in ("bass", "future", "melodic", "progressive")}
    folder.mkdir(parents=True, exist_ok=True)
    unit = {f"{g}_house": (r / np.linalg.norm(r, axis=1, keepdims=True)).astype(np.float32) for g, r in rows.items()}
    save_file(unit, folder / "clap_fused_housex_saved_embeds_dict.safetensors")
    return folder


def write_all(weights: Path) -> Path:
    """A whole `weights=` folder for clap, clap_novelty and laion_aesthetics."""
    write_clap(weights / "clap")
    write_references(weights / "clap_novelty")
    write_clip(weights / "laion_aesthetics")
    write_heads(weights / "laion_aesthetics")
    return weights
