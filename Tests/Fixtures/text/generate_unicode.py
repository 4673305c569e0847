"""Writes the character tables of Sources/TextConditioning/CharacterData/, measured on the reference.

The reference tokenizer's parts follow different Unicode versions (regular expressions 16, lower-casing 17,
composition 12), so no single version of the standard, and no Swift toolchain's tables, give its ids. Every
scalar is put to the reference itself instead.

    pip install tokenizers==0.23.3
    python generate_unicode.py ../../../Sources/TextConditioning/CharacterData
"""

import pathlib
import sys

from tokenizers import Regex, normalizers

SCALARS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
HANGUL = range(0xAC00, 0xD7A4)
LIMIT = 96


def wrapped(words):
    """Words joined by blanks, in lines of a Swift literal."""
    lines, line = [], ""
    for word in words:
        if line and len(line) + 1 + len(word) > LIMIT:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\n".join("    " + text for text in lines + [line])


def swift(name, constants):
    body = []
    for constant, comment, words in constants:
        body.append(f'  /// {comment}\n  static let {constant} = """\n{wrapped(words)}\n    """\n')
    return (
        f"// Written by Tests/Fixtures/text/generate_unicode.py from tokenizers 0.23.3. Do not edit.\n\n"
        f"/// {name[1]}\nenum {name[0]} {{\n" + "\n".join(body) + "}\n"
    )


def class_words():
    """Runs of scalars of one class, as <hex length><class letter>."""
    mark = lambda pattern: normalizers.Replace(Regex(pattern), "\x01\x02")
    letter, number, space = mark(r"[\p{L}]"), mark(r"[\p{N}]"), mark(r"\s")
    runs = []
    for c in SCALARS:
        text = chr(c)
        kind = "O"
        for name, probe in (("L", letter), ("N", number), ("S", space)):
            if probe.normalize_str(text) == "\x01\x02":
                kind = name
        if c == 0xE000:  # the surrogates between belong to no string
            runs[-1][0] += 0x800 if runs[-1][1] == kind else 0
            assert runs[-1][1] == kind
        if runs and runs[-1][1] == kind:
            runs[-1][0] += 1
        else:
            runs.append([1, kind])
    return [f"{length:x}{kind}" for length, kind in runs]


def lower_words():
    """Runs first-last/stride=target for scalars mapped to one scalar at a fixed distance."""
    lower = normalizers.Lowercase()
    pairs = []
    for c in SCALARS:
        result = lower.normalize_str(chr(c))
        if result == chr(c):
            continue
        if len(result) != 1:
            assert (c, result) == (0x130, "i\u0307"), hex(c)
            continue
        pairs.append((c, ord(result)))
    runs = []
    for c, target in pairs:
        if runs:
            run = runs[-1]
            step = c - run["last"]
            if target - c == run["distance"] and step <= 2 and run["stride"] in (0, step):
                run["last"], run["stride"] = c, step
                continue
        runs.append({"first": c, "last": c, "stride": 0, "distance": target - c})
    return [
        f"{r['first']:x}-{r['last']:x}/{r['stride'] or 1}={r['first'] + r['distance']:x}"
        if r["first"] != r["last"]
        else f"{r['first']:x}={r['first'] + r['distance']:x}"
        for r in runs
    ]


def composition_words():
    """Full canonical decompositions, '=' where the pair composes again, '>' where it does not."""
    nfc, nfd = normalizers.NFC(), normalizers.NFD()
    words = []
    for c in SCALARS:
        if c in HANGUL:
            continue
        parts = nfd.normalize_str(chr(c))
        if parts == chr(c):
            continue
        composes = nfc.normalize_str(chr(c)) == chr(c)
        if composes:
            assert len(nfc.normalize_str(parts[:-1])) == 1, hex(c)
        words.append(f"{c:x}{'=' if composes else '>'}" + "+".join(f"{ord(p):x}" for p in parts))
    return words


def combining_words():
    """Combining classes, renumbered in order: runs first-last:class in hexadecimal."""
    nfd = normalizers.NFD()
    probe = lambda a, b: nfd.normalize_str(chr(a) + chr(b)) == chr(b) + chr(a)
    single = lambda c: nfd.normalize_str(chr(c)) == chr(c)
    iota = 0x345  # the highest class: whatever combines below it moves before it
    movable = [c for c in SCALARS if c != iota and single(c) and c not in HANGUL and probe(iota, c)]
    groups = []  # one member of each class, ascending
    for c in movable:
        low, high = 0, len(groups)
        while low < high:
            middle = (low + high) // 2
            g = groups[middle][0]
            if probe(g, c):
                high = middle
            elif probe(c, g):
                low = middle + 1
            else:
                low = high = middle
                groups[middle].append(c)
                break
        else:
            groups.insert(low, [c])
    classes = {c: i + 1 for i, group in enumerate(groups) for c in group}
    classes[iota] = len(groups) + 1
    # Nothing else may combine: a scalar of the highest class would not move before iota.
    highest = groups[-1][0]
    for c in SCALARS:
        if c not in classes and single(c) and c not in HANGUL and probe(c, highest):
            classes[c] = len(groups) + 1
    runs = []
    for c in sorted(classes):
        if runs and runs[-1][1] == c - 1 and runs[-1][2] == classes[c]:
            runs[-1][1] = c
        else:
            runs.append([c, c, classes[c]])
    return [f"{a:x}-{b:x}:{k:x}" if a != b else f"{a:x}:{k:x}" for a, b, k in runs]


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "CharacterClassData.swift").write_text(
        swift(
            ("CharacterClassData", "What each scalar is to the reference's regular expressions and lower-casing."),
            [
                ("classes", "Runs from U+0000 on: hexadecimal length, then L(etter), N(umber), S(pace) or O(ther).", class_words()),
                ("lower", "Scalars that change in lower case: `first-last/stride=target of first`; U+0130 is apart.", lower_words()),
            ],
        )
    )
    words = composition_words()
    half = len(words) * 3 // 5
    (folder / "CompositionData.swift").write_text(
        swift(
            ("CompositionData", "Canonical decompositions, compositions and combining classes of the reference."),
            [
                ("decompositions", "`scalar=parts` in full; `>` for `=` where the parts do not compose to it again.", words),
                ("combining", "`first-last:class`; the classes are numbered in order from 1.", combining_words()),
            ],
        )
    )
