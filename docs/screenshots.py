"""The README's pictures of the gallery: the web page in Chromium, and two pages of a PDF.

python docs/screenshots.py        # needs chromium, pdftoppm and Pillow; writes docs/page.png and docs/pages.png
"""

import subprocess
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
GALLERY = HERE.parent / "generated" / "gallery"
PAGE = (1180, 900)  # CSS pixels


def page() -> Image.Image:
    """The top of the seed's web page."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "page.png"
        size = f"--window-size={PAGE[0]},{PAGE[1]}"
        command = ["chromium", "--headless", "--no-sandbox", "--hide-scrollbars", size, f"--screenshot={place}"]
        subprocess.run([*command, (GALLERY / "seed.html").as_uri()], check=True, capture_output=True)
        return Image.open(place).convert("RGB")


def pages(*numbers: int) -> Image.Image:
    """Pages of the two-unit example's PDF, side by side."""
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for n in numbers:
            stem = Path(folder) / f"page{n}"
            command = ["pdftoppm", "-r", "72", "-png", "-singlefile", "-f", str(n), "-l", str(n)]
            subprocess.run([*command, GALLERY / "two_units.pdf", stem], check=True)
            found.append(Image.open(stem.with_suffix(".png")).convert("RGB"))
    wide = Image.new("RGB", (sum(p.width for p in found), max(p.height for p in found)), "white")
    for k, one in enumerate(found):
        wide.paste(one, (sum(p.width for p in found[:k]), 0))
    return wide


def main() -> None:
    for name, picture in {"page": page(), "pages": pages(2, 3)}.items():
        picture.save(HERE / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
