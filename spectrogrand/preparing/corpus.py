"""`spectrogrand prepare corpus FOLDER OUT.yaml`: reviews of each genre to the words that say what its music does."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import media
from ..config import compose
from ..errors import ConfigError, InvalidValue, require
from ..types import GENRES
from .wordkinds import KINDS, describe

OPTIONS = {
    "method": "keywords", "kinds": "both", "weights": "", "device": "", "count": "2", "colours": "published", "ask": "",
}  # fmt: skip
USAGE = (
    "spectrogrand prepare corpus FOLDER OUT.yaml [method=keywords|model] [kinds=both|verbs|adjectives] [weights=MODEL_FOLDER] "
    "[device=cpu] [count=2] [colours=published] [ask='... {review} ...']"
)
ASK = (
    "Review of a song: {review}\n"
    "List five verbs, in the third person, that say what this music does, separated by commas. Verbs:"
)
"""What a model is asked about each review."""
REVIEW = 400
"""Words of a review that a model is shown: its beginning, which says most; small models read 512 tokens."""


def main(words: list[str]) -> int:
    """`prepare corpus FOLDER OUT.yaml [setting=value ...]`.

    FOLDER/GENRE/*.txt are reviews ("bass" or "bass_house"). The colours of each genre, and the words of a genre without
    reviews, are taken from `colours` (conf/words). A file written as conf/words/NAME.yaml is chosen with words=NAME.
    """
    if {"-h", "--help"} & set(words):
        sys.stdout.write(USAGE + "\n")
        return 0
    paths = [w for w in words if w.partition("=")[0] not in OPTIONS]
    options = OPTIONS | dict(w.split("=", 1) for w in words if w.partition("=")[0] in OPTIONS and "=" in w)
    if len(paths) != 2 or any(p.startswith("-") for p in paths):
        raise ConfigError(f"say which folder of reviews becomes which file: {USAGE}")
    folder, out = (Path(p).expanduser() for p in paths)
    if out.suffix != ".yaml":
        raise ConfigError(f"{out} should end in .yaml: that is what is written")
    if not options["count"].isdigit() or not 1 <= int(options["count"]) <= 20:
        raise ConfigError(f"count is how many words a genre gets, 1 to 20, got {options['count']!r}")
    corpus = read(folder)
    if options["method"] == "keywords":
        found = keywords(corpus, int(options["count"]), options["kinds"])
    elif options["method"] == "model":
        answer = instructed(options["weights"] or None, options["device"] or None)
        found = asked(corpus, int(options["count"]), answer, options["ask"] or ASK)
    else:
        raise ConfigError(f"method is keywords or model, got {options['method']!r}")
    known = compose([f"words={options['colours']}"])["words"]
    made = {g: {"colours": known[g]["colours"], "words": found.get(g) or known[g]["words"]} for g in GENRES}
    write(out, made, options["method"], {g: len(corpus.get(g, ())) for g in GENRES})
    for genre, values in made.items():
        says = ", ".join(values["words"]) if genre in found else f"{', '.join(values['words'])} (no reviews)"
        sys.stdout.write(f"{genre}: {says}\n")
    return 0


def read(folder: Path) -> dict[str, list[str]]:
    """Reviews by genre, in the order of their files' names; lines that are nothing but an address are left out.

    Raises:
        ConfigError: no such folder, no genre's folder in it, a genre's folder without reviews, a file that is no UTF-8 text.
    """
    if not folder.is_dir():
        raise ConfigError(f"no folder {str(folder)!r}: give a folder with a folder of .txt reviews for each genre")
    found = {}
    for genre in GENRES:
        homes = [folder / n for n in (genre, f"{genre}_house", f"{genre} house") if (folder / n).is_dir()]
        if not homes:
            continue
        texts = []
        for path in sorted(p for home in homes for p in home.glob("*.txt")):
            try:
                lines = path.read_text("utf-8").splitlines()
            except (OSError, UnicodeDecodeError) as error:
                raise ConfigError(
                    f"{path} is no text in UTF-8 ({type(error).__name__}): save it again or take it out"
                ) from error
            text = "\n".join(line for line in lines if not re.fullmatch(r"\s*https?://\S+\s*", line)).strip()
            if text:
                texts.append(text)
        if not texts:
            raise ConfigError(f"{homes[0]} holds no reviews: put .txt files into it")
        found[genre] = texts
    if not found:
        raise ConfigError(f"{str(folder)!r} has none of the folders {', '.join(GENRES)} (or bass_house and so on)")
    return found


def keywords(corpus: Mapping[str, Sequence[str]], count: int, kinds: str = "both") -> dict[str, list[str]]:
    """The verbs and adjectives that tell a genre's reviews from the others', best first: class-based tf-idf.

    W(word, genre) = tf * log(1 + A / f): tf how often the genre's reviews use the word in any of its forms, per word; f how often
    all do; A the mean number of words of a genre (Grootendorst 2022, arXiv:2203.05794, eq. 2). No word is given to two genres.

    Args:
        kinds: "verbs" ("explodes"), "adjectives" ("is hypnotic"), "both".

    Raises:
        ConfigError: another kind. InvalidValue: reviews in which fewer words can be told than are asked for.
    """
    require("sklearn", "train", "prepare corpus")
    if kinds not in KINDS:
        raise ConfigError(f"kinds is {', '.join(KINDS)}, got {kinds!r}")
    import numpy as np
    from sklearn.feature_extraction.text import CountVectorizer

    genres = list(corpus)
    known = describe("\n".join(text for texts in corpus.values() for text in texts), kinds)
    counter = CountVectorizer(lowercase=True, token_pattern=r"[a-z]+(?:'[a-z]+)?")
    table = counter.fit_transform(["\n".join(corpus[g]) for g in genres]).toarray().astype(float)
    said = sorted(set(known.values()))
    uses = np.zeros((len(genres), len(said)))
    for word, column in counter.vocabulary_.items():
        if word in known:
            uses[:, said.index(known[word])] += table[:, column]
    share = uses / table.sum(axis=1, keepdims=True)
    weight = share * np.log1p(table.sum(axis=1).mean() / np.maximum(uses.sum(axis=0), 1))
    return _shared_out(genres, said, weight, count)


def asked(
    corpus: Mapping[str, Sequence[str]], count: int, answer: Callable[[str, str], str], ask: str = ASK
) -> dict[str, list[str]]:
    """The words that a model finds in each review, as the published words were found; most often named for this genre first.

    Raises:
        InvalidValue: a question without {review}, or a model that answers with fewer words than are asked for.
    """
    import numpy as np

    if "{review}" not in ask:
        raise InvalidValue("the question has no {review} in it: say where the review stands")
    named = {}
    for genre, texts in corpus.items():
        answers = [said(answer(ask, cut(text))) for text in texts]
        named[genre] = Counter(word for words in answers for word in words)
    words = sorted(set().union(*named.values()))
    uses = np.array([[named[g][w] for w in words] for g in corpus], float).reshape(len(corpus), len(words))
    share = uses / np.maximum(uses.sum(axis=1, keepdims=True), 1)
    weight = share * np.log1p(uses.sum(axis=1).mean() / np.maximum(uses.sum(axis=0), 1)) if words else uses
    return _shared_out(list(corpus), words, weight, count)


def said(answer: str) -> list[str]:
    """The words in a model's answer: single words between commas, lines or numbers, each once.

    >>> said("1. Unveils, 2. Surprises\\n- lifts you up, unveils and explodes")
    ['unveils', 'surprises', 'explodes']
    """
    parts = re.split(r"[,;\n]|\band\b|(?:^|\s)\d+[.)]|(?:^|\s)[-*•]\s", answer)
    words = [p.strip(" .\"'*:").lower() for p in parts]
    return list(dict.fromkeys(w for w in words if re.fullmatch(r"[a-z]{3,20}", w)))


def cut(review: str) -> str:
    """The first words of a review, in one line."""
    return " ".join(review.split()[:REVIEW])


def instructed(weights: str | None, device: str | None = None) -> Callable[[str, str], str]:
    """What asks a local instruction model: an encoder-decoder (Flan-T5, as published) or a chat model in the hub's layout.

    Answers are greedy, so the same model gives the same words. Nothing is downloaded.

    Raises:
        MissingExtra: no transformers. ConfigError: no model folder was named, or it holds none.
    """
    require("transformers", "models", "prepare corpus method=model")
    folder = Path(weights or "").expanduser()
    if not weights or not (folder / "config.json").is_file():
        raise ConfigError(
            "method=model needs a model's folder in the hub's layout: weights=FOLDER (of google/flan-t5-xl, say)"
        )
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

    local: dict[str, Any] = {"local_files_only": True}
    tokenizer = AutoTokenizer.from_pretrained(folder, **local)
    pairs = AutoConfig.from_pretrained(folder, **local).is_encoder_decoder
    family = AutoModelForSeq2SeqLM if pairs else AutoModelForCausalLM
    model = family.from_pretrained(folder, use_safetensors=True, **local).eval().to(device or "cpu")

    most = min(int(getattr(tokenizer, "model_max_length", 512)), 2048)

    def answer(ask: str, review: str) -> str:
        words = review.split()
        while True:  # a long review is cut, never the question after it
            question = ask.replace("{review}", " ".join(words))
            if getattr(tokenizer, "chat_template", None):
                message = [{"role": "user", "content": question}]
                question = tokenizer.apply_chat_template(message, tokenize=False, add_generation_prompt=True)
            inputs = tokenizer(question, return_tensors="pt")
            length = inputs["input_ids"].shape[1]
            if length <= most or not words:
                break
            words = words[: len(words) * 4 // 5]
        given = {k: inputs[k].to(model.device) for k in ("input_ids", "attention_mask")}
        with torch.inference_mode():
            tokens = model.generate(**given, max_new_tokens=40, do_sample=False)[0]
        return str(tokenizer.decode(tokens if pairs else tokens[length:], skip_special_tokens=True))

    return answer


def _shared_out(genres: Sequence[str], words: Sequence[str], weight: Any, count: int) -> dict[str, list[str]]:
    """Each word goes to the genre in which it weighs most; each genre's best `count`."""
    found = {}
    for g, genre in enumerate(genres):
        own = [k for k in range(len(words)) if weight[g, k] > 0 and weight[:, k].argmax() == g]
        best = sorted(own, key=lambda k: (-weight[g, k], words[k]))[:count]
        if len(best) < count:
            raise InvalidValue(
                f"only {len(best)} of {count} words of {genre} can be told from its reviews: give more reviews"
            )
        found[genre] = [words[k] for k in best]
    return found


def write(out: Path, words: Mapping[str, Any], method: str, counts: Mapping[str, int]) -> None:
    """A words file in the layout of conf/words/published.yaml."""
    import yaml

    read_ = ", ".join(f"{n} of {g}" for g, n in counts.items())
    lines = [f"# Words of each genre by spectrogrand prepare corpus (method={method}) from reviews: {read_}."]
    for genre, values in words.items():
        row = yaml.safe_dump(
            {"colours": list(values["colours"]), "words": list(values["words"])}, default_flow_style=True, width=1000
        )
        lines.append(f"{genre}: {row.strip()}")
    out.parent.mkdir(parents=True, exist_ok=True)
    with media.replacing(out) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
