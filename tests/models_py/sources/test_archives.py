"""Members taken out of zip files, nested ones too."""

from __future__ import annotations

from pathlib import Path

import pytest
from file_server import zip_of

from models_py.base.errors import SourceError
from models_py.sources.archives import unpack_members


def unpack(folder: Path, content: bytes, bytes_at_most: int = 1_000) -> dict[str, bytes]:
    archive, into = folder / "a.zip", folder / "into"
    archive.write_bytes(content)
    into.mkdir()
    written = unpack_members(
        archive, lambda name: bytes_at_most if name.endswith(".csv") else None, into
    )
    return {path.name: path.read_bytes() for path in written}


def test_wanted_members_alone(tmp_path: Path) -> None:
    packed = zip_of({"data/x.csv": b"x", "readme.txt": b"r", "__MACOSX/._x.csv": b"junk"})
    assert unpack(tmp_path, packed) == {"x.csv": b"x"}


def test_zip_in_zip(tmp_path: Path) -> None:
    packed = zip_of({"one.zip": zip_of({"deep/x.csv": b"x"}), "y.csv": b"y"})
    assert unpack(tmp_path, packed) == {"x.csv": b"x", "y.csv": b"y"}


def test_path_that_climbs_out_stays_inside(tmp_path: Path) -> None:
    assert unpack(tmp_path, zip_of({"../../x.csv": b"x"})) == {"x.csv": b"x"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "into"]


def test_same_member_twice(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"a.zip: b/x.csv is there twice"):
        unpack(tmp_path, zip_of({"a/x.csv": b"1", "b/x.csv": b"2"}))


def test_member_that_unpacks_too_large(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="unpacks to more than the 1,000 bytes"):
        unpack(tmp_path, zip_of({"x.csv": b"0" * 5_000_000}))


@pytest.mark.parametrize("keep", [10, 60, -30])
def test_cut_archive(tmp_path: Path, keep: int) -> None:
    with pytest.raises(SourceError, match=r"a.zip: is not a whole, unencrypted zip file"):
        unpack(tmp_path, zip_of({"x.csv": b"x" * 100})[:keep])


def test_changed_byte(tmp_path: Path) -> None:
    packed = bytearray(zip_of({"x.csv": bytes(range(200))}))
    packed[60] ^= 0xFF
    with pytest.raises(SourceError, match="not a whole"):
        unpack(tmp_path, bytes(packed))
