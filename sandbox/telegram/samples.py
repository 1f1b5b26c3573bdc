"""Small, real files of every kind: what people send when a test names no file."""

import struct
import zlib
from functools import cache
from pathlib import Path

from sandbox.telegram.model import Upload

# What cannot be made in a few lines: a second of film and a picture with a transparent ground.
MEDIA = Path(__file__).resolve().parent / "media"


@cache
def sample(kind: str) -> Upload:
    """The built-in file of that kind."""
    name, mime, make = _SAMPLES[kind]
    return Upload(name, mime, make())


def kind_of(upload: Upload) -> str:
    """What a person's client would send such a file as."""
    mime = upload.mime
    for prefix, kind in _BY_MIME:
        if mime.startswith(prefix):
            return kind
    return "document"


def is_image(data: bytes) -> bool:
    return data.startswith((b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8")) or data[8:12] == b"WEBP"


def image_size(data: bytes) -> tuple[int, int]:
    """Width and height of a PNG; a usual size for anything else."""
    if data.startswith(b"\x89PNG\r\n") and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    return 800, 600


def png(width: int = 320, height: int = 200) -> bytes:
    """A gradient with a lighter disc, as a screenshot would be."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            near = (x - width // 2) ** 2 + (y - height // 2) ** 2 < (height // 4) ** 2
            rows += bytes((235, 240, 245) if near else (40 + x * 80 // width, 90 + y * 60 // height, 150))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(rows), 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def ogg(seconds: int = 1) -> bytes:
    """Silence in Opus: two header pages and one page of 20 ms frames."""
    head = b"OpusHead" + struct.pack("<BBHIHB", 1, 1, 0, 48_000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 7) + b"sandbox" + struct.pack("<I", 0)
    frames = 50 * seconds
    silence = _page(4, 960 * frames, 2, [b"\xf8\xff\xfe"] * frames)
    return _page(2, 0, 0, [head]) + _page(0, 0, 1, [tags]) + silence


def _page(flags: int, position: int, number: int, packets: list[bytes]) -> bytes:
    sizes = bytes(len(packet) for packet in packets)
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, position, 1, number, 0, len(sizes))
    page = head + sizes + b"".join(packets)
    return page[:22] + struct.pack("<I", _ogg_crc(page)) + page[26:]


def _ogg_crc(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1) ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1
        crc &= 0xFFFFFFFF
    return crc


def _shipped(name: str) -> bytes:
    return (MEDIA / name).read_bytes()


def _clip() -> bytes:
    return _shipped("clip.mp4")


def _sticker() -> bytes:
    return _shipped("sticker.webp")


def _mp3() -> bytes:
    return (b"\xff\xfb\x90\x00" + bytes(413)) * 10


def _text() -> bytes:
    return b"2026-11-22T08:00:00Z host=web-1 status=502 upstream=timeout\n" * 4


_SAMPLES = {
    "photo": ("photo.png", "image/png", png),
    "document": ("log.txt", "text/plain", _text),
    "voice": ("voice.ogg", "audio/ogg", ogg),
    "video": ("video.mp4", "video/mp4", _clip),
    "video_note": ("note.mp4", "video/mp4", _clip),
    "animation": ("animation.mp4", "video/mp4", _clip),
    "audio": ("audio.mp3", "audio/mpeg", _mp3),
    "sticker": ("sticker.webp", "image/webp", _sticker),
}
_BY_MIME = (
    ("image/webp", "sticker"),
    ("image/gif", "animation"),
    ("image/png", "photo"),
    ("image/jpeg", "photo"),
    ("audio/ogg", "voice"),
    ("audio/", "audio"),
    ("video/", "video"),
)
