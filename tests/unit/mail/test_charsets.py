"""Bytes to text: labels that lie, are missing, or mean something else than they say."""

import pytest

from mailbridge.charsets import decode, storable

RUSSIAN = "Здравствуйте! У нас не работает сервер, помогите, пожалуйста."
KAZAKH = "Сәлеметсіз бе! Сервер жұмыс істемейді, көмектесіңізші. Қайтадан қосуға болмайды."
CZECH = "Příliš žluťoučký kůň úpěl ďábelské ódy"
JAPANESE = "サーバーが動かないので、ご確認をお願いいたします。"
CHINESE = "您好，服务器无法启动，请尽快帮助处理。"


@pytest.mark.parametrize("codec", ["cp1251", "koi8-r", "iso8859-5", "cp866", "utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("label", [None, "us-ascii", "x-unknown", "unknown-8bit", "iso-8859-1", "utf-8", "utf-16"])
def test_russian_under_any_label(codec: str, label: str | None) -> None:
    if ("utf-16" in codec and label not in (None, "utf-16")) or (label == "utf-16" and "utf" not in codec):
        pytest.skip("nobody does that")
    assert decode(RUSSIAN.encode(codec), label) == RUSSIAN


@pytest.mark.parametrize(
    ("codec", "label"), [("koi8-r", "windows-1251"), ("cp1251", "koi8-r"), ("cp1251", "iso-8859-5")]
)
def test_one_cyrillic_charset_under_the_name_of_another(codec: str, label: str) -> None:
    assert decode(RUSSIAN.encode(codec), label) == RUSSIAN


@pytest.mark.parametrize(
    ("text", "codec", "label"),
    [
        (KAZAKH, "utf-8", "windows-1251"),
        (KAZAKH, "ptcp154", "ptcp154"),
        (CZECH, "cp1250", "windows-1250"),
        (CZECH, "iso8859-2", "ISO-8859-2"),
        ("Grüße aus München, “schön”", "cp1252", "iso-8859-1"),
        ("Grüße aus München", "latin-1", None),
        ("Ça va très bien", "cp1252", "utf-8"),
        (JAPANESE, "iso2022_jp", "iso-2022-jp"),
        (JAPANESE, "iso2022_jp", None),
        (JAPANESE, "cp932", "Shift_JIS"),
        (JAPANESE, "euc_jp", "euc-jp"),
        (CHINESE, "gb18030", "gb2312"),
        (CHINESE, "gbk", "GBK"),
        ("您好，伺服器無法啟動", "big5hkscs", "big5-hkscs"),
        (CHINESE, "hz", "hz-gb-2312"),
        ("联通", "gbk", "gb2312"),
        ("서버가 작동하지 않습니다", "cp949", "ks_c_5601-1987"),
        (RUSSIAN, "utf-7", "unicode-1-1-utf-7"),
        (RUSSIAN, "cp1251", "win-1251"),
        (RUSSIAN, "cp1251", "cp-1251"),
        (RUSSIAN, "koi8-r", "'koi8r'"),
        (RUSSIAN, "utf-8-sig", "windows-1251"),
        (RUSSIAN, "utf-32", None),
        (RUSSIAN, "utf-16", "utf-8"),
    ],
)
def test_text_comes_back(text: str, codec: str, label: str | None) -> None:
    assert decode(text.encode(codec), label) == text


@pytest.mark.parametrize("label", ["rot13", "hex", "zip", "base64", "idna", "punycode", "unicode_escape", "undefined"])
def test_codecs_that_are_no_charsets_are_none(label: str) -> None:
    assert decode(b"\\x41 abc xn--", label) == "\\x41 abc xn--"


@pytest.mark.parametrize("label", ["\0", "a" * 500, "..", "utf-8\nX: y", "%s", "ünknown", ""])
def test_labels_that_are_nonsense(label: str) -> None:
    assert decode(RUSSIAN.encode(), label) == RUSSIAN


def test_utf8_of_which_a_letter_is_cut_off_stays_utf8() -> None:
    assert decode(RUSSIAN.encode()[:-2], "utf-8").startswith(RUSSIAN[:-3])
    assert decode(RUSSIAN.encode() + b"\xff", "utf-8").startswith(RUSSIAN)


def test_ascii_that_calls_itself_utf16() -> None:
    assert decode(b"Hello, plain text here", "utf-16") == "Hello, plain text here"


def test_a_hint_settles_what_nobody_says() -> None:
    assert decode("Тема".encode("koi8-r"), None, "koi8-r") == "Тема"


def test_what_a_database_refuses_is_gone() -> None:
    assert storable("a\0b\ud800c\r\nd\re\x1b[31m\x7f\ufeff\tf") == "ab\ufffdc\nd\ne[31m\tf"
