"""Makes the faces in which covers set topics in scripts that DejaVu Sans lacks: spectrogrand/data/things/noto_sans_*.ttf.

Run:  pip install fonttools
      pip download --no-deps manimgx-fonts          (unpacked in one folder)
      python train/cover_faces.py FOLDER

Noto Sans at weight 700 (SIL Open Font License 1.1), cut to the letters of a script with the tables that shape them. Chinese,
Japanese and Korean are too large to ship, other scripts are rarer: `pip install 'spectrogrand[faces]'` brings them all.
"""

from __future__ import annotations

import argparse
from pathlib import Path

OUT = Path(__file__).parent.parent / "spectrogrand" / "data" / "things"
SCRIPTS = {
    "devanagari": "Devanagari", "bengali": "Bengali", "tamil": "Tamil", "thai": "Thai", "gurmukhi": "Gurmukhi",
}  # fmt: skip


def main() -> None:
    """Cut every face and print its size."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont
    from fontTools.varLib.instancer import instantiateVariableFont

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for name, script in SCRIPTS.items():
        font = TTFont(next(folder.glob(f"**/NotoSans{script}?wght?.ttf")))
        font = instantiateVariableFont(font, {"wght": 700})
        options = Options()
        options.layout_features, options.hinting, options.name_IDs = ["*"], False, [0, 1, 13, 14]
        options.drop_tables += ["STAT", "DSIG"]
        subset = Subsetter(options)
        subset.populate(
            unicodes=[c for c in font.getBestCmap() if c > 0x24F and not 0x1CD0 <= c <= 0x1CFF and c < 0xA800]
        )
        subset.subset(font)
        path = OUT / f"noto_sans_{name}.ttf"
        font.save(path)
        path.chmod(0o644)
        print(f"{path.name}: {path.stat().st_size:,} bytes")
    licence = next(folder.glob("**/manimgx_fonts*.dist-info/licenses/LICENSE"))
    (OUT / "LICENSE.noto_sans.txt").write_bytes(licence.read_bytes())


if __name__ == "__main__":
    main()
