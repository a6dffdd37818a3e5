"""Trains the demo model's byte-level BPE tokenizer on the corpus that MakeCorpus.java makes.

    python demo/train_tokenizer.py target/demo-corpus demo/model

Needs the package `tokenizers`. It writes tokenizer.json and tokenizer_config.json, checks that every
held-out and every pre-training file comes back as it was, and prints token counts. The same corpus and
the same version of `tokenizers` give the same bytes.
"""

import argparse
import json
import pathlib
import sys

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

VOCABULARY = 4096
END_OF_TEXT = "<|endoftext|>"  # begins and ends a document
PADDING = "<|pad|>"

# Where a token may not cross a border, tried in this order at each place:
# a line break (or several) with the whole indent after it, other runs of blanks but the last one, a word
# with one blank before it, where a camelCase hump begins a new word, one digit, or up to four signs.
WORDS = (
    r"\n+[ \t]*"
    r"|[ \t]+(?= )"
    r"| ?[A-Z]+(?![a-z])"
    r"| ?[A-Z]?[a-z]+"
    r"| ?[^\s\p{L}\p{N}]{1,4}"
    r"| ?\p{N}"
    r"| ?\p{L}+"
    r"|\s+"
)


def java_files(folder: pathlib.Path) -> list[pathlib.Path]:
    return sorted(folder.rglob("*.java"))


def train(folder: pathlib.Path) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[END_OF_TEXT, PADDING],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    texts = (file.read_text(encoding="utf-8") for file in java_files(folder))
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{END_OF_TEXT} $A",
        pair=f"{END_OF_TEXT} $A {END_OF_TEXT} $B",
        special_tokens=[(END_OF_TEXT, tokenizer.token_to_id(END_OF_TEXT))],
    )
    return tokenizer


def check(tokenizer: Tokenizer, folder: pathlib.Path) -> None:
    files, size, tokens = java_files(folder), 0, 0
    for file in files:
        text = file.read_text(encoding="utf-8")
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        if tokenizer.decode(ids, skip_special_tokens=False) != text:
            sys.exit(f"{file}: does not come back as it was")
        size += len(text.encode())
        tokens += len(ids)
    print(f"{folder.name}: {len(files)} files, {size} bytes, {tokens} tokens, {size / tokens:.3f} bytes/token")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    args = parser.parse_args()
    tokenizer = train(args.corpus / "pretrain")
    assert tokenizer.get_vocab_size() == VOCABULARY
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(args.out / "tokenizer.json"))
    config = {
        "add_bos_token": True,
        "add_eos_token": False,
        "bos_token": END_OF_TEXT,
        "clean_up_tokenization_spaces": False,
        "eos_token": END_OF_TEXT,
        "model_max_length": 1024,
        "pad_token": PADDING,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": None,
    }
    (args.out / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
    for part in ("pretrain", "heldout"):
        check(tokenizer, args.corpus / part)


if __name__ == "__main__":
    main()
