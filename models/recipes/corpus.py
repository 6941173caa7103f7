"""Builds the training, calibration and test texts from free documents. The seed is fixed."""

import gzip
import hashlib
import random
import re
import unicodedata
from pathlib import Path

BUILD = Path(__file__).parent / "build"
PACKAGES = BUILD / "sources"
SEPARATOR = "\x1e"  # stands between documents in the texts that are written
SOURCES = ("prose", "technical")
SPLITS = ("test", "calibration", "train")

TECHNICAL_FORTUNES = {"computers", "linux", "debian", "perl", "linuxcookie"}
GCIDE_SOURCE_NOTE = re.compile(
    r"\[(?:1913 Webster|Webster 1913 Suppl\.|PJC|WordNet[^\]]*|Century[^\]]*|AS|RP|RDH"
    r"|[^\]]{0,20}\+PJC|Johnson[^\]]*|Syntax|cdp|GG[^\]]*|JDF)\]"
)
GCIDE_NEW_LINE = re.compile(r"^(\d+\.|\([a-z]\)|--|\{|Note:|Syn:)")
ROFF_ESCAPES = {
    "\\-": "-", "\\(aq": "'", "\\(dq": '"', "\\(bu": "*", "\\e": "\\", "\\ti": "~", "\\(ti": "~",
    "\\(ha": "^", "\\(en": "-", "\\(em": "--", "\\[aq]": "'", "\\|": "", "\\ ": " ", "\\'": "'",
    "\\~": " ", "\\(mu": "x", "\\(+-": "+-",
}  # fmt: skip

rng = random.Random(20250700)


def read(path):
    opener = gzip.open if path.suffix in (".gz", ".dz") else open
    with opener(path, "rb") as file:
        return file.read().decode("utf-8", "replace")


def clean(text):
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace(SEPARATOR, " ")
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c)[0] != "C")
    text = re.sub(r"[ \t]+\n", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def bible():
    """One document a chapter, from lines such as `Genesis1:1 In the beginning ...`."""
    chapters = {}
    for line in read(PACKAGES / "kjv.txt").split("\n"):
        verse = re.match(r"^(\S+?)(\d+):(\d+) (.*)$", line)
        if verse:
            chapters.setdefault((verse[1], verse[2]), []).append(verse[4])
    return [(f"kjv/{book}{number}", "\n".join(v)) for (book, number), v in chapters.items()]


def unwrap(entry):
    """Joins the wrapped lines of a dictionary entry."""
    lines = []
    for line in map(str.strip, entry.split("\n")):
        if line and lines and lines[-1] and not GCIDE_NEW_LINE.match(line):
            lines[-1] += " " + line
        else:
            lines.append(line)
    return re.sub(r"\n{2,}", "\n", "\n".join(lines)).strip()


def dictionary(limit):
    """Documents of twelve entries each, in random order, until there are `limit` characters."""
    raw = read(PACKAGES / "dict-gcide/usr/share/dictd/gcide.dict.dz")
    entries = re.split(r"\n(?=\S)", GCIDE_SOURCE_NOTE.sub("", raw))[40:]  # the first are a header
    entries = [unwrap(e) for e in entries if e.strip() and not e.startswith("00-database")]
    blocks = ["\n\n".join(entries[i : i + 12]) for i in range(0, len(entries), 12)]
    order = list(range(len(blocks)))
    rng.shuffle(order)
    return until(limit, ((f"gcide/{i}", blocks[i]) for i in order))


def fortunes():
    documents = []
    for path in sorted((PACKAGES / "fortunes/usr/share/games/fortunes").iterdir()):
        if path.suffix in (".dat", ".u8") or path.is_symlink() or path.name in TECHNICAL_FORTUNES:
            continue
        quotes = [quote.strip("\n") for quote in read(path).split("\n%\n")]
        for i in range(0, len(quotes), 8):
            documents.append((f"fortunes/{path.name}/{i}", "\n\n".join(quotes[i : i + 8])))
    return documents


def files(tag, paths, convert=lambda text: text):
    documents = [(f"{tag}/{path.name}", convert(read(path))) for path in sorted(paths)]
    return [(name, text) for name, text in documents if len(text) > 200]


def manual_pages():
    paths = [
        path
        for package in ("manpages", "manpages-dev")
        for path in (PACKAGES / package).glob("**/*.gz")
        if "/man/man" in path.as_posix() and not path.is_symlink()
    ]
    return [page for page in files("man", paths, plain_manual) if len(page[1]) > 800]


def plain_manual(text):
    """A manual page without its roff markup."""
    if len(text) < 400 or text.startswith(".so"):
        return ""

    def joined(macro):
        return "".join(word.strip('"') for word in re.findall(r'"[^"]*"|\S+', macro[1]))

    for pattern, replacement in (
        (r"(?m)^['.]\\\".*\n", ""),
        (r"(?m)^\.TH (.*)$", r"\1"),
        (r'(?m)^\.S[HS] "?(.*?)"?$', r"\n\1\n"),
        (r"(?m)^\.(?:B|I|SM|SB)\s+(.*)$", r"\1"),
        (r"(?m)^\.(?:BI|BR|IB|IR|RB|RI)\s+(.*)$", joined),
        (r"(?m)^\.TP.*\n|^\.(?:PP|P|LP)\b.*\n", "\n"),
        (r'(?m)^\.IP\s+"?([^"\n]*?)"?(?:\s+\d+)?$', r"\n\1"),
        (r"(?m)^[.'][A-Za-z].*\n", ""),
        (r"\\f[BIRP]|\\f\(..|\\f\[\w*\]|\\&|\\c|\\/|\\,|\\:", ""),
    ):
        text = re.sub(pattern, replacement, text)
    for escape, character in ROFF_ESCAPES.items():
        text = text.replace(escape, character)
    return text


def until(limit, documents):
    """Documents up to and including the one that passes `limit` characters."""
    taken, size = [], 0
    for document in documents:
        taken.append(document)
        size += len(document[1])
        if size > limit:
            break
    return taken


def sample(documents, limit):
    documents = sorted(documents)
    rng.shuffle(documents)
    return until(limit, documents)


def prose():
    return bible() + fortunes() + dictionary(12_500_000)


def technical():
    python = PACKAGES / "python3.11-doc/usr/share/doc/python3.11/html/_sources"
    git = PACKAGES / "git-doc/usr/share/doc/git-doc"
    return (
        sample(files("pydoc", python.glob("**/*.rst.txt")), 9_500_000)
        + sample(files("perl", (PACKAGES / "perl-doc").glob("**/*.pod")), 3_000_000)
        + sample(files("git", git.glob("**/*.txt")), 1_800_000)
        + sample(manual_pages(), 5_000_000)
    )


def split(documents):
    """Whole documents to each part, by a hash of their names; what occurs twice is taken once."""
    parts = {name: [] for name in SPLITS}
    room = {"test": 900_000, "calibration": 1_100_000}
    seen = set()
    for name, text in sorted(documents, key=name_hash):
        digest = hashlib.sha1(text.encode()).digest()
        if digest in seen:
            continue
        seen.add(digest)
        part = next((p for p in room if room[p] > 0 and len(text) < 60_000), "train")
        parts[part].append(text)
        if part in room:
            room[part] -= len(text)
    return parts


def name_hash(document):
    return hashlib.sha256(("mone" + document[0]).encode()).hexdigest()


def pieces(text, size=12_000):
    """A long document cut between paragraphs."""
    if len(text) <= size * 1.5:
        return [text]
    cut, current = [], ""
    for paragraph in text.split("\n\n"):
        if len(current) > size:
            cut.append(current)
            current = ""
        current += paragraph + "\n\n"
    return cut + [current] if current.strip() else cut


def main():
    for source, documents in (("prose", prose()), ("technical", technical())):
        documents = [(name, clean(text)) for name, text in documents]
        for part, texts in split(documents).items():
            cut = [piece for text in texts for piece in pieces(text)]
            rng.shuffle(cut)
            joined = SEPARATOR.join(piece.strip() + "\n" for piece in cut)
            (BUILD / f"{source}.{part}.txt").write_text(joined, "utf-8")


if __name__ == "__main__":
    main()
