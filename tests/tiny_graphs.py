"""Tiny TensorFlow graphs with the published node names and signatures; run as a script, so that TensorFlow stays out of tests.

    python tests/tiny_graphs.py FOLDER [--magenta FOLDER_OF_TFLITE | --only NAME]

writes FOLDER/effnet_danceability/*.pb, FOLDER/vila/ and FOLDER/magenta/ (SavedModels), or one of them. With --magenta, the
style transfer is the real network, its weights read from the TFLite pair.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

EFFNET, HEAD = "discogs-effnet-bs64-1.pb", "danceability-discogs-effnet-1.pb"


def write_all(folder: Path, magenta: Path | None = None, only: str | None = None) -> Path:
    """Run this file in a process of its own."""
    words = [sys.executable, __file__, str(folder)] + (["--magenta", str(magenta)] if magenta else [])
    words += ["--only", only] if only else []
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def effnet(folder: Path) -> None:
    """Mel patches (64, 128, 96) -> PartitionedCall:1, 1280 numbers a patch; those -> model/Softmax, two."""
    import tensorflow as tf

    folder.mkdir(parents=True, exist_ok=True)
    v1, rng = tf.compat.v1, np.random.default_rng(0)
    with v1.Graph().as_default() as graph:
        mel = v1.placeholder(tf.float32, (64, 128, 96), name="serving_default_melspectrogram")
        bands = tf.reduce_mean(mel, 1)
        genres = tf.sigmoid(bands @ tf.constant(rng.standard_normal((96, 400)).astype(np.float32)))
        tf.identity_n(
            [genres, bands @ tf.constant(rng.standard_normal((96, 1280)).astype(np.float32))], name="PartitionedCall"
        )
        (folder / EFFNET).write_bytes(graph.as_graph_def().SerializeToString())
    with v1.Graph().as_default() as graph:
        given = v1.placeholder(tf.float32, (None, 1280), name="model/Placeholder")
        logits = given @ tf.constant((rng.standard_normal((1280, 2)) / 4000).astype(np.float32))
        tf.nn.softmax(logits, name="model/Softmax")
        (folder / HEAD).write_bytes(graph.as_graph_def().SerializeToString())


def vila(folder: Path) -> None:
    """Encoded picture -> predictions (1, 1): the mean of its red channel, so that a test knows the answer."""
    import tensorflow as tf

    class Judge(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.string, name="image_bytes")])
        def rate(self, image_bytes):
            pixels = tf.cast(tf.io.decode_image(image_bytes, channels=3, expand_animations=False), tf.float32)
            return {"predictions": tf.reshape(tf.reduce_mean(pixels[..., 0]) / 255, (1, 1))}

    made = Judge()
    tf.saved_model.save(made, str(folder), signatures={"serving_default": made.rate})


def hostile(folder: Path, target: Path) -> None:
    """A judge that writes a file when it is asked."""
    import tensorflow as tf

    class Judge(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.string, name="image_bytes")])
        def rate(self, image_bytes):
            tf.io.write_file(str(target), image_bytes)
            return {"predictions": tf.constant([[1.0]])}

    made = Judge()
    tf.saved_model.save(made, str(folder), signatures={"serving_default": made.rate})


def magenta(folder: Path, tflite: Path | None) -> None:
    """(content, style), float32 (1, row, column, rgb) in [0, 1] -> picture, under the published network's names."""
    import tensorflow as tf

    kernels = real_weights(tflite) if tflite else random_weights()

    def conv(x, name, stride=1):
        kernel, bias = kernels[name]
        side = kernel.shape[0] // 2
        x = tf.pad(x, ((0, 0), (side, side), (side, side), (0, 0)), "REFLECT")
        return tf.nn.conv2d(x, kernel, stride, "VALID") + bias

    def styled(x, vector, name):
        (beta, beta0), (gamma, gamma0), eps = kernels[name + "/style"]
        y = conv(x, name)
        mean, variance = tf.nn.moments(y, (1, 2), keepdims=True)
        shift, grow = tf.matmul(vector[:, 0], beta) + beta0, tf.matmul(vector[:, 0], gamma) + gamma0
        return (y - mean) * tf.math.rsqrt(variance + eps) * grow[:, None] + shift[:, None]

    def transfer(content, vector):
        x = content
        for k, stride in ((1, 1), (2, 2), (3, 2)):
            with tf.name_scope(f"transformer/contract/conv{k}/"):
                x = tf.nn.relu(conv(x, f"contract/conv{k}", stride), name="Relu")
        for k in range(1, 6):
            name = f"residual/residual{k}"
            x = x + styled(tf.nn.relu(styled(x, vector, f"{name}/conv1")), vector, f"{name}/conv2")
        for k in (1, 2):
            size = tf.shape(x)[1:3] * 2
            x = tf.nn.relu(styled(tf.image.resize(x, size, "nearest"), vector, f"expand/conv{k}/conv"))
        with tf.name_scope("transformer/expand/conv3/conv/"):
            return tf.sigmoid(styled(x, vector, "expand/conv3/conv"), name="Sigmoid")

    def small_predictor(style):
        x = tf.nn.relu(tf.nn.conv2d(style, kernels["predict"], 8, "SAME"))
        return tf.reduce_mean(x, (1, 2), keepdims=True) @ kernels["vector"]

    predict = real_predictor(tflite) if tflite else small_predictor

    class Network(tf.Module):
        @tf.function(
            input_signature=[
                tf.TensorSpec((None, None, None, 3), tf.float32, name="placeholder"),
                tf.TensorSpec((None, None, None, 3), tf.float32, name="placeholder_1"),
            ]
        )
        def __call__(self, content, style):
            with tf.name_scope("mobilenet_conv/Conv/"):
                vector = tf.identity(predict(style), name="BiasAdd")
            return [transfer(content, vector)]

    made = Network()
    signature = made.__call__.get_concrete_function()
    tf.saved_model.save(made, str(folder), signatures={"serving_default": signature})


def random_weights() -> dict:
    rng = np.random.default_rng(0)

    def kernel(taps, inputs, outputs):
        return (rng.standard_normal((taps, taps, inputs, outputs)) / (taps * inputs**0.5)).astype(np.float32)

    made: dict = {"predict": kernel(9, 3, 16), "vector": kernel(1, 16, 100)[0, 0]}
    layers = {"contract/conv1": (9, 3, 4), "contract/conv2": (3, 4, 4), "contract/conv3": (3, 4, 4)}
    layers |= {f"residual/residual{k}/conv{j}": (3, 4, 4) for k in range(1, 6) for j in (1, 2)}
    layers |= {"expand/conv1/conv": (3, 4, 4), "expand/conv2/conv": (3, 4, 4), "expand/conv3/conv": (9, 4, 3)}
    for name, shape in layers.items():
        made[name] = kernel(*shape), np.zeros(shape[2], np.float32)
        pairs = [
            ((rng.standard_normal((100, shape[2])) / 10).astype(np.float32), np.full(shape[2], b, np.float32))
            for b in (0, 1)
        ]
        made[name + "/style"] = (*pairs, np.float32(1e-5))
    return made


def real_weights(folder: Path) -> dict:
    """The transfer network's weights from its TFLite file, by the package's own reader."""
    import torch

    from spectrogrand.models.magenta.network import STYLED, _transfer_weights
    from spectrogrand.models.magenta.tflite import read

    torch.set_num_threads(1)
    read_weights = _transfer_weights(read(folder / "style_transfer_f16_384.tflite"), "cpu", torch.float32)
    made = {}
    for name, value in read_weights.items():
        if name.endswith("/style"):
            beta, gamma, eps = value
            made[name] = ((beta[0].T.numpy(), beta[1].numpy()), (gamma[0].T.numpy(), gamma[1].numpy()), np.float32(eps))
        else:
            made[name] = value[0].permute(2, 3, 1, 0).numpy(), value[1].numpy()
    assert all(n in made for n in STYLED)
    return made


def real_predictor(folder: Path):
    """MobileNet-v2 with its int8 rounding, from the TFLite file: style picture -> (1, 1, 1, 100)."""
    import tensorflow as tf

    from spectrogrand.models.magenta.tflite import read

    tensors = read(folder / "style_predict_quantized_256.tflite")

    def rounded(x, name):
        scale, zero = float(tensors[name].scale[0]), float(tensors[name].zero[0])
        return (tf.clip_by_value(tf.round(x / scale) + zero, -128, 127) - zero) * scale

    def layer(x, name, stride=1):
        deep = name.endswith("/depthwise")
        kernel = tensors[f"{name}/depthwise_weights" if deep else f"{name}/weights"].values()
        bias = tensors[f"{name}/depthwise_bias" if deep else f"{name}/Conv2D_bias"].values()
        if kernel.shape[1] == 3:
            before = 1 if stride == 1 else 0
            x = tf.pad(x, ((0, 0), (before, 1), (before, 1), (0, 0)))
        if deep:
            x = tf.nn.depthwise_conv2d(x, kernel.transpose(1, 2, 3, 0), (1, stride, stride, 1), "VALID") + bias
        else:
            x = tf.nn.conv2d(x, kernel.transpose(1, 2, 3, 0), stride, "VALID") + bias
        for end in ("Relu6", "BatchNorm/FusedBatchNormV3", "BiasAdd_int8"):
            if f"{name}/{end}" in tensors:
                return rounded(tf.clip_by_value(x, 0, 6) if end == "Relu6" else x, f"{name}/{end}")
        raise KeyError(name)

    def predict(style):
        x = layer(rounded(style, "style_image_int8"), "MobilenetV2/Conv", 2)
        for k in range(17):
            block = f"MobilenetV2/expanded_conv{f'_{k}' if k else ''}"
            y = layer(x, f"{block}/expand") if k else x
            y = layer(layer(y, f"{block}/depthwise", 2 if k in (1, 3, 6, 13) else 1), f"{block}/project")
            x = rounded(x + y, f"{block}/add") if f"{block}/add" in tensors else y
        x = tf.reduce_mean(layer(x, "MobilenetV2/Conv_1"), (1, 2), keepdims=True)
        return layer(rounded(x, "bottleneck/Mean"), "mobilenet_conv/Conv")

    return predict


if __name__ == "__main__":
    out = Path(sys.argv[1])
    option, value = sys.argv[2:4] if len(sys.argv) > 3 else ("", "")
    if option == "--only":
        {"effnet_danceability": effnet, "vila": vila}[value](out / value)
    else:
        magenta(out / "magenta", Path(value) if value else None)
    if not option:
        effnet(out / "effnet_danceability")
        vila(out / "vila")
        hostile(out / "hostile", out / "written")
