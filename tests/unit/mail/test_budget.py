"""What is too deep or too much is cut, and costs no more than any other mail of its size (attacks 22 and 23)."""

import base64
import gzip
import io
import time
import zipfile

from mailbridge import addresses, mime
from mailbridge.parse import parse
from mailbridge.read import read

HEAD = b"From: a@b.kz\nSubject: t\nMIME-Version: 1.0\n"


def seconds(raw: bytes) -> float:
    begun = time.process_time()
    read(raw)
    return time.process_time() - begun


def test_attack_22_twenty_thousand_levels() -> None:
    deep = HEAD + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(20_000))
    assert seconds(deep + b"\nText\n") < 5
    deepest = parse(deep)
    assert len(deepest.parts) <= mime.MOST
    mails = HEAD + b"Content-Type: message/rfc822\n\n" * 20_000 + b"Text\n"
    assert seconds(mails) < 5


def test_attack_22_one_boundary_for_all_levels() -> None:
    assert seconds(HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 20_000) < 5


def test_attack_22_a_hundred_thousand_parts() -> None:
    raw = HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000
    assert seconds(raw) < 5
    assert len(parse(raw).parts) <= 1000


def test_attack_22_comments_and_recipients() -> None:
    recipients = b", ".join(b'"Person %d" <p%d@example.kz>' % (n, n) for n in range(40_000))
    raw = (
        b"From: "
        + b"(" * 1000
        + b")" * 1000
        + b" a@b.kz\nTo: "
        + recipients
        + b"\nCc: "
        + recipients
        + b"\nSubject: t\n\nText\n"
    )
    assert seconds(raw) < 5
    letter = read(raw)
    assert letter.sender is not None
    assert letter.sender.address == "a@b.kz"
    assert letter.subject == "t"
    assert letter.text == "Text"
    assert 0 < len(letter.to) <= addresses.MOST


def test_header_fields_without_end() -> None:
    assert seconds(HEAD + b"X-Spam: y\n" * 200_000 + b"\nText\n") < 5
    assert seconds(HEAD + b"X-Spam: " + b" y\n" * 500_000 + b"\nText\n") < 5
    assert seconds(HEAD + b"no field\n" * 200_000) < 5


def test_text_of_megabytes() -> None:
    for line in (
        b"> quoted line\n",
        b"On Monday a@b.kz wrote:\n",
        b"From: x\nSent: y\n",
        b"word " * 20,
        b"<div>",
        b"begin 644 x\n",
    ):
        assert seconds(HEAD + b"\n" + line * (2_000_000 // len(line))) < 5, line


def test_attack_23_archives_are_never_unpacked() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", b"\0" * 50_000_000)
    bombs = {"bomb.zip": packed.getvalue(), "bomb.gz": gzip.compress(b"\0" * 50_000_000)}
    for name, bomb in bombs.items():
        raw = HEAD + f'Content-Type: application/octet-stream; name="{name}"\nContent-Encoding: gzip\n'.encode()
        raw += b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(bomb)
        begun = time.process_time()
        letter = read(raw)
        assert time.process_time() - begun < 1
        assert [(file.filename, file.size) for file in letter.files] == [(name, len(bomb))]


def test_a_charset_is_never_an_archive() -> None:
    raw = HEAD + b"Content-Type: text/plain; charset=zlib\nContent-Transfer-Encoding: base64\n\neJxLTEoGAAJNASc=\n"
    assert len(read(raw).text) < 100
