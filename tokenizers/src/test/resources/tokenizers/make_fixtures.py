"""Makes the small tokenizers beside this script and what each makes of some texts.

    python make_fixtures.py ../../../../../LICENSE

Needs the package `tokenizers`. The stored truncation and padding must have no effect in Gatun, so the
expected ids are taken with both switched off. The Unigram and WordPiece trainers give other vocabularies on
each run: commit all files together.
"""

import json
import pathlib
import sys

import tokenizers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = pathlib.Path(__file__).parent
TEXTS = [
    "a",
    "Licensed under the Apache License, Version 2.0",
    "  two  spaces\n\n\tand a tab \n",
    "int x = 12345; // été 漢字 🚀\r\n",
    "<s>written out</s> and <s>",
    "nul \0 byte",
    "",
]


def with_begin(tokenizer: Tokenizer) -> None:
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", tokenizer.token_to_id("<s>"))]
    )


def bpe(lines: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<s>", "</s>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(lines, trainer)
    with_begin(tokenizer)
    return tokenizer


def unigram(lines: list[str]) -> Tokenizer:
    trained = Tokenizer(models.Unigram())
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    trainer = trainers.UnigramTrainer(
        vocab_size=500, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    trained.train_from_iterator(lines, trainer)
    model = json.loads(trained.to_str())["model"]
    vocabulary = [(piece, score) for piece, score in model["vocab"]]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=0, byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    tokenizer.add_special_tokens(["<s>", "</s>"])
    with_begin(tokenizer)
    return tokenizer


def wordpiece(lines: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(prefix="##", cleanup=False)
    trainer = trainers.WordPieceTrainer(
        vocab_size=300, special_tokens=["[UNK]", "[CLS]", "[SEP]", "[PAD]"], show_progress=False
    )
    tokenizer.train_from_iterator(lines, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return tokenizer


CONTEXT = (
    "The License is granted to you under the terms of section 2. 🚀 A work that the owner submits is a "
    "contribution, unless you state otherwise. It ends."
)
ANSWERS = ("section 2", "the owner submits", "The License", "contribution, unless you state", "It ends.", None)


def windows(tokenizer: Tokenizer) -> None:
    """Windows of a question's text, with the labels of transformers' run_qa for its answer."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    cases = []
    for question in ("Who submits?", "  What is it?"):
        before = [1, *tokenizer.encode(question.lstrip(), add_special_tokens=False).ids, 2]
        for answer in ANSWERS:
            for length, stride in ((32, 8), (36, 0), (48, 31), (512, 128)):
                # apart from encoding: with truncation switched on, tokenizers 0.23.2 loses the windows at the end
                text = tokenizer.encode(CONTEXT, add_special_tokens=False)
                text.truncate(length - len(before) - 1, stride)
                start = CONTEXT.index(answer) if answer else None
                case = {"question": question, "answer": answer, "start": start, "max_length": length, "stride": stride}
                case["windows"] = [window(before, each, start, answer) for each in [text, *text.overflowing]]
                cases.append(case)
    out = {"tokenizers": tokenizers.__version__, "context": CONTEXT, "cases": cases}
    (HERE / "windows.json").write_text(json.dumps(out) + "\n")


def window(before: list[int], text: tokenizers.Encoding, start: int | None, answer: str | None) -> dict:
    spans = text.offsets
    labels = [0, 0]
    if answer and spans[0][0] <= start and spans[-1][1] >= start + len(answer):
        # of the text's own tokens; run_qa itself would run on into the tokens behind it
        labels = [
            len(before) + max(i for i, span in enumerate(spans) if span[0] <= start),
            len(before) + min(i for i, span in enumerate(spans) if span[1] >= start + len(answer)),
        ]
    return {"ids": [*before, *text.ids, 2], "context_start": len(before), "labels": labels}


def main() -> None:
    lines = pathlib.Path(sys.argv[1]).read_text().splitlines()
    cases = []
    configs = {
        "bpe": {"bos_token": "<s>", "eos_token": {"content": "</s>", "special": True}, "pad_token": None},
        "unigram": {"add_bos_token": True, "bos_token": "<s>", "eos_token": "</s>"},
        "wordpiece": {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]"},
    }
    for make in (bpe, unigram, wordpiece):
        tokenizer = make(lines)
        for text in TEXTS:
            ids = tokenizer.encode(text, add_special_tokens=False).ids
            cases.append(
                {
                    "tokenizer": make.__name__,
                    "text": text,
                    "ids": ids,
                    "offsets": tokenizer.encode(text, add_special_tokens=False).offsets,
                    "documentIds": tokenizer.encode(text).ids,
                    "decoded": tokenizer.decode(ids, skip_special_tokens=False),
                    "decodedWithoutSpecial": tokenizer.decode(ids, skip_special_tokens=True),
                }
            )
        tokenizer.enable_truncation(max_length=4)
        tokenizer.enable_padding(pad_id=1, pad_token="</s>", length=16)
        folder = HERE / make.__name__
        folder.mkdir(exist_ok=True)
        (folder / "tokenizer.json").write_text(tokenizer.to_str() + "\n")
        (folder / "tokenizer_config.json").write_text(json.dumps(configs[make.__name__], indent=2) + "\n")
    windows(Tokenizer.from_file(str(HERE / "wordpiece/tokenizer.json")))
    out = {"tokenizers": tokenizers.__version__, "cases": cases}
    (HERE / "cases.json").write_text(json.dumps(out, indent=1, ensure_ascii=True) + "\n")


if __name__ == "__main__":
    main()
