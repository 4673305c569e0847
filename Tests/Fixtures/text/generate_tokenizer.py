"""Writes what the tokenizer tests compare with: CLIP's merges, awkward strings with ids, digests of many more.

    pip install -r requirements.txt
    python generate_tokenizer.py

`small/` (a tokenizer folder of 799 pieces) and `strings.json` are inputs. The merges are those of CLIP's
bpe_simple_vocab_16e6.txt.gz, which the package open_clip_torch carries; the vocabulary follows from them.
"""

import gzip
import json
import os
import pathlib
import shutil
import tempfile

import open_clip
from transformers import CLIPTokenizerFast

HERE = pathlib.Path(__file__).parent
MASK = (1 << 64) - 1
BLOCKS, BLOCK = 210, 500


def byte_spellings():
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [b for b in range(256) if b not in printable]
    return [chr(b) for b in printable] + [chr(256 + i) for i in range(len(rest))]


def clip_vocabulary():
    packed = pathlib.Path(open_clip.__file__).parent / "bpe_simple_vocab_16e6.txt.gz"
    merges = gzip.decompress(packed.read_bytes()).decode("utf-8").split("\n")[1 : 49152 - 256 - 2 + 1]
    bytes_ = byte_spellings()
    pieces = bytes_ + [b + "</w>" for b in bytes_] + [m.replace(" ", "") for m in merges]
    pieces += ["<|startoftext|>", "<|endoftext|>"]
    assert len(pieces) == len(set(pieces)) == 49408
    return {piece: i for i, piece in enumerate(pieces)}, merges


def token(content, **more):
    return {"content": content, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False, **more}


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n")


def write_configurations():
    """Configurations as the published Stable Diffusion 1 and 2 folders have them, and with added tokens."""
    begin, end = "<|startoftext|>", "<|endoftext|>"
    typed = lambda content: token(content, __type="AddedToken")
    for name, pad in (("sd1", end), ("sd2", "!")):
        write(HERE / name / "tokenizer_config.json", {
            "add_prefix_space": False, "bos_token": typed(begin), "do_lower_case": True, "eos_token": typed(end),
            "errors": "replace", "model_max_length": 77, "pad_token": end, "tokenizer_class": "CLIPTokenizer",
            "unk_token": typed(end)})
        write(HERE / name / "special_tokens_map.json", {
            "bos_token": token(begin), "eos_token": token(end), "pad_token": pad, "unk_token": token(end)})
    # As transformers 4.34 to 4.57 write a vocabulary with learned tokens; the map beside it is not read.
    write(HERE / "declared" / "tokenizer_config.json", {
        "added_tokens_decoder": {
            "0": token("!", normalized=False, special=True),
            "797": token(begin, special=True), "798": token(end, normalized=False, special=True),
            "799": token("<cat-toy>", special=False), "800": token("Ünder Toy", special=False),
            "801": token("<Cat", special=False, normalized=False)},
        "additional_special_tokens": ["<|extra|>"], "bos_token": begin, "eos_token": end, "model_max_length": 20,
        "pad_token": "!", "tokenizer_class": "CLIPTokenizer", "unk_token": end})
    write(HERE / "declared" / "special_tokens_map.json", {"pad_token": "a", "bos_token": "b", "eos_token": "c"})
    # As older versions wrote it.
    write(HERE / "legacy" / "tokenizer_config.json", {
        "bos_token": typed(begin), "eos_token": typed(end), "model_max_length": 20,
        "tokenizer_class": "CLIPTokenizer", "unk_token": typed(end)})
    write(HERE / "legacy" / "special_tokens_map.json", {"eos_token": end, "pad_token": "<pad>"})
    write(HERE / "legacy" / "added_tokens.json", {"<pad>": 799, "<Cat-Toy>": 800})


def tokenizers(vocabulary, merges):
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for name in ("sd1", "sd2", "small", "declared", "legacy"):
            shutil.copytree(HERE / name, folder / name)
            if name.startswith("sd"):
                (folder / name / "vocab.json").write_text(json.dumps(vocabulary))
                (folder / name / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
            elif name != "small":
                for file in ("vocab.json", "merges.txt"):
                    shutil.copy(HERE / "small" / file, folder / name)
            result[name] = CLIPTokenizerFast.from_pretrained(folder / name)
    return result


class Draw:
    """A linear congruential generator, the same in TextStrings.swift."""

    def __init__(self, seed):
        self.state = (seed * 0x9E3779B97F4A7C15 + 1) & MASK

    def __call__(self, count):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) & MASK
        return (self.state >> 33) % count


def drawn_string(draw, tables):
    parts = []
    for _ in range(1 + draw(10)):
        if draw(8) < 5:
            parts.append(tables["snippets"][draw(len(tables["snippets"]))])
        else:
            low, high = tables["ranges"][draw(len(tables["ranges"]))]
            for _ in range(1 + draw(6)):
                scalar = low + draw(high - low + 1)
                parts.append(chr(scalar - 0xA000 if 0xD800 <= scalar < 0xE000 else scalar))
        parts.append(tables["separators"][draw(len(tables["separators"]))])
    return "".join(parts)


def digest(sequences):
    """FNV-1a over the ids, four bytes each, least significant first, with 0xffffffff behind every sequence."""
    value = 0xCBF29CE484222325
    for ids in sequences:
        for number in [*ids, 0xFFFFFFFF]:
            for byte in number.to_bytes(4, "little"):
                value = ((value ^ byte) * 0x100000001B3) & MASK
    return f"{value:016x}"


def padded(tokenizer, texts):
    length = tokenizer.model_max_length
    return tokenizer(texts, padding="max_length", truncation=True, max_length=length).input_ids


def plain(tokenizer, texts):
    return tokenizer(texts, add_special_tokens=False).input_ids


def awkward_strings(tables):
    texts = ["", " ", "\n\t ", "\x00", "\x00\x00a", *tables["snippets"]]
    texts += [f"x{s}y" for s in tables["snippets"]] + [f"{s} {s}" for s in tables["snippets"][:60]]
    texts += [
        "a photo of a cat", "A  photo\tof a CAT.", "the cat's dogs'", "''s 's' 'S'T'RE'VE'M'LL'D", "'sun'set", "?'s!'t",
        "<|startoftext|>a<|endoftext|>", "<|startoftext|><|endoftext|>\u0301", "a\u0301<|endoftext|>", "<|ENDOFTEXT|>'s",
        "<| endoftext |>", "hi!!! hello !world!", "<cat-toy>", "a <CAT-TOY> on", "ünder toy", "U\u0308NDER  TOY",
        "<Cat", "<Cat-toy>", "<|extra|>", "<|EXTRA|>", "<pad>", "<PAD>", "a<pad>b", "e" + "\u0301" * 30,
        "\u0301\u0323 leading marks", "a\u0345\u0301\u0334\u0323", "\u1100\u1161\u11a7\u11a8", "\uac00\u11a8\u11a8",
        "\u0915\u093c \u0958", "\u2adc \u2adc\u0338", "\u0b92\u0bd7", "\u1112\u1175\u11c2\u0301", "ΑΣ ΑΣ. Σ", "İİ I\u0307",
        "\u1e9e \u01c5 \u1f88 \u2160 \u24b6", "x\u200dy\u200cz", "a\u00a0b\u2003c\u3000d\u180ee", "1\u00b2\u00bd\u2167\u4e00", "٣٤٥",
        "\U0001f1eb\U0001f1f7\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\u0378\U000e0fff\U0010ffff\ufdd0",
        "http://example.org/a?b=c&d=%20", "e-mail@example.com", "C++ & C#", "snake_case camelCase", "antidisestablishmentarianism" * 5,
    ]
    return list(dict.fromkeys(texts))


def scalar_strings(first):
    """Every scalar of 4096 beside letters, numbers and combining marks, 16 scalars a string."""
    texts = []
    for start in range(first, first + 4096, 16):
        scalars = [chr(c) for c in range(start, start + 16) if not 0xD800 <= c < 0xE000]
        texts.append("".join(f"X{c}1{c}\u0323\u0301 \u0345{c} " for c in scalars))
    return texts


if __name__ == "__main__":
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    vocabulary, merges = clip_vocabulary()
    (HERE / "clip").mkdir(exist_ok=True)
    (HERE / "clip" / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    write_configurations()
    known = tokenizers(vocabulary, merges)
    tables = json.loads((HERE / "strings.json").read_text())

    awkward = awkward_strings(tables)
    lines = []
    ids = {name: plain(t, awkward) for name, t in known.items()}
    for i, text in enumerate(awkward):
        lines.append(json.dumps({"text": text, "ids": {name: ids[name][i] for name in known}}, separators=(",", ":")))
    (HERE / "awkward.jsonl").write_text("\n".join(lines) + "\n")

    cut = ["", "cat", *(" ".join(["cat"] * n) for n in (74, 75, 76, 77, 200)), "!", "<|endoftext|>" * 80]
    write(HERE / "padded.json", [
        {"text": text, "ids": {name: padded(known[name], [text])[0] for name in ("sd1", "sd2", "declared", "legacy")}}
        for text in cut])

    long = []
    for unit, count in [("a", 100000), ("ab", 50000), ("é", 100000), (" ", 100000), ("\u0323\u0301", 50000), ("'s", 50000),
                        ("!", 100000), ("the ", 25000), ("cat", 33333), ("\u00e9\u0301\u0323", 30000), ("0", 100000), ("日本語", 30000),
                        ("haha", 25000), ("<|endoftext|>", 8000), ("<|", 50000), ("\x00", 100000)]:
        long.append({"unit": unit, "count": count, "digests": {
            name: digest(plain(known[name], [unit * count])) for name in known}})
    write(HERE / "long.json", long)

    digests = {name: [] for name in known}
    for block in range(BLOCKS):
        draw = Draw(block)
        texts = [drawn_string(draw, tables) for _ in range(BLOCK)]
        for name, tokenizer in known.items():
            if name in ("declared", "legacy") and block >= 20:
                continue
            digests[name].append(digest(plain(tokenizer, texts) + padded(tokenizer, texts)))
    write(HERE / "digests.json", digests)
    write(HERE / "scalars.json", [digest(plain(known["small"], scalar_strings(f))) for f in range(0, 0x110000, 4096)])
    print("first string of block 0:", ascii(drawn_string(Draw(0), tables)))
