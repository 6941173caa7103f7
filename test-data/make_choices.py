"""Makes multiple-choice items from text: which of four passages goes on from the context?

    python make_choices.py --text kjv=kjv.test.txt --items 500 -o items.jsonl
    python make_choices.py --tokens prose=A.test24.npz --tokens technical=B.test24.npz \
        --tokenizer tokenizer.json --items 500 -o items.jsonl

A passage is drawn, its beginning is the context and the rest the right choice; the three others are
passages drawn elsewhere. Contexts have 0 to 60 words, choices 1 to 12, the wrong ones of an item not
as many as the right one. A source of tokens is a .npz file with one array of rows; rows are decoded.
The name of a source is the group of its items. The same seed gives the same items.
"""

import argparse
import json
import random
import re

CONTEXT_WORDS = 60
CHOICE_WORDS = 12
CHOICES = 4


def text_documents(path):
    with open(path, encoding="utf-8") as file:
        return [file.read()]


def token_documents(path, tokenizer):
    import numpy
    from tokenizers import Tokenizer

    (rows,) = numpy.load(path).values()
    decoder = Tokenizer.from_file(tokenizer)
    return [decoder.decode(row.tolist()) for row in rows]


def words(document):
    """Words with the space before them, so that they join to the document again."""
    return re.findall(r"\s*\S+", document)


def passage(documents, length, rng):
    """`length` words in a row of one document."""
    document = rng.choice([document for document in documents if len(document) >= length])
    start = rng.randrange(len(document) - length + 1)
    return document[start : start + length]


def item(documents, group, rng):
    before = rng.choice([0, rng.randint(1, 8), rng.randint(1, CONTEXT_WORDS)])
    right = passage(documents, before + rng.randint(1, CHOICE_WORDS), rng)
    context = "".join(right[:before]).strip()
    choices = ["".join(right[before:]).strip()]
    while len(choices) < CHOICES:
        choice = "".join(passage(documents, rng.randint(1, CHOICE_WORDS), rng)).strip()
        if choice not in choices:
            choices.append(choice)
    order = rng.sample(range(CHOICES), CHOICES)
    return {
        "context": context + rng.choice(["", "", "", " "]) if context else "",
        "choices": [choices[at] for at in order],
        "label": order.index(0),
        "group": group,
    }


def named(source):
    name, _, path = source.partition("=")
    if not path:
        raise argparse.ArgumentTypeError(f"found {source}, wanted NAME=FILE")
    return name, path


def main():
    parser = argparse.ArgumentParser(description="Makes multiple-choice items from text.")
    parser.add_argument("--text", type=named, action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--tokens", type=named, action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--tokenizer", help="a tokenizer.json, for --tokens")
    parser.add_argument("--items", type=int, default=500, help="in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", required=True)
    arguments = parser.parse_args()
    sources = [(name, text_documents(path)) for name, path in arguments.text]
    if arguments.tokens and not arguments.tokenizer:
        parser.error("--tokens needs --tokenizer")
    sources += [(n, token_documents(p, arguments.tokenizer)) for n, p in arguments.tokens]
    if not sources:
        parser.error("name a source with --text or --tokens")
    rng = random.Random(arguments.seed)
    split = [(name, [words(document) for document in documents]) for name, documents in sources]
    with open(arguments.output, "w", encoding="utf-8") as file:
        for number in range(arguments.items):
            name, documents = split[number % len(split)]
            file.write(json.dumps(item(documents, name, rng), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
