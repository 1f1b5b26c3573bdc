"""Mails for a measurement: the shapes of the corpus as one server hands them to another, each from a sender of its own.

Pure but for reading the corpus.
"""

import re
from functools import cache
from pathlib import Path

OWN = "support@prodata.example"

_CORPUS = Path(__file__).resolve().parents[1] / "data" / "mail"
_CLIENTS = ("apple", "gmail", "mailru", "outlook", "phones", "thunderbird", "yandex")
_SMALLEST, _LARGEST = 2_300, 5_300
# What says who wrote whom is written anew.
_REPLACED = re.compile(
    rb"^(?:From|To|Cc|Reply-To|Sender|Message-ID|In-Reply-To|References|Thread-Topic|Thread-Index|Return-Path|Received"
    rb"|Delivered-To):.*\n(?:[ \t].*\n)*",
    re.IGNORECASE | re.MULTILINE,
)
_WAY = """\
Return-Path: <{sender}>
Delivered-To: {own}
Received: from mx1.prodata.example (mx1.prodata.example [192.0.2.10])
\tby store.prodata.example (Postfix) with LMTP id {number:08X}1
\tfor <{own}>; Mon, 12 Jan 2026 10:15:04 +0500 (+05)
Received: from relay.{domain} (relay.{domain} [198.51.100.25])
\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)
\t key-exchange X25519 server-signature RSA-PSS (2048 bits))
\tby mx1.prodata.example (Postfix) with ESMTPS id {number:08X}2
\tfor <{own}>; Mon, 12 Jan 2026 10:15:03 +0500 (+05)
Received: from [10.20.30.40] (unknown [203.0.113.7])
\tby relay.{domain} (Postfix) with ESMTPSA id {number:08X}3;
\tMon, 12 Jan 2026 10:15:02 +0500 (+05)
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s=mail;
\tt=1768194902; h=from:to:subject:date:message-id:mime-version:content-type;
\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;
\tb=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZVoG4ZHRNiYzR8mEJ1Zk2tWlq7Xo3eVb0
\t 5uQbYxFh0r6mE2yPqkz1sTnJd4vWc9LgAiHoUK7BfCN3pXRM8SjTeDwGyItQ6Vaa1oZlPmOk5YbWqUhXnEr2Jv
From: "{name}" <{sender}>
To: {own}
Message-ID: <{message_id}>
"""


@cache
def shapes() -> tuple[bytes, ...]:
    """Of the usual mail programs what is neither tiny nor big."""
    found = (path for client in _CLIENTS for path in sorted((_CORPUS / client).glob("*.eml")))
    mails = (path.read_bytes().replace(b"\r\n", b"\n") for path in found)
    return tuple(mail for mail in mails if _SMALLEST <= len(mail) <= _LARGEST)


def sender_of(number: int) -> str:
    return f"client{number}@firma{number % 97}.example"


def id_of(name: str, number: int) -> str:
    """Without brackets."""
    return f"{name}.{number}@firma{number % 97}.example"


def letter(name: str, number: int, answered: str = "") -> bytes:
    """A mail of the `number`-th sender; a reply where it has `answered` something."""
    head, _, body = shapes()[number % len(shapes())].partition(b"\n\n")
    address = sender_of(number)
    way = _WAY.format(
        sender=address,
        domain=address.rpartition("@")[2],
        own=OWN,
        number=number,
        name=f"Client {number}",
        message_id=id_of(name, number),
    )
    thread = f"In-Reply-To: <{answered}>\nReferences: <{answered}>\n" if answered else ""
    return (way + thread).encode() + _REPLACED.sub(b"", head + b"\n").rstrip(b"\n") + b"\n\n" + body
