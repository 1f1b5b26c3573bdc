"""Header fields: where they end, what they say, and their parameters."""

import time

import pytest

from mailbridge import fields


def header(data: bytes) -> tuple[list[tuple[str, str]], bytes]:
    found, start = fields.split(data, 0, len(data))
    return [(name, fields.words(fields.unfolded(value))) for name, value in found], data[start:]


@pytest.mark.parametrize(
    ("data", "found", "body"),
    [
        (b"A: 1\r\nB: 2\r\n\r\nbody", [("a", "1"), ("b", "2")], b"body"),
        (b"From x@y Mon Jan 1\nA: 1\n\nbody", [("a", "1")], b"body"),
        (b">From x@y Mon Jan 1\nA: 1\n\nbody", [("a", "1")], b"body"),
        (b"\n\r\n\nA: 1\n\nbody", [("a", "1")], b"body"),
        (b"A: 1\n two\n\tthree\n\nbody", [("a", "1 two three")], b"body"),
        # No empty line between header and body.
        (b"A: 1\nHello there\nNote: this\n", [("a", "1")], b"Hello there\nNote: this\n"),
        # A continuation that lost its indentation.
        (b"Subject: long\nsubject\nFrom: a@b.c\n\nbody", [("subject", "long subject"), ("from", "a@b.c")], b"body"),
        (b"Subject: a\n \nFrom: a@b.c\n\nbody", [("subject", "a"), ("from", "a@b.c")], b"body"),
        (b"Subject: a\n \nbody", [("subject", "a")], b"body"),
        (b"A : 1\n\nbody", [("a", "1")], b"body"),
        (b"A: 1", [("a", "1")], b""),
        (b"just text\nand more", [], b"just text\nand more"),
        (b"", [], b""),
        (b"A: x\0y\n\nb", [("a", "xy")], b"b"),
    ],
)
def test_where_a_header_ends(data: bytes, found: list[tuple[str, str]], body: bytes) -> None:
    assert header(data) == (found, body)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"=?utf-8?B?0J/RgNC40LI=?=\r\n =?utf-8?B?0LXRgg==?=", "Привет"),
        # Cut within a letter.
        (b"=?utf-8?Q?=D0?= =?utf-8?Q?=9F?= x", "П x"),
        (b"=?utf-8?B?0J/R?= =?utf-8?B?gNC40LLQtdGC?=", "Привет"),
        # Folded within a word.
        (b"=?utf-8?B?0J/RgNC4\r\n 0LLQtdGC?=", "Привет"),
        (b'"=?koi8-r?B?8NLJ18XU?="', '"Привет"'),
        (b"Re: =?windows-1251?Q?=CF=F0=E8=E2=E5=F2?=, all", "Re: Привет, all"),
        (b"=?UTF-8*ru?Q?=D0=9F?=", "П"),
        (b"=?utf-8?Q?What??= ok", "What? ok"),
        (b"=?utf-8?Q?a?=20b?=", "a?\u0020b"),
        (b"=?utf-8?Q?with space?=", "with space"),
        (b"=?utf-8?B?0J/RgNC40LLQtdGC", "Привет"),
        (b"=?utf-8?B?0J/RgNC40LLQtdGC?", "Привет"),
        (b"=?utf-8?Q?a?=b=?utf-8?Q?c?=", "abc"),
        (b"=?utf-8?Q?a?= =?koi8-r?B?8A==?=", "aП"),
        ("Тема письма".encode(), "Тема письма"),
        ("Тема письма в кодировке".encode("cp1251"), "Тема письма в кодировке"),
        (b"=?utf-8?Q?a=0D=0ABcc:_x@y.z?=", "a Bcc: x@y.z"),
        (b"=?utf-8?B??=", ""),
        (b"=?nonsense?X?abc?= stays", "=?nonsense?X?abc?= stays"),
        (b"2 =? 2", "2 =? 2"),
    ],
)
def test_encoded_words(value: bytes, text: str) -> None:
    assert fields.words(fields.unfolded(value)) == text


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ('attachment; filename="a b.txt"', "a b.txt"),
        ("attachment; filename=a b.txt", "a b.txt"),
        ("attachment; filename=a.txt; size=3", "a.txt"),
        ('attachment; filename="a;b\\"c.txt"', 'a;b"c.txt'),
        ('attachment; filename="C:\\temp\\a.txt"', "C:\\temp\\a.txt"),
        ("attachment; filename*=utf-8''%D0%9F.txt", "П.txt"),
        ("attachment; filename*=windows-1251''%CF.txt", "П.txt"),
        ("attachment; filename=x.txt; filename*=utf-8''%D0%9F.txt", "П.txt"),
        ("attachment; filename*=utf-8''%D0%9F.txt; filename=x.txt", "П.txt"),
        ("attachment; filename*0*=utf-8''%D0; filename*1*=%9F; filename*2=.txt", "П.txt"),
        ('attachment; filename*1="b.txt"; filename*0="a"', "ab.txt"),
        ('attachment; filename="=?utf-8?B?0J8=?=.txt"', "П.txt"),
        ("attachment; filename==?utf-8?Q?=D0=9F.txt?=", "П.txt"),
        ('attachment; filename="=?utf-8?Q?=D0?= =?utf-8?Q?=9F?=.txt"', "П.txt"),
        ('attachment; filename="unclosed.txt', "unclosed.txt"),
        ("attachment;; filename = 'a.txt' ;", "a.txt"),
    ],
)
def test_parameters(value: str, name: str) -> None:
    assert fields.parameters(value)[1]["filename"] == name


def test_a_hostile_header_is_read_in_no_time() -> None:
    begun = time.process_time()
    for piece in (b"=?a?q?", b"=?a?b?", b'"\\', b"(", b"<", b"=?utf-8?q?=20?= ", b';a="'):
        data = b"Subject: " + piece * 100_000 + b"\n\n"
        found, _ = fields.split(data, 0, len(data))
        fields.words(fields.unfolded(found[0][1]))
        fields.parameters("x;" + fields.unfolded(found[0][1]))
    assert time.process_time() - begun < 5
