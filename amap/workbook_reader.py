"""Reads a workbook (XLSX, ODS, XLS) from standard input and writes its visible sheets as JSON: see `spreadsheets.read`.

It runs as a process of its own, because a file of a few kilobytes can claim a cell in its last row and last column:
the reader then asks for hundreds of gigabytes and its process is aborted. Better this one than the web server's.
Limits in memory and time are set first. It imports nothing of ours.
"""

import io
import json
import resource
import sys
import zipfile
import zlib
from datetime import date, datetime, time, timedelta
from typing import Any

MEMORY_BYTES = 1 << 30
CPU_SECONDS = 20


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    data = sys.stdin.buffer.read()
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = [
            sheet.name
            for sheet in workbook.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
        ]
        answer: Any = [(name, workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)) for name in names]
    except CalamineError:
        answer = "password" if is_protected(data) else "unreadable"
    json.dump(answer, sys.stdout, default=plain)


def is_protected(data: bytes) -> bool:
    """Excel hides a protected workbook in a file of another kind; OpenDocument says it in the list of its parts."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return b"encryption-data" in archive.read("META-INF/manifest.xml")
    except (zipfile.BadZipFile, KeyError, RuntimeError, zlib.error, EOFError):
        return "EncryptedPackage".encode("utf-16-le") in data


def plain(value: Any) -> Any:
    """A cell that JSON does not know: a day as `{"day": …}`, a moment or duration as text."""
    match value:
        case datetime() if value.time() == time.min:
            return {"day": value.date().isoformat()}
        case datetime():
            return value.isoformat(" ", "minutes")
        case date():
            return {"day": value.isoformat()}
        case time() | timedelta():
            return str(value)
    raise TypeError(f"unexpected cell: {value!r}")


if __name__ == "__main__":
    main()
