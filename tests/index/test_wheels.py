from __future__ import annotations

import io
import zipfile
from contextlib import suppress

import pytest
from artifacts import core_metadata, wheel, zipped

from conflictcheck.index.core_metadata import MAX_DOCUMENT
from conflictcheck.index.wheels import WheelError, metadata_in_file, metadata_in_tail

DOCUMENT = core_metadata("a", "1.0", requires=["b"])


def in_tail(data: bytes, size: int, name: str = "a") -> tuple[bytes, list[tuple[int, int]]]:
    asked: list[tuple[int, int]] = []

    def read(start: int, stop: int) -> bytes:
        asked.append((start, stop))
        return data[start:stop]

    return metadata_in_tail(data[-size:], len(data), name, read), asked


def test_the_end_of_a_wheel_is_enough() -> None:
    assert in_tail(wheel("a", "1.0", document=DOCUMENT, padding=100_000), 4096) == (DOCUMENT, [])


def test_what_the_end_does_not_hold_is_asked_for() -> None:
    data = wheel("a", "1.0", document=DOCUMENT, members=200)
    document, asked = in_tail(data, 1000)
    assert document == DOCUMENT
    assert len(asked) == 2


def test_a_wheel_at_hand_says_the_same() -> None:
    assert metadata_in_file(io.BytesIO(wheel("a", "1.0", document=DOCUMENT)), "a") == DOCUMENT


def test_an_archive_of_the_64_bit_kind_is_read_as_well() -> None:
    data = bytearray(wheel("a", "1.0", document=DOCUMENT))
    end = data.rfind(b"PK\x05\x06")
    size, offset = (int.from_bytes(data[end + at : end + at + 4], "little") for at in (12, 16))
    count = int.from_bytes(data[end + 10 : end + 12], "little")
    record = b"PK\x06\x06" + (44).to_bytes(8, "little") + bytes(12) + count.to_bytes(8, "little") * 2
    record += size.to_bytes(8, "little") + offset.to_bytes(8, "little")
    locator = b"PK\x06\x07" + bytes(4) + end.to_bytes(8, "little") + (1).to_bytes(4, "little")
    data[end + 16 : end + 20] = b"\xff" * 4
    data[end:end] = record + locator
    assert in_tail(bytes(data), 500)[0] == DOCUMENT


@pytest.mark.parametrize("size", [200, 100_000])
def test_a_file_that_is_no_zip_archive_says_so(size: int) -> None:
    with pytest.raises(WheelError, match=r"^the wheel is not a zip archive$"):
        in_tail(b"<html>" * 1000, size)
    with pytest.raises(WheelError, match=r"^the wheel is not a zip archive$"):
        metadata_in_file(io.BytesIO(b"<html>" * 1000), "a")


def test_metadata_of_another_package_does_not_count() -> None:
    for data in (wheel("b", "1.0"), zipped({"x/a-1.0.dist-info/METADATA": b""}), zipped({"a.py": b""})):
        with pytest.raises(WheelError, match=r"^the wheel has no metadata of this package$"):
            in_tail(data, len(data))


def test_metadata_that_unpacks_to_more_than_it_says_is_refused() -> None:
    data = zipped({"a-1.0.dist-info/METADATA": bytes(MAX_DOCUMENT + 1)})
    with pytest.raises(WheelError, match=r"^the wheel's metadata is too large$"):
        in_tail(data, len(data))
    lying = data.replace((MAX_DOCUMENT + 1).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    with pytest.raises(WheelError, match=r"^the wheel's metadata is too large$"):
        in_tail(lying, len(lying))


def test_a_flipped_bit_in_the_metadata_shows() -> None:
    data = zipped({"a-1.0.dist-info/METADATA": DOCUMENT}, stored="a-1.0.dist-info/METADATA")
    broken = data.replace(b"Requires-Dist: b", b"Requires-Dist: c", 1)
    with pytest.raises(WheelError, match=r"^the wheel is a broken zip archive$"):
        in_tail(broken, len(broken))


@pytest.mark.parametrize("step", range(0, 120, 7))
def test_a_wheel_that_is_cut_or_garbled_anywhere_never_raises_anything_else(step: int) -> None:
    data = wheel("a", "1.0", document=DOCUMENT)
    at = len(data) * step // 120
    for broken in (data[:at], data[:at] + b"\xff\x00\xff\x7f" + data[at + 4 :]):
        for read in (lambda d: in_tail(d, len(d))[0], lambda d: metadata_in_file(io.BytesIO(d), "a")):
            found = None
            with suppress(WheelError):
                found = read(broken)
            assert found in {None, DOCUMENT}


def test_a_packing_that_wheels_do_not_use_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a-1.0.dist-info/METADATA", DOCUMENT)
    with pytest.raises(WheelError, match=r"packed in a way that wheels are not$"):
        in_tail(buffer.getvalue(), 10_000)
