"""What a person would call an attachment, under a name that is safe to show, to send on and to store."""

import mimetypes
import re
import unicodedata
from urllib.parse import unquote

from crm.mail.letter import File
from mailbridge.charsets import storable

LONGEST_NAME = 120

_UNSAFE = re.compile(r'[<>:"|?*\x00-\x1f\x7f-\x9f]')
# What turns the direction of writing (`gpj.exe` shown as `exe.jpg`) or can't be seen.
_INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]")
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,80}/[a-z0-9!#$&^_.+-]{1,80}")
_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2}){2,}")
# Independent of what the machine calls its types.
_KNOWN = mimetypes.MimeTypes(filenames=())
_EXTENSIONS = {
    "text/plain": ".txt",
    "text/calendar": ".ics",
    "text/x-vcard": ".vcf",
    "text/vcard": ".vcf",
    "text/rtf": ".rtf",
    "application/ics": ".ics",
    "application/rtf": ".rtf",
    "application/pgp-keys": ".asc",
    "application/pgp-encrypted": ".asc",
    "application/pkcs7-mime": ".p7m",
    "application/x-pkcs7-mime": ".p7m",
    "application/octet-stream": ".bin",
    "application/zip": ".zip",
    "application/x-zip-compressed": ".zip",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "image/jpg": ".jpg",
    "image/jpeg": ".jpg",
    "image/pjpeg": ".jpg",
    "image/x-png": ".png",
    "image/webp": ".webp",
    "image/heic": ".heic",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/ogg": ".ogg",
    "audio/amr": ".amr",
    "message/rfc822": ".eml",
}
_WORDS = {"image": "image", "audio": "audio", "video": "video", "message": "message"}


def file(data: bytes, content_type: str, name: str | None, content_id: str | None = None, inline: bool = False) -> File:
    content_type = content_type if _TYPE.fullmatch(content_type) else "application/octet-stream"
    return File(clean_name(name, content_type), content_type, data, inline, storable(content_id or "") or None)


def clean_name(name: str | None, content_type: str) -> str:
    """Without folders, control and invisible characters, at most 120 long; from the type if there is none."""
    name = unicodedata.normalize("NFC", storable((name or "")[:4096]))
    if _PERCENT.search(name) and "\ufffd" not in (plain := unquote(name)):
        name = plain
    name = re.split(r"[/\\]", name)[-1]
    name = _UNSAFE.sub("_", " ".join(_INVISIBLE.sub("", name).split())).strip(" .")
    if not name.strip("_"):
        kind = content_type.partition("/")[0]
        return _WORDS.get(kind, "file") + extension(content_type)
    return shortened(name)


def shortened(name: str) -> str:
    """The end of a long name is what tells its kind."""
    if len(name) <= LONGEST_NAME:
        return name
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 12:
        return name[:LONGEST_NAME].rstrip(" .")
    return stem[: LONGEST_NAME - 1 - len(ending)].rstrip(" .") + dot + ending


def extension(content_type: str) -> str:
    return _EXTENSIONS.get(content_type) or _KNOWN.guess_extension(content_type) or ".bin"


def type_of(name: str) -> str:
    """What a file is by its ending."""
    return _KNOWN.guess_type(name)[0] or "application/octet-stream"
