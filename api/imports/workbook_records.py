"""What the cells of an XLS workbook are besides their values, from its records: BIFF5 and BIFF8 ([MS-XLS] 2.1.4).

An XLS file is a compound file ([MS-CFB]), whose one stream is a sequence of records: first those of the workbook, which
say where each sheet's begin. calamine gives the values; of a formula, an error or a merged cell it says nothing here.
Runs in the process of ``api.imports.workbook_process``, so it imports nothing of this project but its neighbour.
"""

import io
import struct
from collections.abc import Iterator
from typing import Final

import olefile

from api.imports.workbook_marks import ERROR, FORMULA, MERGED, DamagedSheet, Marked, Marks

_STREAMS: Final = ("Workbook", "Book")
"""Of BIFF8 and of BIFF5; case plays no part in a compound file."""

_ENCRYPTED_PACKAGE: Final = "EncryptedPackage"
"""An XLSX with a password is a compound file, too ([MS-OFFCRYPTO] 2.3.4.4)."""

_FORMULA: Final = 0x0006
_EOF: Final = 0x000A
_FILE_PASS: Final = 0x002F
_BOUND_SHEET: Final = 0x0085
_MERGED_CELLS: Final = 0x00E5
_BOOLEAN_OR_ERROR: Final = 0x0205
_BOF: Final = 0x0809

_PAIR: Final = struct.Struct("<HH")
"""How a record begins: kind and size; and where a cell is: row and column."""

_POSITION: Final = struct.Struct("<I")
_RANGE: Final = struct.Struct("<4H")


class EncryptedWorkbook(Exception):
    """The workbook has a password, also one of the weak kind that leaves the structure readable."""


class XlsWorkbook:
    """An XLS file's records."""

    def __init__(self, data: bytes) -> None:
        """Raises DamagedSheet, EncryptedWorkbook."""
        self._stream = memoryview(_stream(data))
        self._sheets: list[int] = []
        for kind, body in self._substream(0):
            if kind == _FILE_PASS:
                raise EncryptedWorkbook
            if kind == _BOUND_SHEET:
                self._sheets.append(_position(body))

    def marks(self, number: int) -> Marks:
        """The marks of the sheet with this number, from 0. Raises DamagedSheet, TooManyMarks."""
        marks = Marked()
        for kind, body in self._substream(self._sheets[number]):
            # Cells of a shared formula, of an array and of a data table have a formula record each, too.
            if kind == _FORMULA:
                failed = bytes(body[12:14]) == b"\xff\xff" and body[6] == 2
                marks.add(*_pair(body), ERROR if failed else FORMULA)
            elif kind == _BOOLEAN_OR_ERROR:
                if bytes(body[7:8]) == b"\x01":
                    marks.add(*_pair(body), ERROR)
            elif kind == _MERGED_CELLS:
                for first, last, left, right in _ranges(body):
                    marks.fill((first, left), (last, right), MERGED)
        return marks.found

    def _substream(self, position: int) -> Iterator[tuple[int, memoryview]]:
        """Kind and content of each record between BOF and EOF, without those of charts that lie within."""
        depth = 0
        while True:
            kind, size = _pair(self._stream[position:])
            position += _PAIR.size
            body = self._stream[position : position + size]
            if len(body) != size or (depth == 0 and kind != _BOF):
                raise DamagedSheet
            position += size
            if kind == _BOF:
                depth += 1
            elif kind == _EOF:
                depth -= 1
                if depth == 0:
                    return
            elif depth == 1:
                yield kind, body


def _stream(data: bytes) -> bytes:
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as compound:
            for name in _STREAMS:
                if compound.exists(name):
                    # More than there is could only come of sectors that lead back to themselves.
                    if compound.get_size(name) > len(data):
                        raise DamagedSheet
                    stream: bytes = compound.openstream(name).read()
                    return stream
            if compound.exists(_ENCRYPTED_PACKAGE):
                raise EncryptedWorkbook
    except (OSError, IndexError, TypeError, ValueError, struct.error) as error:
        # OleFileError is an OSError; the others are what olefile lets through of a header that contradicts itself.
        raise DamagedSheet from error
    raise DamagedSheet


def _pair(body: memoryview) -> tuple[int, int]:
    if len(body) < _PAIR.size:
        raise DamagedSheet
    first, second = _PAIR.unpack_from(body)
    return first, second


def _position(body: memoryview) -> int:
    """Where in the stream a sheet's records begin."""
    if len(body) < _POSITION.size:
        raise DamagedSheet
    (position,) = _POSITION.unpack_from(body)
    return int(position)


def _ranges(body: memoryview) -> Iterator[tuple[int, ...]]:
    """First and last row, first and last column of each."""
    if len(body) % _RANGE.size != 2:
        raise DamagedSheet
    return _RANGE.iter_unpack(body[2:])
