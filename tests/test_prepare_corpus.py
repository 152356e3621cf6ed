"""prepare corpus: reviews to the words of each genre, by keywords and by a local model; what is written feeds the pipeline."""

from pathlib import Path

import pytest
import yaml

from spectrogrand.__main__ import main
from spectrogrand.errors import ConfigError, InvalidValue
from spectrogrand.preparing import corpus
from spectrogrand.preparing.wordkinds import describe, third_person
from spectrogrand.types import GENRES

REVIEWS = {
    "bass_house": [
        "https://reviews.example/1\nThe growling lead explodes into the drop, and it will explode again. The bassline stomps.",
        "A drop that stomps and punches. It punches hard, and the synths explode. Play it loud to stomp along.",
    ],
    "melodic_house": [
        "The melody soars above warm chords. It slowly soars, and the piano will shimmer until it shimmers alone.",
        "Vocals that shimmer. The lead can soar, and it soothes. A melody to soothe tired ears.",
    ],
    "future": [
        "The vocal bounces over metallic chords and it bounces well. It unveils a new sound, to unveil the year."
    ],
    "progressive": [
        "The arrangement evolves for minutes and will evolve further. It hypnotizes, made to hypnotize a crowd."
    ],
}


@pytest.fixture
def folder(tmp_path):
    for genre, texts in REVIEWS.items():
        (tmp_path / "reviews" / genre).mkdir(parents=True)
        for k, text in enumerate(texts):
            (tmp_path / "reviews" / genre / f"{k}.txt").write_text(text, encoding="utf-8")
    return tmp_path / "reviews"


def test_keywords_are_the_verbs_that_tell_a_genre_from_the_others(folder):
    found = corpus.keywords(corpus.read(folder), 2)
    assert set(found["bass"]) <= {"explodes", "stomps", "punches"}
    assert set(found["melodic"]) <= {"soars", "shimmers", "soothes"}
    assert set(found["future"]) == {"bounces", "unveils"}
    assert set(found["progressive"]) == {"evolves", "hypnotizes"}


def test_a_verb_of_all_genres_weighs_less_than_one_of_its_own():
    common = "It sparkles, made to sparkle. It sparkles on. "
    texts = {
        g: [common + f"It {own}s, made to {own}. It {own}s."]
        for g, own in zip(GENRES, ("glint", "thump", "spiral", "drift"), strict=True)
    }
    found = corpus.keywords(texts, 1)
    assert found == {"future": ["glints"], "bass": ["thumps"], "progressive": ["spirals"], "melodic": ["drifts"]}


def test_c_tf_idf_is_the_published_formula():
    import numpy as np

    texts = {"future": ["it soars to soar it soars " + "x " * 4], "bass": ["it thumps to thump " + "x " * 6]}
    weights = {}
    shared = corpus._shared_out
    corpus._shared_out = lambda genres, words, weight, count, **_: (
        weights.update(zip(words, weight.T.tolist(), strict=True)) or {}
    )
    try:
        corpus.keywords(texts, 1)
    finally:
        corpus._shared_out = shared
    assert weights["soars"] == pytest.approx([3 / 10 * np.log(1 + 10 / 3), 0])  # 10 words a genre; soar thrice, in one
    assert weights["thumps"] == pytest.approx([0, 2 / 10 * np.log(1 + 10 / 2)])


@pytest.mark.parametrize("text, told", [
    ("The building is tall. A building. The tall building.", set()),  # a noun with a verb's ending
    ("It builds slowly, building up; the build is long. They will build.", {"builds"}),
    ("This track has been released and it makes you feel.", set()),  # verbs of any review
    ("It rises, and rose before; to rise", {"rises"}),
    ("", set()),
])  # fmt: skip
def test_what_counts_as_a_verb(text, told):
    assert set(describe(text, "verbs").values()) == told


def test_third_person_is_the_inverse_of_the_lemma():
    from spectrogrand.preparing.wordkinds import lemma

    for base in ("unveil", "balance", "carry", "crush", "echo", "mix", "buzz", "stun", "play"):
        assert lemma(third_person(base)) == base


REAL = """
• Surreal experience in the drop
• Playful but catchy breakdown
What do we expect from any collaboration? “Warp Speed” is a perfect combination between Dyro and Julian Calor. The relentless
lead growls, and it will growl again when Dyro's influence shows. Loopers has endeared himself to them: something, some of
thems, somethings that endear. The so hypnotic groove of STMPD hypnotizes, made to hypnotize Ushuaia. It unravels slowly.
Wildvibes remixed it in 2017.
"""


def test_text_as_reviewers_write_it_gives_words_and_no_names():
    """Of the kind of the real corpus: bullets, curly quotes, artists' names, titles; once it gave "thems, somethes, endeares"."""
    found = set(describe(REAL).values())
    assert {"growls", "hypnotizes", "unravels", "is hypnotic", "is catchy"} <= found
    assert not found & {
        "thems",
        "somethings",
        "endeares",
        "somethes",
        "loopers",
        "dyros",
        "warps",
        "wildvibes",
        "is surreal",
    }
    assert set(describe(REAL, "verbs").values()) == {w for w in found if not w.startswith("is ")}
    assert set(describe(REAL, "adjectives").values()) == {w for w in found if w.startswith("is ")}
    with pytest.raises(ConfigError, match="kinds is both, verbs, adjectives, got 'nouns'"):
        corpus.keywords({"bass": [REAL]}, 1, "nouns")


def test_the_command_writes_what_the_pipeline_reads(folder, tmp_path, capsys):
    out = tmp_path / "mine.yaml"
    assert main(["prepare", "corpus", str(folder), str(out)]) == 0
    made = yaml.safe_load(out.read_text())
    published = yaml.safe_load((Path(__file__).parents[1] / "conf/words/published.yaml").read_text())
    assert list(made) == list(published) == list(GENRES)
    for genre in GENRES:
        assert made[genre]["colours"] == published[genre]["colours"]
        assert len(made[genre]["words"]) == 2 and made[genre]["words"] != published[genre]["words"]
    assert "bass:" in capsys.readouterr().out
    from spectrogrand.pipelines._briefs import write_briefs
    from spectrogrand.types import Topic

    assert write_briefs(Topic("the sea"), "future", made, 2)[0].prompt.split(" that ")[1] in made["future"]["words"]
    before = out.read_bytes()
    assert main(["prepare", "corpus", str(folder), str(out)]) == 0 and out.read_bytes() == before


def test_a_genre_without_reviews_keeps_the_published_words(folder, tmp_path):
    import shutil

    shutil.rmtree(folder / "future")
    out = tmp_path / "mine.yaml"
    assert main(["prepare", "corpus", str(folder), str(out), "count=1"]) == 0
    made = yaml.safe_load(out.read_text())
    assert made["future"]["words"] == ["unveils", "surprises"] and len(made["bass"]["words"]) == 1


def test_a_models_answers_are_counted_and_shared_out():
    answers = {
        "loud": "1. Explodes, 2. stomps\n3. makes you jump",
        "soft": "soars, explodes, soars",
        "softer": "soars and glides",
    }
    asked = []

    def answer(ask, review):
        asked.append((ask, review))
        return answers[review]

    found = corpus.asked({"bass": ["loud"], "melodic": ["soft", "softer"]}, 2, answer)
    assert found == {"bass": ["stomps", "explodes"], "melodic": ["soars", "glides"]}
    assert asked == [(corpus.ASK, r) for r in ("loud", "soft", "softer")]
    with pytest.raises(InvalidValue, match=r"only 1 of 2 words of bass"):
        corpus.asked({"bass": ["loud"]}, 2, lambda a, r: "explodes")
    with pytest.raises(InvalidValue, match=r"no \{review\}"):
        corpus.asked({"bass": ["loud"]}, 1, answer, "words?")


@pytest.fixture(scope="module")
def flan(tmp_path_factory):
    """A random T5 of two layers, as Flan-T5 lies on the hub."""
    torch = pytest.importorskip("torch")
    from tiny_hub import t5_tokenizer
    from transformers import T5Config, T5ForConditionalGeneration

    place = tmp_path_factory.mktemp("flan")
    tokenizer = t5_tokenizer(256)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = T5Config(
            vocab_size=len(tokenizer), d_model=16, d_kv=8, d_ff=16, num_layers=2, num_heads=2, decoder_start_token_id=0
        )
        T5ForConditionalGeneration(config).save_pretrained(place)
    tokenizer.save_pretrained(place)
    return place


def test_a_model_is_shown_the_review_and_the_whole_question(flan, monkeypatch):
    from transformers import AutoTokenizer, T5ForConditionalGeneration

    seen = []
    real = T5ForConditionalGeneration.generate
    monkeypatch.setattr(T5ForConditionalGeneration, "generate", lambda self, **k: seen.append(k) or real(self, **k))
    answer = corpus.instructed(str(flan))
    once = answer(corpus.ASK, "it stomps")
    assert answer(corpus.ASK, "it stomps") == once
    answer(corpus.ASK, "it stomps and " * 200)
    tokenizer = AutoTokenizer.from_pretrained(flan, local_files_only=True)
    short, _, long = (tokenizer.decode(k["input_ids"][0], skip_special_tokens=True).replace(" ", "") for k in seen)
    ask = "".join(corpus.ASK.split())
    tail = ask.split("{review}")[1]
    assert "itstomps" in short and short.endswith(tail[-40:])
    assert seen[2]["input_ids"].shape[1] <= 256 and long.endswith(tail[-40:]) and long.count("stomps") >= 2
    assert not seen[0]["do_sample"] and seen[0]["max_new_tokens"] == 40


def test_a_chat_model_is_asked_in_its_template(tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    from tiny_hub import clip_tokenizer
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=clip_tokenizer()._tokenizer, eos_token="<|endoftext|>", model_max_length=700
    )
    tokenizer.chat_template = "{% for m in messages %}user {{ m['content'] }} now reply {% endfor %}"
    tokenizer.save_pretrained(tmp_path)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = GPT2Config(vocab_size=len(tokenizer), n_embd=16, n_layer=1, n_head=2, n_positions=1024, eos_token_id=1)
        GPT2LMHeadModel(config).save_pretrained(tmp_path)
    seen = []
    real = GPT2LMHeadModel.generate
    monkeypatch.setattr(GPT2LMHeadModel, "generate", lambda self, **k: seen.append(k) or real(self, **k))
    answer = corpus.instructed(str(tmp_path))("Review: {review} Verbs:", "it stomps")
    text = tokenizer.decode(seen[0]["input_ids"][0]).replace(" ", "").lower()
    assert "userreview:itstompsverbs:nowreply" in text.replace("</w>", "")
    assert "stomps" not in answer  # the question is no part of the answer


@pytest.mark.parametrize("words, said", [
    ([], "which folder of reviews"),
    (["nowhere", "a.yaml"], "no folder 'nowhere'"),
    (["{empty}", "a.yaml"], "none of the folders future"),
    (["{folder}", "a.json"], "should end in .yaml"),
    (["{folder}", "a.yaml", "method=magic"], "keywords or model"),
    (["{folder}", "a.yaml", "count=0"], "1 to 20"),
    (["{folder}", "a.yaml", "count=9"], "only . of 9 words"),
    (["{folder}", "a.yaml", "method=model"], "weights=FOLDER"),
    (["{folder}", "a.yaml", "colours=nothing"], "nothing"),
])  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(folder, tmp_path, monkeypatch, capsys, words, said):
    import re

    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    places = {"{folder}": str(folder), "{empty}": str(tmp_path / "empty")}
    assert main(["prepare", "corpus", *(places.get(w, w) for w in words)]) in (1, 2)
    error = capsys.readouterr().err
    assert re.search(said, error) and error.count("\n") == 1
    assert not list(tmp_path.glob("*.yaml"))


def test_a_file_that_is_no_text_is_named(folder):
    (folder / "bass_house/9.txt").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ConfigError, match="9.txt is no text"):
        corpus.read(folder)
    (folder / "bass_house/9.txt").unlink()
    for path in (folder / "future").glob("*.txt"):
        path.write_text("https://only.example/address\n")
    with pytest.raises(ConfigError, match="future holds no reviews"):
        corpus.read(folder)
