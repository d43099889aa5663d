"""Reads what PyInstaller has put behind a program: its files, and the names of its modules."""

import marshal
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

_MAGIC = b"MEI\x0c\x0b\x0a\x0b\x0e"
_COOKIE = struct.Struct("!8sIIII64s")
_ENTRY = struct.Struct("!iIIIBc")


class _Place(NamedTuple):
    at: int
    size: int
    packed: bool


class Archive:
    """`files`: the names in the program, with `/`; `modules`: those of Python."""

    def __init__(self, program: Path) -> None:
        self._bytes = program.read_bytes()
        cookie = self._bytes.rindex(_MAGIC)
        _, length, index, index_length, _, _ = _COOKIE.unpack_from(self._bytes, cookie)
        self._start = cookie + _COOKIE.size - length
        self._places = dict(self._entries(self._start + index, index_length))
        self.files = set(self._places)
        self._modules = self._index()
        self.modules = set(self._modules)

    def read(self, name: str) -> bytes:
        place = self._places[name]
        data = self._bytes[self._start + place.at :][: place.size]
        return zlib.decompress(data) if place.packed else data

    def _entries(self, at: int, length: int) -> list[tuple[str, _Place]]:
        entries, end = [], at + length
        while at < end:
            size, where, packed_size, _, packed, _ = _ENTRY.unpack_from(self._bytes, at)
            name = self._bytes[at + _ENTRY.size : at + size].rstrip(b"\0").decode()
            place = _Place(where, packed_size, bool(packed))
            entries.append((name.replace("\\", "/"), place))
            at += size
        return entries

    def module(self, name: str) -> bytes:
        """The byte code of one module, packed by marshal."""
        _, at, size = self._modules[name]
        return zlib.decompress(self.read("PYZ.pyz")[at : at + size])

    def _index(self) -> dict[str, tuple[int, int, int]]:
        """Of the archive of modules: kind, place and size of each."""
        modules = self.read("PYZ.pyz")
        (at,) = struct.unpack_from("!i", modules, 8)
        return dict(marshal.loads(modules[at:]))
