"""Makes small tokenizers of the kinds whose tokens' bytes are read in ways that make_fixtures.py's lack.

    python make_byte_tokenizers.py ../../../../../LICENSE

Needs the package `tokenizers`.
"""

import json
import pathlib
import sys

from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

HERE = pathlib.Path(__file__).parent


def llama(lines: list[str]) -> Tokenizer:
    """As Llama 2: SentencePiece's BPE with bytes to fall back to, and added tokens, one of them not special."""
    vocabulary = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    trained.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    trained.train_from_iterator(
        lines, trainers.BpeTrainer(vocab_size=420, special_tokens=vocabulary, show_progress=False)
    )
    model = json.loads(trained.to_str())["model"]
    merges = [tuple(merge) if isinstance(merge, list) else tuple(merge.split(" ")) for merge in model["merges"]]
    tokenizer = Tokenizer(models.BPE(model["vocab"], merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    tokenizer.normalizer = trained.normalizer
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.add_special_tokens(["<unk>", "<s>", "</s>"])
    tokenizer.add_tokens([AddedToken("<tool>", normalized=False)])
    return tokenizer


def metaspace(lines: list[str]) -> Tokenizer:
    """As T5: Unigram, its blanks written back by the Metaspace decoder."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=["<unk>", "</s>"], unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer


def chat(lines: list[str]) -> Tokenizer:
    """As Qwen: byte-level BPE, added tokens both special and not, with characters of the byte alphabet in them."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False
    )
    tokenizer.train_from_iterator(lines, trainer)
    tokenizer.add_special_tokens(["<|im_end|>"])
    tokenizer.add_tokens([AddedToken("<think>", normalized=False), AddedToken("ġé 漢", normalized=False)])
    return tokenizer


def main() -> None:
    lines = pathlib.Path(sys.argv[1]).read_text().splitlines()
    for make in (llama, metaspace, chat):
        folder = HERE / make.__name__
        folder.mkdir(exist_ok=True)
        (folder / "tokenizer.json").write_text(make(lines).to_str() + "\n")


if __name__ == "__main__":
    main()
