"""Writes small tokenizers of every kind that the folders of posenc's families have, and what they make
of a text: test-data/tokenizers/NAME.json and expected.json.

    python test-data/scripts/token_texts.py

Trained on this file and on LICENSE with Hugging Face's tokenizers 0.23; llama2 is made as the
converter from SentencePiece makes it (byte fallback, ▁ for a space), llama3 as Llama 3 and Qwen are.
"""

import json
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers import processors, trainers

HERE = Path(__file__).resolve().parent.parent
TEXTS = [
    "Call me Ishmael. Some years ago – never mind how long precisely – I had 3 ships.",
    " leading and trailing \n\n lines\twith tabs  ",
    "naïve café, 東京 is 東京, 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 🚢🚢 and \u0007",
    "<s>special</s> tokens <|end|> inside",
    "",
]
TRAINING = [line for file in (HERE / "../LICENSE", Path(__file__)) for line in file.read_text().splitlines()]


def template(bos, token):
    return processors.TemplateProcessing(single=f"{bos} $A", pair=f"{bos} $A {bos} $B", special_tokens=[(bos, token)])


def llama3():
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    pattern = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        TRAINING,
        trainers.BpeTrainer(vocab_size=320, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False),
    )
    tokenizer.add_special_tokens([AddedToken("<s>", special=True), AddedToken("<|end|>", special=True)])
    tokenizer.post_processor = processors.Sequence(
        [processors.ByteLevel(trim_offsets=False), template("<s>", tokenizer.token_to_id("<s>"))]
    )
    return tokenizer


def llama2():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    special = ["<unk>", "<s>", "</s>"]
    bytes_ = [f"<0x{b:02X}>" for b in range(256)]
    tokenizer.train_from_iterator(
        TRAINING, trainers.BpeTrainer(vocab_size=480, special_tokens=special + bytes_, show_progress=False)
    )
    # Bytes are plain tokens in a real file; the trainer knows no other way to number them.
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = [t for t in state["added_tokens"] if t["content"] in special]
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = template("<s>", 1)
    return tokenizer


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.train_from_iterator(
        TRAINING,
        trainers.UnigramTrainer(vocab_size=220, unk_token="<unk>", special_tokens=["<unk>", "<s>"], show_progress=False),
    )
    # Both are what a file may ask for and what nobody may get: texts whole, and no longer.
    tokenizer.enable_truncation(8)
    tokenizer.enable_padding(length=16, pad_token="<unk>")
    return tokenizer


def main():
    folder = HERE / "tokenizers"
    folder.mkdir(exist_ok=True)
    expected = {}
    for make in (llama3, llama2, unigram):
        tokenizer = make()
        (folder / f"{make.__name__}.json").write_text(tokenizer.to_str(), encoding="utf-8")
        tokenizer.no_truncation()
        tokenizer.no_padding()
        cases = []
        for text in TEXTS:
            ids = tokenizer.encode(text).ids
            cases.append(dict(text=text, ids=ids, decoded=tokenizer.decode(ids)))
        expected[make.__name__] = dict(vocabulary=tokenizer.get_vocab_size(), cases=cases)
    (folder / "expected.json").write_text(json.dumps(expected) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
