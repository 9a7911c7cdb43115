r"""In which encoding a text file is, and whether a database can read it as it lies.

UTF-8 with ``\n`` or ``\r\n`` is read where it lies; everything else is written once more.
"""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from models_py.base.errors import DataError, UsageError

CHUNK = 1 << 20
SAMPLE_BYTES = 1 << 18
SAMPLE_LINES = 2_000
GZIP, ZIP, PARQUET, OLD_EXCEL = b"\x1f\x8b", b"PK\x03\x04", b"PAR1", b"\xd0\xcf\x11\xe0"
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
EIGHT_BIT = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "koi8_r", "cp437", "mac_roman"]
ROMAN = ["cp1252", "cp1250", "cp850", "mac_roman"]
"""For text that is mostly ASCII, the likeliest first."""
MULTI_BYTE = ["cp932", "gb18030", "big5", "euc_kr", "euc_jp"]
# What cp1252 has beside Latin-1, without its rarest signs.
_MARKS = bytes(byte for byte in range(0x80, 0xA0) if byte not in b"\x81\x8d\x8f\x90\x9d")
WESTERN = re.compile(rf"[\x00-\x7f\u00a0-\u00ff{_MARKS.decode('cp1252')}]*")


@dataclass(frozen=True)
class Encoded:
    r"""What the bytes of a text file are.

    Attributes
    ----------
    name
        Of the encoding, as Python calls it.
    mark
        Bytes of the byte-order mark at the beginning.
    newlines, returns, pairs
        Counts of ``\n``, ``\r`` and ``\r\n``.
    is_packed
        Whether the file is gzipped.
    example
        A word beyond ASCII where the encoding was judged by such words, to be looked at.
    """

    name: str
    mark: int
    newlines: int
    returns: int
    pairs: int
    is_packed: bool
    example: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether DuckDB reads it as it lies."""
        one_kind = self.returns == 0 or self.returns == self.pairs == self.newlines
        return self.name == "utf-8" and self.mark == 0 and one_kind and not self.is_packed


def file_kind(path: Path) -> str:
    """Return ``text``, ``gzip``, ``workbook``, ``parquet`` or ``empty`` by the first bytes.

    Raises
    ------
    DataError
        It is a kind that is not read.
    """
    with path.open("rb") as stream:
        start = stream.read(4)
    if not start:
        return "empty"
    if start.startswith(GZIP):
        return "gzip"
    if start == PARQUET:
        return "parquet"
    if start == OLD_EXCEL:
        raise DataError(f"{path}: an old Excel file; save it as .xlsx or .csv")
    if start == ZIP:
        import zipfile

        try:
            names = zipfile.ZipFile(path).namelist()
        except zipfile.BadZipFile as error:
            raise DataError(f"{path} cannot be read: it is cut short ({error})") from error
        if "xl/workbook.xml" in names or "xl/workbook.bin" in names:
            return "workbook"
        raise DataError(f"{path}: an archive of {len(names)} files; unpack it and name one")
    return "text"


def inspect_encoding(path: Path, given: str | None = None) -> Encoded:
    """Read a text file to its end and say what its bytes are.

    Parameters
    ----------
    path
        A text file, plain or gzipped.
    given
        The encoding, where the user names it.

    Raises
    ------
    DataError
        The bytes fit no encoding, or two.
    """
    packed = file_kind(path) == "gzip"
    with _unpacked(path, packed) as stream:
        start = stream.read(4096)
    mark = next((mark for mark in MARKS if start.startswith(mark)), b"")
    name = MARKS.get(mark) or _without_mark(start)
    if given is not None:
        try:
            name = codecs.lookup(given).name
        except LookupError as error:
            raise UsageError(f"--encoding {given}: there is no such encoding") from error
    counts = [0, 0, 0]
    bad = _scan(path, packed, name, counts)
    if bad is not None and (given is not None or name != "utf-8" or mark):
        raise DataError(f"{path}, line {bad:,}: not {name} text; give another --encoding")
    example = ""
    if bad is not None:
        name, example = _eight_bit(path, packed, bad)
        if _scan(path, packed, name, [0, 0, 0]) is not None:
            raise DataError(f"{path}, line {bad:,}: in no known encoding; give it with --encoding")
    return Encoded(name, len(mark), counts[0], counts[1], counts[2], packed, example)


def _without_mark(start: bytes) -> str:
    # Text of a western language in UTF-16 has every second byte 0.
    if len(start) >= 8 and start[1::2].count(0) > 0.3 * len(start) / 2:
        return "utf-16-le"
    if len(start) >= 8 and start[::2].count(0) > 0.3 * len(start) / 2:
        return "utf-16-be"
    return "utf-8"


def _unpacked(path: Path, packed: bool) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb")) if packed else path.open("rb")


def _pieces(path: Path, packed: bool) -> Iterator[bytes]:
    with _unpacked(path, packed) as stream:
        try:
            while piece := stream.read(CHUNK):
                yield piece
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataError(f"{path} cannot be unpacked ({error}): copy it again") from error


def _scan(path: Path, packed: bool, name: str, counts: list[int]) -> int | None:
    """Count line ends, and return the line of the first bytes that do not fit the encoding."""
    decoder = codecs.getincrementaldecoder(name)("strict")
    wide = name.startswith(("utf-16", "utf-32"))
    lines, last = 1, b""
    bad: int | None = None
    for raw in _pieces(path, packed):
        piece = raw
        if bad is None and (wide or not raw.isascii() or decoder.getstate()[0]):
            try:
                text = decoder.decode(raw)
                piece = text.encode("utf-8") if wide else raw
            except UnicodeDecodeError as error:
                bad = lines + piece[: error.start].count(b"\n")
        ends = piece.count(b"\n")
        lines += ends
        counts[0] += ends
        returns = piece.count(b"\r")
        counts[1] += returns
        if returns:
            counts[2] += piece.count(b"\r\n") + (last == b"\r" and piece[:1] == b"\n")
        last = piece[-1:]
    if bad is None and decoder.getstate()[0]:
        bad = lines
    return bad


def _eight_bit(path: Path, packed: bool, bad: int) -> tuple[str, str]:
    """Return the encoding of a file that is not UTF-8, judged by its lines beyond ASCII.

    A word is returned as well.
    """
    lines: list[bytes] = []
    for piece in _pieces(path, packed):
        lines += [line for line in piece.split(b"\n") if not line.isascii()]
        if len(lines) > SAMPLE_LINES:
            break
    good = [line for line in lines if _fits(line, "utf-8")]
    if len(good) > len(lines) / 2:
        raise DataError(
            f"{path}, line {bad:,}: not UTF-8, though {len(good):,} other lines are: two files were"
            " joined; save it in one encoding, or give --encoding"
        )
    sample = b"\n".join(lines)[:SAMPLE_BYTES]
    western = sample.decode("cp1252", errors="replace")
    letters = re.findall(r"[^\x00-\x7f]", western)
    # Letters among small ASCII ones are western; a Cyrillic or Greek page is letters throughout.
    ascii_letters = len(re.findall(r"[a-z]", western))
    if WESTERN.fullmatch(western) and ascii_letters > 2 * len(letters):
        name = min(ROMAN, key=lambda encoding: _odd_words(sample, encoding))
        return name, _word_beyond_ascii(sample, name)
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=[*EIGHT_BIT, *MULTI_BYTE]).best()
    if best is None:
        raise DataError(f"{path}, line {bad:,}: in no known encoding; give it with --encoding")
    name = str(best.encoding)
    return name, _word_beyond_ascii(sample, name)


def _word_beyond_ascii(sample: bytes, name: str) -> str:
    words = re.findall(r"\w*[^\x00-\x7f]\w*", sample.decode(name, errors="replace"))
    return next(iter(words), "")


def _odd_words(sample: bytes, name: str) -> int:
    """Count letters and signs where no language has them: £ódŸ for Łódź, K”ln for Köln."""
    text = sample.decode(name, errors="replace")
    inside = re.findall(
        r"(?<=[^\W\d_])(?:[^\w\s\x00-\x7f\u2019\u00b7]|[\u00aa\u00ba])(?=[^\W\d_])", text
    )
    before = re.findall(r"(?<![\w])[\u00a2-\u00be](?=[^\W\d_A-Z])", text)
    large: list[str] = re.findall(r"(?<=[a-z])([^\W\d_\x00-\x7f])", text)
    misplaced = sum(letter.isupper() for letter in large)
    return len(inside) + len(before) + misplaced + text.count("\ufffd")


def _fits(line: bytes, name: str) -> bool:
    try:
        line.decode(name)
    except UnicodeDecodeError:
        return False
    return True


def read_start(path: Path, encoded: Encoded, size: int = SAMPLE_BYTES) -> str:
    r"""Return the beginning of a text file in whole lines, ended by ``\n``."""
    decoder = codecs.getincrementaldecoder(encoded.name)("strict")
    with _unpacked(path, encoded.is_packed) as stream:
        stream.read(encoded.mark)
        piece = stream.read(size)
        is_whole = not stream.read(1)
    text = decoder.decode(piece).replace("\r\n", "\n").replace("\r", "\n")
    if is_whole or "\n" not in text:
        return text
    return text[: text.rindex("\n") + 1]


def write_plain(path: Path, encoded: Encoded, target: Path) -> None:
    r"""Write a text file once more, unpacked, as UTF-8 and with ``\n`` at the end of its lines."""
    decoder = codecs.getincrementaldecoder(encoded.name)("strict")
    skip, held = encoded.mark, ""
    with target.open("wb") as out:
        for piece in _pieces(path, encoded.is_packed):
            text = held + decoder.decode(piece[skip:])
            skip = 0
            # A return at the end of a piece may be half of a pair.
            held = "\r" if text.endswith("\r") else ""
            text = text.removesuffix("\r")
            out.write(text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8"))
        out.write((held and "\n").encode("utf-8"))


def broken_word(text: str) -> tuple[str, str, int] | None:
    r"""Return a word whose UTF-8 was taken for cp1252 before it was saved: as it is, was, and line.

    Examples
    --------
    >>> broken_word("id;city\n1;KÃ¶ln")
    ('KÃ¶ln', 'Köln', 2)
    """
    for match in re.finditer(r"\w*[\u00c2-\u00c5][^\s,;|]{1,30}", text):
        try:
            mended = match[0].encode("cp1252").decode("utf-8")
        except UnicodeError:
            continue
        return match[0], mended, text.count("\n", 0, match.start()) + 1
    return None
