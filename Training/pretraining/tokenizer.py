"""A tokenizer in CLIP's format (vocab.json, merges.txt) whose small vocabulary is learnt from the world's own prompts."""

import json
import pathlib
import re
from collections import Counter

import torch

import scenes

TOKENS = 77
BEGIN, END = "<|startoftext|>", "<|endoftext|>"


def byte_alphabet():
    """CLIP's 256 characters, one for each byte."""
    printable = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    characters, extra = {byte: chr(byte) for byte in printable}, 0
    for byte in range(256):
        if byte not in characters:
            characters[byte] = chr(256 + extra)
            extra += 1
    return [characters[byte] for byte in sorted(range(256), key=lambda byte: (byte not in printable, byte))]


def word_counts(world):
    """How much each word of the world's prompts weighs when merges are learnt."""
    counts = Counter()
    for name in world.names:
        counts.update({word: 40 for word in name.split()})
    for template in scenes.TEMPLATES:
        counts.update({word: 60 for word in re.findall(r"[a-z]+", template)})
    for scene in world.scenes:
        counts.update({word: 20 for word in scene.split()})
    return counts


def merged(piece, pair):
    """A word's pieces with every occurrence of a pair joined."""
    out, i = [], 0
    while i < len(piece):
        if i + 1 < len(piece) and (piece[i], piece[i + 1]) == pair:
            out.append(piece[i] + piece[i + 1])
            i += 2
        else:
            out.append(piece[i])
            i += 1
    return tuple(out)


def learn_merges(counts, most):
    pieces = {word: tuple(word[:-1]) + (word[-1] + "</w>",) for word in counts}
    merges = []
    while len(merges) < most:
        pairs = Counter()
        for word, count in counts.items():
            for pair in zip(pieces[word], pieces[word][1:]):
                pairs[pair] += count
        if not pairs:
            break
        best = max(pairs.items(), key=lambda item: (item[1], item[0]))[0]
        merges.append(best)
        pieces = {word: merged(piece, best) for word, piece in pieces.items()}
    return merges


def make(folder, world, merges=1500):
    """Learns a vocabulary and writes it as transformers' CLIPTokenizer reads it."""
    rules = learn_merges(word_counts(world), merges)
    alphabet = byte_alphabet()
    tokens = alphabet + [c + "</w>" for c in alphabet] + [a + b for a, b in rules] + [BEGIN, END]
    special = dict(bos_token=BEGIN, eos_token=END, pad_token=END, unk_token=END)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)

    def write(name, value, **options):
        (folder / name).write_text(json.dumps(value, **options))

    write("vocab.json", {token: number for number, token in enumerate(tokens)}, ensure_ascii=False)
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in rules))
    write("tokenizer_config.json", dict(
        tokenizer_class="CLIPTokenizer", model_max_length=TOKENS, do_lower_case=True, add_prefix_space=False, **special))
    write("special_tokens_map.json", special)


class Tokenizer:
    """CLIP byte-pair encoding of lower-case ASCII prompts, which is all that training needs."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.ids = json.loads((folder / "vocab.json").read_text())
        lines = (folder / "merges.txt").read_text().splitlines()[1:]
        self.rank = {tuple(line.split(" ")): rank for rank, line in enumerate(lines)}
        self.cache = {}

    def word(self, word):
        if word not in self.cache:
            piece = tuple(word[:-1]) + (word[-1] + "</w>",)
            while len(piece) > 1:
                best = min(zip(piece, piece[1:]), key=lambda pair: self.rank.get(pair, 1 << 30))
                if best not in self.rank:
                    break
                at = list(zip(piece, piece[1:])).index(best)
                piece = piece[:at] + (best[0] + best[1],) + piece[at + 2:]
            self.cache[word] = [self.ids[token] for token in piece]
        return self.cache[word]

    def __call__(self, prompts):
        """[prompts, 77] token numbers."""
        begin, end = self.ids[BEGIN], self.ids[END]
        rows = []
        for prompt in prompts:
            words = re.findall(r"[a-z]+|[0-9]|[^\sa-z0-9]+", prompt.lower())
            tokens = [token for word in words for token in self.word(word)]
            rows.append(([begin] + tokens[:TOKENS - 2] + [end] * TOKENS)[:TOKENS])
        return torch.tensor(rows)
