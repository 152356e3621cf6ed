"""Classes from lyrics: the published choices, choices that always end, context, and files that are no lyrics."""

import numpy as np
import pytest

from spectrogrand import build
from spectrogrand.errors import InvalidValue, UnknownName
from spectrogrand.walks import classes as lc

MONEY = [
    [
        "I get that dough, stack that paper high",
        "count my money in the bank tonight",
        "every dollar that I ever missed",
    ],
    ["cheddar and bread, the bills all paid", "hustle every day till the fortune's made"],
]
KITCHEN = [
    ["Knead the dough and roll it thin", "butter in the oven, let the feast begin"],
    ["soup in a pot, steaming hot"],
]


@pytest.fixture(scope="module")
def lexicon():
    embedder = build("embedders", "lexicon")
    return embedder.embed, embedder.embed(list(lc.class_names()))


def toy(seed=0):
    """An embedder of 12 axes in which every text has its own random direction."""

    def embed(texts):
        return np.stack([np.random.default_rng([seed, *t.encode()]).normal(size=12) for t in texts]).astype(np.float32)

    return embed, embed(list(lc.class_names()))


def published(lines, embed, names, count):
    """Line by line and name by name: the nearest class of each line, lines in order of similarity, no class twice."""
    found = []
    for line in lines:
        a = embed([line])[0]
        best, most = 0, -1.0
        for k, b in enumerate(names):
            near = float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
            if near > most:
                best, most = k, near
        found.append((-most, best))
    keys = []
    for _, key in sorted(found):
        if key not in keys:
            keys.append(key)
    return keys[:count]


def test_best_is_the_published_choice():
    embed, names = toy()
    lines = [f"line {k} of a song" for k in range(20)]
    assert lc.choose([lines], embed, names, count=12, strategy="best") == published(lines, embed, names, 12)


def test_random_draws_from_the_nearest_classes_by_the_seed():
    embed, names = toy()
    lines = [f"line {k} of a song" for k in range(40)]
    pool = set(published(lines, embed, names, 40))
    draws = [lc.choose([lines], embed, names, count=12, strategy="random", seed=s) for s in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]
    assert set(draws[0]) <= pool


@pytest.mark.parametrize("strategy", lc.STRATEGIES)
def test_one_line_gives_as_many_classes_as_asked(strategy, lexicon):
    for verses in ([["la"]], [["la la la"] * 50], [["night"], ["night"]]):
        found = lc.choose(verses, *lexicon, count=12, strategy=strategy, words=1.0)
        assert len(set(found)) == len(found) == 12


def test_the_set_is_nearer_than_ten_thousand_random_ones():
    embed, names = toy(3)
    lines = embed([f"line {k}" for k in range(30)])
    target = lc.unit(lc.unit(lines).mean(axis=0)[None])
    found = names[lc.set_choice(lines, names, 12)]
    rng, rows = np.random.default_rng(0), lc.unit(names)
    drawn = max(
        float(lc.cosine(rows[rng.choice(1000, 12, replace=False)].mean(axis=0)[None], target)[0, 0])
        for _ in range(10000)
    )
    assert float(lc.cosine(lc.unit(found).mean(axis=0)[None], target)[0, 0]) > drawn


def test_dough_in_a_song_about_money_is_not_food(lexicon):
    names = lc.class_names()
    food, money = (set(lc.themes()[t][1]) for t in ("food", "money"))
    dough = names.index("dough")
    literal = lc.choose(MONEY, *lexicon, count=12, strategy="best", words=1.0)
    assert dough in literal, "word by word it is"
    sung = lc.choose(MONEY, *lexicon, count=12, strategy="contextual", words=1.0)
    assert dough not in sung
    assert len(money & set(sung)) >= 8
    assert not food & set(sung)
    baked = lc.choose(KITCHEN, *lexicon, count=12, strategy="contextual", words=1.0)
    assert dough in baked
    assert len(food & set(baked)) >= 8


def test_words_of_several_themes_count_less_for_each():
    themes = list(lc.themes())
    shares = lc.theme_shares(["my dough, my bread, my cheese, in the bank and on loan"])[0]
    assert themes[int(shares.argmax())] == "money"
    assert shares[themes.index("food")] < 0.1 * shares[themes.index("money")]
    assert lc.theme_shares(["qwerty"]).sum() == 0


def test_verses_take_turns(lexicon):
    verses = [["money in the bank, cash and gold"], ["waves of the ocean, sailing to the shore"]]
    found = lc.choose(verses, *lexicon, count=6, strategy="contextual", words=1.0)
    money, sea = (set(lc.themes()[t][1]) for t in ("money", "sea"))
    assert len(set(found[::2]) & money) == 3
    assert len(set(found[1::2]) & sea) == 3


def test_verses_that_feel_otherwise_get_other_classes(lexicon):
    """Neither names a theme: the mood decides."""
    calm, wild = (
        lc.choose([[text]], *lexicon, count=8, strategy="contextual", words=0.0)
        for text in ("quiet and gentle, soft and slow", "furious screaming, violent rage")
    )
    assert len(set(calm) & set(wild)) <= 2


def test_themes_name_known_classes_and_words():
    assert len(lc.themes()) >= 15
    for theme, (words, classes) in lc.themes().items():
        assert len(classes) >= 12, theme
        assert all(w == w.lower() and w.isalpha() for w in words), theme


def test_lyrics_are_read_by_verse(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("\ufeff[Verse 1]\r\nOne  line \r\ntwo\r\n\r\n[Chorus]\n...\nthree na\u00efve\n\n\n", "utf-8")
    assert lc.read_lyrics(file) == [["One line", "two"], ["three na\u00efve"]]
    file.write_bytes("caf\u00e9 au lait\n".encode("latin-1"))
    assert lc.read_lyrics(file) == [["caf\u00e9 au lait"]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no line of words"),
        (b"\n[Chorus]\n...\n", "holds no line of words"),
        (b"\x00\x01\x02abc", "is no text"),
        (bytes(range(256)) * 20, "is no text"),
        (b"la la la\n" * 1_200_000, "lyrics have at most 1,048,576"),
        (b"la\n" * 5000, "has over 4,000 lines"),
        (None, "no lyrics file"),
    ],
)
def test_files_that_are_no_lyrics(tmp_path, content, message):
    file = tmp_path / "x.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InvalidValue, match=message):
        lc.read_lyrics(file)


def test_an_unknown_choice_names_the_nearest(lexicon):
    with pytest.raises(UnknownName, match="did you mean 'best'"):
        lc.choose([["la"]], *lexicon, strategy="bst")
