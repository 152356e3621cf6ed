"""What captioners by audio-language models of transformers share: resampling, the model's own chat format, greedy decoding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from ....errors import CandidateError, InvalidValue
from ....files import parse_json
from ....media import resample
from ....models import devices
from ....types import Audio
from ....weights import checkpoints
from .._hub_model import HubGenerator, numbers

MOST_WORDS = 2000


def one_line(said: str) -> str:
    """What a model said as one printable line of at most 2,000 words.

    >>> one_line(" a\\x13 calm\\n song ")
    'a calm song'
    """
    return " ".join("".join(c if c.isprintable() else " " for c in said).split()[:MOST_WORDS])


class MusicLanguageModel(HubGenerator):
    """Asks an audio-language model about a sound, in the chat format that its checkpoint brings; one sound a call."""

    source: ClassVar[type] = Audio
    artefact: ClassVar[type] = str
    libraries = ("transformers",)
    text_first: ClassVar[bool] = False
    """Whether the question stands before the sound."""

    question: str
    tokens: int

    def generate(self, sources: Sequence[Audio], seeds: Sequence[int]) -> list[Any]:
        """One caption per sound, greedy, so that seeds change nothing; an empty answer is the error that fails it alone.

        Raises:
            InvalidValue: a source that is no sound.
        """
        for sound in sources:
            if not isinstance(sound, Audio):
                raise InvalidValue(f"{self.name} describes Audio, got {type(sound).__name__}: load it with load_audio")
        return [self._asked(sound) for sound in sources]

    def _asked(self, sound: Audio) -> Any:
        import torch

        processor, model = self.model()
        rate = int(processor.feature_extractor.sampling_rate)
        wave = resample(sound.mono()[None], sound.rate, rate)[0]
        parts = [{"type": "audio", "audio": "sound.wav"}, {"type": "text", "text": self.question}]
        talk = [{"role": "user", "content": parts[::-1] if self.text_first else parts}]
        text = processor.apply_chat_template(talk, add_generation_prompt=True, tokenize=False)
        inputs = processor(text=[text], audio=[np.ascontiguousarray(wave)], sampling_rate=rate, return_tensors="pt")
        inputs = inputs.to(model.device)
        floats = {k: v.to(model.dtype) for k, v in inputs.items() if torch.is_tensor(v) and v.is_floating_point()}
        with torch.inference_mode(), devices.memory():
            out = model.generate(**{**inputs, **floats}, max_new_tokens=self.tokens, do_sample=False)
        said = processor.batch_decode(out[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)[0]
        return one_line(said) or CandidateError(
            f"{self.name} said nothing about the sound: ask it otherwise, or raise tokens"
        )

    def _classes(self) -> Sequence[str]:
        """Classes of transformers that the checkpoint may be of, the usual one first."""
        raise NotImplementedError

    def _load(self) -> Any:

        import transformers

        place, kind = self._where()
        folder = self._folder()
        said = parse_json((folder / "config.json").read_text("utf-8")).get("architectures") or [None]
        known = self._classes()
        if said[0] not in known:
            raise InvalidValue(
                f"{folder} is a {said[0]}, not one of {', '.join(known)}: spectrogrand fetch {self.name}"
            )
        model = checkpoints.model(getattr(transformers, said[0]), folder, kind, part=self.name).to(place)
        return transformers.AutoProcessor.from_pretrained(folder, local_files_only=True), model

    def _checked(self, question: str, tokens: int) -> None:
        if not isinstance(question, str) or not question.strip():
            raise InvalidValue(f"{type(self).__name__} wants a question, got {question!r}")
        numbers(type(self).__name__, tokens=(tokens, 1, 4096))
