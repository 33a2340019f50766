"""Hugging Face's own BpeTrainer on LICENSE and a text in several scripts, read by
BytePairEncodingTest. Usage, in the repository: python test-data/scripts/bpe.py > test-data/goldens/training/bpe.json"""

import json

import tokenizers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

MIXED = (
    "Ein süßer Bär aß 12,50 € Äpfel.\r\nDon't we'll they've I'm\n\n\n    if (x²≥½) {\n\t\treturn x;\n    }\n"
    "Привет, мир! 日本語のテキスト。 مرحبا ١٢٣ 👩‍👩‍👧 zero\u200bwidth nbsp\u00a0 em\u2003space \u0085 end   \n"
) * 3
SIZE = 700

texts = [open("LICENSE", encoding="utf-8").read(), MIXED]
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
tokenizer.train_from_iterator(
    texts,
    trainers.BpeTrainer(
        vocab_size=SIZE, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
model = json.loads(tokenizer.to_str())["model"]
sample = "The Licensor shall not… \u2028 naïve ﬁ 𝔘𝔫𝔦 'LL 's\r\n" + MIXED[:300]
print(json.dumps({
    "reference": f"tokenizers {tokenizers.__version__}, BpeTrainer; test-data/scripts/bpe.py",
    "size": SIZE,
    "mixed": MIXED,
    "vocabulary": sorted(model["vocab"], key=model["vocab"].get),
    "merges": model["merges"],
    "sample": sample,
    "ids": tokenizer.encode(sample).ids,
}, indent=0))
