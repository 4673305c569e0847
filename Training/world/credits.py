"""Writes who made what the object world is built of, and under which licence.

    python3 credits.py --out CREDITS.tsv [--unpacked DIR] [--only "dog,cat,..."]

Reads the catalogues, metadata and copyright files of the Debian packages that build.py takes its pictures from.
"""

import argparse
import json
import pathlib
import tempfile
import zipfile

import build
import things

MATE = "mate-backgrounds"
SHARED = {
    "tuxpaint-stamps-default": ("Bill Kendrick and contributors", "GPL-2"),
    "sweethome3d": ("Emmanuel Puybaret / eTeks", "GPL-2+"),
}
LICENCES = {
    "BlendSwap-CC-0": "CC0", "BlendSwap-CC-BY": "CC BY 3.0", "Scopia": "CC BY 3.0", "KatorLegaz": "CC BY 3.0 US",
    "Reallusion": "CC BY 3.0 US",
}


def models(root, only):
    """A row for each 3-D model that build.py renders."""
    categories = {}
    for name, titles in build.rows("models.tsv"):
        for title in titles.split(";"):
            categories.setdefault(title, []).append(name)
    for archive in sorted((root / things.FURNITURE).glob("*.sh3f")):
        with zipfile.ZipFile(archive) as packed:
            entries = things.described(packed.read(things.PROPERTIES).decode("latin1"))
        for entry in entries.values():
            names = [name for name in categories.get(entry["name"], []) if not only or name in only]
            if names:
                creator = entry.get("creator", archive.stem)
                yield "3-D model", f"{entry['name']} ({', '.join(names)})", creator, LICENCES[archive.stem], archive.stem


def backgrounds(root):
    """A row for each photographed place."""
    mate = _copyrights((root / f"{MATE}/usr/share/doc/{MATE}/copyright").read_text())
    for words, package, file, _ in build.rows("backgrounds.tsv"):
        if package == MATE:
            title = pathlib.Path(file).name
            creator, licence = mate["/".join(file.split("/")[-2:])]
        else:
            folder = (root / package / file).parents[2]
            title = folder.name
            plugin = json.loads((folder / "metadata.json").read_text())["KPlugin"]
            creator, licence = ", ".join(author["Name"] for author in plugin["Authors"]), plugin["License"]
        yield "place", f"{words}: {title}", creator, licence, package


def _copyrights(text):
    """File to creators and licence, from a copyright file in Debian's format."""
    found = {}
    for paragraph in text.split("\n\n"):
        fields, key = {}, None
        for line in paragraph.splitlines():
            if not line.startswith(" ") and ":" in line:
                key, line = line.split(":", 1)
            if key:
                fields.setdefault(key, []).append(line.strip())
        for file in fields.get("Files", []):
            names = [line.split(",", 1)[-1].split("<")[0].strip() for line in fields["Copyright"]]
            found[file] = (", ".join(names), fields["License"][0])
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True)
    parser.add_argument("--unpacked", help="folder of the unpacked packages, instead of fetching them")
    parser.add_argument("--only", help="categories, with commas")
    options = parser.parse_args()
    root = pathlib.Path(options.unpacked or build.unpack(tempfile.mkdtemp()))
    only = build.listed(options.only)
    shared = [
        ("photographs of things", "all stamps", *SHARED["tuxpaint-stamps-default"], "tuxpaint-stamps-default"),
        ("textures of rooms", "walls, floors, skies", *SHARED["sweethome3d"], "sweethome3d"),
    ]
    rows = shared + list(backgrounds(root)) + list(models(root, only))
    # Variants of a model share a row.
    rows = dict.fromkeys(rows)
    lines = ["# what\tname (and category)\tcreator\tlicence\tpackage or catalogue", *("\t".join(row) for row in rows)]
    pathlib.Path(options.out).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
