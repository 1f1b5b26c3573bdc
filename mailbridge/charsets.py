"""Bytes to text, whatever their label says: labels lie, are missing, or name what nobody knows."""

import codecs
import re
from functools import lru_cache

from charset_normalizer import from_bytes

from mailbridge.wording import names

# What web browsers and mail programs take a label for, where Python means less by it or nothing at all.
_MEANT = {
    "usascii": "ascii",
    "ansix3": "ascii",
    "iso88591": "cp1252",
    "latin1": "cp1252",
    "ascii8bit": "ascii",
    "iso88599": "cp1254",
    "iso88598i": "iso8859-8",
    "iso88598e": "iso8859-8",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "xgbk": "gb18030",
    "cp936": "gb18030",
    "euccn": "gb18030",
    "ksc56011987": "cp949",
    "euckr": "cp949",
    "shiftjis": "cp932",
    "sjis": "cp932",
    "xsjis": "cp932",
    "windows31j": "cp932",
    "big5": "cp950",
    "big5hkscs": "big5hkscs",
    "iso2022jp": "iso2022_jp_ext",
    # The Ukrainian letters stand where KOI8-R has parts of frames.
    "koi8": "koi8-u",
    "koi8r": "koi8-u",
    "koi8ru": "koi8-u",
    "windows874": "cp874",
    "tis620": "cp874",
    "xmaccyrillic": "mac-cyrillic",
    "unicode11utf7": "utf-7",
    "utf8mb4": "utf-8",
    "unicode": "utf-16",
    "ucs2": "utf-16",
    "iso10646ucs2": "utf-16",
}
# Python calls these encodings too, but they are none of a text in a mail.
_NEVER = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"}
_CYRILLIC = ("cp1251", "koi8-u", "iso8859-5", "cp866", "mac-cyrillic")
_WESTERN = {"ascii", "cp1252", "cp1254", "iso8859-15", "iso8859-2", "cp1250", "cp850", "cp437"}
_WIDE = {"utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 8192
# Pairs of letters that make up most of any text in Russian, Ukrainian or Kazakh.
_PAIRS = names("""
    ст но то на ен ов ни ра во ко ро ер ал ли по ре пр от ос ть ва ан ет ол ом ор ес го не та ка ел ат ит ла
    ле ив де ри ки ии ин ло да ск ви те тс об за со ся ми ак ди пе ны ме дл до св ар од ег тр че из ож жа ас
    ую ая ый ой ие ые ий ше же чи бы сь ще ши ша щи ув ум ус уд зд ам ма мо му си се су ты ту ят яв ющ аш ей
    ем их им кл ля мн нн ну ог он оч ош пи пл пу ру ры са сл см сп ти тв уж ул ут уч ья эт ез ев ед жд зв зн
    иб иг ик ил ис ич ца це ци шл ъе ют яс др дн ду ды бо бе бу бл бр вн вы вс ве га ги гр аб аг ад аж аз ай
    ап ач ах ях ук ун вх оп ощ йт ям мп сч чё ёт ён ёр ёл тё её лё дё ії ів ві ід із ін іс іт ює ою ні лі рі
    ті їх єт ың ің ді ға ге қа қо құ қы ке кі сы сі мы мі лы бі жы жұ үш өт ек еп ім ір ып ығ ғы гі тү тұ ұр
    үй ән әл рә ік шы ші ын ыз ау еу дұ рұ мд нд лд ңы ңі кү үн үк мұ ұғ бұ ұл өз өн кө сә лә мә бә тә әт әр ңд ғд
    """)
_CAPITAL_WITHIN = re.compile(r"[а-яё][А-ЯЁ]|[А-ЯЁ][а-яё]*[А-ЯЁ][а-яё]")
_CYRILLIC_WORD = re.compile(r"[А-ЯЁа-яёІіЇїЄєҐґӘәҒғҚқҢңӨөҰұҮүҺһ]+")
_PUNCTUATION = frozenset("«»—–№„“”’…•©®°\xa0")
_KAZAKH_BYTES = re.compile(rb"[\x8d\x8e\x9d\x9e\xa1-\xa3\xa5\xaa\xaf\xb5\xba\xbc-\xbf]")
_KAZAKH_LETTERS = frozenset("әғқңөұүһ")
_HIGH_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
_UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff\ufeff]")


def decode(data: bytes, label: str | None = None, hint: str | None = None) -> str:
    """The text of `data`. `label` is what it calls itself, `hint` what its surroundings are written in. Never fails."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    codec = known(label)
    if codec in _WIDE:
        return _wide(data, codec)
    if data.isascii():
        if codec in ("utf-7", "hz") or (b"\x1b$" in data and (codec or "").startswith("iso2022")):
            return _attempt(data, codec) or _with_circled_digits(data) or data.decode(codec or "ascii", "replace")
        if b"\x1b$" in data or b"\x1b(" in data:
            return _attempt(data, "iso2022_jp_ext") or data.decode("ascii")
        return _wide(data, None) if _zeros(data) else data.decode("ascii")
    return _eight_bits(data, codec, known(hint))


def storable(text: str) -> str:
    """Without what a database refuses or a terminal obeys; line ends are `\\n`."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\x0c" in text:
        text = text.replace("\x0c", "\n")
    if _UNSTORABLE.search(text):
        text = _UNSTORABLE.sub(lambda found: "\ufffd" if "\ud800" <= found[0] <= "\udfff" else "", text)
    return text


@lru_cache(maxsize=512)
def known(label: str | None) -> str | None:
    """Python's name of the charset that a label means; None if it means none."""
    if not label or len(label) > 40:
        return None
    plain = re.sub(r"[^a-z0-9]", "", label.lower())
    windows = re.fullmatch(r"(?:x?cp|win|windows|cswindows)(125[0-8])(?:cyrillic)?", plain)
    name = f"cp{windows[1]}" if windows else _MEANT.get(plain, label.strip(" '\"").lower())
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    # An attribute of CPython that `bytes.decode` itself goes by.
    text = getattr(found, "_is_text_encoding", True)
    return found.name if text and found.name.replace("_", "-") not in _NEVER else None


def _eight_bits(data: bytes, codec: str | None, hint: str | None) -> str:
    utf8 = _attempt(data, "utf-8")
    if codec in (None, "utf-8", "ascii") or codec in _WESTERN or codec in _CYRILLIC:
        if utf8 is not None:
            return utf8
    elif (text := _attempt(data, codec)) is not None:
        return text
    elif utf8 is not None:
        return utf8
    if codec == "utf-8" and (rescued := _damaged_utf8(data)) is not None:
        return rescued
    if codec in _CYRILLIC:
        return _cyrillic(data, codec)
    # Who names a Western charset may have written a short word of umlauts alone.
    if _looks_cyrillic(data, least=1 if codec in (None, "ascii", "utf-8") else 6):
        return _cyrillic(data, hint if hint in _CYRILLIC else None)
    for name in (codec, hint):
        if name not in (None, "utf-8", "ascii", "utf-7") and name is not None:
            return data.decode(name, "replace") if name != "cp1252" else _western(data)
    return _guessed(data)


def _attempt(data: bytes, codec: str | None) -> str | None:
    try:
        return data.decode(codec or "utf-8")
    except (UnicodeError, ValueError):
        return None


def _with_circled_digits(data: bytes) -> str | None:
    """ISO-2022-JP with the signs that Windows in Japan has besides: a later standard has them in the same place."""
    return _attempt(data.replace(b"\x1b$B", b"\x1b$(Q"), "iso2022_jp_2004")


def _damaged_utf8(data: bytes) -> str | None:
    """UTF-8 in which a few bytes are broken or cut off is still UTF-8."""
    text = data.decode("utf-8", "replace")
    high = sum(character > "\x7f" for character in text[:_SAMPLE])
    broken = text.count("\ufffd", 0, _SAMPLE)
    return text if broken * 4 <= high or (high == broken == 1 and len(data) > 40) else None


def _looks_cyrillic(data: bytes, least: int) -> bool:
    """In Western texts a few letters of a word are beyond ASCII; in Cyrillic ones all are. `least`: how many it takes
    to tell."""
    words = _HIGH_WORD.findall(data[:_SAMPLE])
    letters = sum(map(len, words))
    high = sum(byte > 127 for word in words for byte in word)
    if high < max(least, letters * 0.8):
        return False
    longest = max(map(len, words))
    return longest >= 3 and max(_score(data[:_SAMPLE].decode(name, "replace")) for name in _CYRILLIC) > 0.45


def _cyrillic(data: bytes, stated: str | None) -> str:
    """The reading that looks most like words; what is stated wins unless another is plainly better."""
    sample = data[:_SAMPLE]
    scores = {name: _score(sample.decode(name, "replace")) for name in _CYRILLIC}
    # Its small letters are where Windows has them too; nobody has seen it for long.
    scores["mac-cyrillic"] -= 0.25
    best = max(_CYRILLIC, key=lambda name: scores[name])
    enough = sum(byte > 127 for byte in sample) >= 12
    if stated in scores and not (enough and scores[best] >= scores[stated] + 0.2):
        best = stated
    if best == "cp1251" and _is_kazakh(sample):
        best = "kz1048"
    return data.decode(best, "replace")


def _is_kazakh(sample: bytes) -> bool:
    """Windows in Kazakhstan has its own letters where elsewhere stand Serbian, Ukrainian and Belarusian ones."""
    if not _KAZAKH_BYTES.search(sample):
        return False
    text = sample.decode("kz1048", "replace").lower()
    pairs = [text[n : n + 2] for n in range(len(text) - 1) if _KAZAKH_LETTERS & set(text[n : n + 2])]
    known = [pair for pair in pairs if pair.isalpha()]
    return 5 * sum(pair in _PAIRS for pair in known) >= 2 * len(known) > 0


def _score(text: str) -> float:
    """How much of it is made of usual pairs of letters: about 0.7 in the right charset, below 0.4 in others."""
    words = _CYRILLIC_WORD.findall(text)
    pairs = [word[n : n + 2] for word in map(str.lower, words) for n in range(len(word) - 1)]
    strange = sum(character > "\x7f" and character not in _PUNCTUATION for character in _CYRILLIC_WORD.sub("", text))
    capitals = sum(len(_CAPITAL_WITHIN.findall(word)) for word in words)
    return (sum(pair in _PAIRS for pair in pairs) - capitals - strange) / (len(pairs) + strange or 1)


def _western(data: bytes) -> str:
    return _attempt(data, "cp1252") or data.decode("latin-1")


def _guessed(data: bytes) -> str:
    """Nothing is said and it is neither UTF-8 nor Cyrillic."""
    if _zeros(data):
        return _wide(data, None)
    if sum(byte > 127 for byte in data[:_SAMPLE]) < 16:
        # Too little to tell.
        return _western(data)
    # Thorough and slow: tens of milliseconds.
    found = from_bytes(data[:2048], steps=3, cp_exclusion=["utf_7", "utf_16", "utf_32"]).best()
    return data.decode(found.encoding, "replace") if found else _western(data)


def _zeros(data: bytes) -> bool:
    """Whether it looks like two bytes a letter: ASCII has a zero in each then, Cyrillic a four."""
    sample = data[:1024]
    if len(sample) < 4 or (sample.count(0) + sample.count(4)) * 5 <= len(sample):
        return False
    few, many = sorted(sum(byte in (0, 4) for byte in sample[start::2]) for start in (0, 1))
    return few * 3 <= many


def _wide(data: bytes, codec: str | None) -> str:
    """UTF-16 whose order of bytes nobody says; or what only calls itself so."""
    sample = data[:2048]
    even, odd = (sum(byte in (0, 4) for byte in sample[start::2]) for start in (0, 1))
    if codec and codec.startswith("utf-32") and data.count(0) * 2 > len(data):
        return data.decode(codec, "replace")
    if max(even, odd) * 4 < len(sample) // 2 and (text := _attempt(data, "utf-8")) is not None:
        return text
    if codec in ("utf-16-le", "utf-16-be") and min(even, odd) * 2 > max(even, odd):
        return data.decode(codec, "replace")
    return data.decode("utf-16-be" if even > odd else "utf-16-le", "replace")
