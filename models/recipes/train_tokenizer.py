"""Trains a byte-level BPE of 1,024 tokens and turns the corpus into token ids."""

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from corpus import BUILD, SEPARATOR, SOURCES, SPLITS

END_OF_TEXT = 0
EVERY = 4  # one document in four is enough to learn the merges from


def documents(name):
    return (BUILD / f"{name}.txt").read_text("utf-8").split(SEPARATOR)


def train():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1024,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    sample = (text for source in SOURCES for text in documents(f"{source}.train")[::EVERY])
    tokenizer.train_from_iterator(sample, trainer)
    return tokenizer


def encode(tokenizer, name):
    """All documents of one text as one array, the end-of-text token around each."""
    ids = [END_OF_TEXT]
    for encoding in tokenizer.encode_batch(documents(name)):
        ids += encoding.ids + [END_OF_TEXT]
    return np.array(ids, np.uint16)


if __name__ == "__main__":
    tokenizer = train()
    tokenizer.save(str(BUILD / "tokenizer.json"))
    names = [f"{source}.{split}" for source in SOURCES for split in SPLITS]
    np.savez(BUILD / "tokens.npz", **{name: encode(tokenizer, name) for name in names})
