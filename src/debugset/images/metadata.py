"""Taking metadata out of picture files without touching a pixel.

Only what pixels and their colours depend on is kept: EXIF, XMP, IPTC, comments, thumbnails, further pictures of
a JPEG and whatever follows the end of the file go; the ICC profile stays. How a picture must be turned is added again,
as the only thing that its EXIF says.
"""

import re
import struct
import zlib
from collections.abc import Iterator

_ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82", "GIF": b"\0;"}
_SOI, _EOI, _SOS, _COM, _APP0, _APP2, _APP14 = 0xD8, 0xD9, 0xDA, 0xFE, 0xE0, 0xE2, 0xEE
_BARE = {0x01, _SOI, _EOI, *range(0xD0, 0xD8)}  # markers without a length
_JPEG_KEPT = {_APP0: b"JFIF\0", _APP2: b"ICC_PROFILE\0", _APP14: b"Adobe"}
_IN_SCANS = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # neither an escaped FF nor a restart marker
_PNG_KEPT = b"tRNS gAMA cHRM sRGB iCCP cICP mDCV cLLI sBIT bKGD pHYs hIST sPLT acTL fcTL fdAT".split()
_WEBP_KEPT = (b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP")
_VP8X_EXIF, _VP8X_XMP = 0x08, 0x04  # flags of the header
_VP8X_FLAGS = 20  # their place in a file of which something must be told besides the pixels
_BMP_HEADERS = 54  # bytes, of all but the oldest form
_PNG_HEADER_END = 33  # signature and first chunk
_GRAPHIC_CONTROL, _APPLICATION = 0xF9, 0xFF
_GIF_KEPT = (b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012")
_NOWHERE = b"\0never"  # bytes that stand in no file at the place where they are looked for


class Truncated(ValueError):
    """A file ends before its own structure does."""


def strip_metadata(content: bytes, image_format: str) -> bytes:
    """A picture file without its metadata; itself where there was nothing to remove.

    The format is ``JPEG, PNG, GIF, WEBP``, or ``BMP``, which knows no metadata.

    Raises:
        Truncated: the file is cut short.
        ValueError: its structure is broken.
    """
    if image_format == "BMP":
        _check_end(content, _BMP_HEADERS)
        return content
    kept_parts = {"JPEG": _jpeg, "PNG": _png, "GIF": _gif, "WEBP": _webp}[image_format]
    try:
        cleaned = b"".join(kept_parts(content))
    except Truncated:
        if content.endswith(_ENDS.get(image_format, _NOWHERE)):
            raise ValueError("a length in the file is wrong, for its end is there") from None
        raise
    return content if cleaned == content else cleaned


def add_orientation(content: bytes, image_format: str, orientation: int) -> bytes:
    """A ``JPEG, PNG`` or ``WEBP`` file without metadata, with an EXIF that says its orientation and nothing else."""
    # EXIF 2.32: a big-endian TIFF header, then one directory of one entry (tag, type SHORT, count 1, value), then none
    exif = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x0112, 3, 1, int(orientation), 0, 0)
    if image_format == "JPEG":
        payload = b"Exif\0\0" + exif
        return content[:2] + struct.pack(">HH", 0xFFE1, 2 + len(payload)) + payload + content[2:]
    if image_format == "PNG":
        chunk = b"eXIf" + exif
        chunk = struct.pack(">I", len(exif)) + chunk + struct.pack(">I", zlib.crc32(chunk))
        return content[:_PNG_HEADER_END] + chunk + content[_PNG_HEADER_END:]
    chunk = struct.pack("<4sI", b"EXIF", len(exif)) + exif
    size = struct.pack("<I", len(content) + len(chunk) - 8)
    flags = bytes([content[_VP8X_FLAGS] | _VP8X_EXIF])
    return content[:4] + size + content[8:_VP8X_FLAGS] + flags + content[_VP8X_FLAGS + 1 :] + chunk


def _jpeg(content: bytes) -> Iterator[bytes]:
    """ITU-T T.81, annex B: segments up to the first scan are sifted; scans stay as they are, up to their end."""
    yield content[:2]
    marker, position = _SOI, 2
    while marker != _SOS:
        start = content.find(b"\xff", position)  # decoders skip what lies between segments
        if start < 0:
            raise Truncated("cut short")
        marker = _byte(content, start + 1)
        if marker in (0x00, 0xFF):
            position = start + 1
            continue
        position = start + 2 if marker in _BARE else _segment_end(content, start)
        metadata = marker == _COM or _APP0 <= marker <= _APP0 + 15
        if not metadata or content.startswith(_JPEG_KEPT.get(marker, _NOWHERE), start + 4):
            yield content[start:position]
        if marker == _EOI:
            raise ValueError("a JPEG without a scan")
    yield content[position : _scans_end(content, position)]


def _scans_end(content: bytes, position: int) -> int:
    while True:
        match = _IN_SCANS.search(content, position)
        if match is None:
            raise Truncated("cut short")
        marker = content[match.end() - 1]
        if marker == _EOI:
            return match.end()
        position = match.end() if marker in _BARE else _segment_end(content, match.start())


def _segment_end(content: bytes, start: int) -> int:
    length = int.from_bytes(_slice(content, start + 2, start + 4))
    if length < 2:
        raise ValueError("a JPEG segment shorter than its own length")
    return _check_end(content, start + 2 + length)


def _png(content: bytes) -> Iterator[bytes]:
    """W3C PNG, section 5: critical chunks (upper-case first letter) and those that say how pixels look."""
    yield content[:8]
    position, kind = 8, b""
    while kind != b"IEND":
        header = _slice(content, position, position + 8)
        kind, length = header[4:], int.from_bytes(header[:4])
        end = _check_end(content, position + 12 + length)  # length, kind and check sum have 4 bytes each
        if kind[:1].isupper() or kind in _PNG_KEPT:
            yield content[position:end]
        position = end


def _webp(content: bytes) -> Iterator[bytes]:
    """RFC 9649, section 2: RIFF chunks; the header of an extended file must not promise what is gone."""
    end = _check_end(content, 8 + int.from_bytes(_slice(content, 4, 8), "little"))
    chunks, position = [], 12
    while position < end:
        header = _slice(content, position, position + 8)
        after = _check_end(content, position + 8 + int.from_bytes(header[4:], "little"))
        after = min(after + (after - position) % 2, end)  # chunks are padded to an even length
        if header[:4] in _WEBP_KEPT:
            chunks.append(content[position:after])
        position = after
    if sum(map(len, chunks)) < end - 12 and chunks and chunks[0][:4] == b"VP8X":
        flags = _byte(chunks[0], 8) & ~(_VP8X_EXIF | _VP8X_XMP)
        chunks[0] = chunks[0][:8] + bytes([flags]) + chunks[0][9:]
    body = b"".join(chunks)
    yield b"RIFF" + (4 + len(body)).to_bytes(4, "little") + b"WEBP" + body


def _gif(content: bytes) -> Iterator[bytes]:
    """GIF89a: images, their control blocks, looping and the colour profile."""
    position = 13 + _colour_table(_byte(content, 10))  # signature, and the screen's descriptor with its flags
    yield _slice(content, 0, position)
    block = b""
    while block != b";":
        block = _slice(content, position, position + 1)
        end, kept = position + 1, block == b";"
        if block == b",":
            start = position + 10 + _colour_table(_byte(content, position + 9)) + 1  # the last: LZW code size
            end, kept = _sub_blocks_end(content, start), True
        elif block == b"!":
            label = _byte(content, position + 1)
            end = _sub_blocks_end(content, position + 2)
            is_kept_extension = label == _APPLICATION and content.startswith(_GIF_KEPT, position + 3)
            kept = label == _GRAPHIC_CONTROL or is_kept_extension
        if kept:
            yield content[position:end]
        position = end


def _colour_table(flags: int) -> int:
    """Bytes of a table: the highest bit says that there is one, the lowest three how many colours of 3 bytes."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _sub_blocks_end(content: bytes, position: int) -> int:
    while length := _byte(content, position):
        position += 1 + length
    return position + 1


def _byte(content: bytes, position: int) -> int:
    return _slice(content, position, position + 1)[0]


def _slice(content: bytes, start: int, end: int) -> bytes:
    return content[start : _check_end(content, end)]


def _check_end(content: bytes, end: int) -> int:
    """The place itself, if the file goes that far."""
    if end > len(content):
        raise Truncated("cut short")
    return end
