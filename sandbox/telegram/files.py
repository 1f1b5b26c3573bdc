"""Files in the world, and the media part of a message made from one."""

from typing import Final

from sandbox.telegram.errors import bad
from sandbox.telegram.model import File, Json, Upload
from sandbox.telegram.samples import image_size, is_image
from sandbox.telegram.world import World

FILE_KINDS: Final = ("photo", "document", "voice", "video", "video_note", "sticker", "animation", "audio")
DOWNLOAD_LIMIT = 20 * 1024 * 1024
UPLOAD_LIMIT = 50 * 1024 * 1024
PHOTO_LIMIT = 10 * 1024 * 1024
_MOVING = frozenset({"video", "animation", "audio", "voice", "video_note"})
_TITLES: Final = {"video_note": "VideoNote", "photo": "Photo", "sticker": "Sticker"}


def store(world: World, kind: str, upload: Upload, details: Json | None = None) -> File:
    """Keep the bytes as a file of that kind."""
    if kind == "photo" and not is_image(upload.data):
        raise bad("IMAGE_PROCESS_FAILED")
    if kind == "photo" and len(upload.data) > PHOTO_LIMIT:
        raise bad("file is too big")
    if not upload.data:
        raise bad("file must be non-empty")
    number = world.count("files")
    suffix = upload.name.rpartition(".")[2] if "." in upload.name else "bin"
    file = File(
        f"SBX{number:06d}-{kind}",
        f"U{number:06d}",
        kind,
        upload.data,
        upload.name,
        upload.mime,
        f"{kind}s/file_{number}.{suffix}",
    )
    file.media = _described(world, file, details or {})
    world.files[file.file_id] = file
    return file


def media_content(file: File) -> Json:
    """The message fields for a file: a photo is a list of sizes, an animation is a document too."""
    if file.kind == "photo":
        return {"photo": file.media["sizes"]}
    if file.kind == "animation":
        plain = {k: file.media[k] for k in ("file_id", "file_unique_id", "file_name", "mime_type", "file_size")}
        return {"animation": file.media, "document": plain}
    return {file.kind: file.media}


def file_for(world: World, kind: str, given: str | Upload, details: Json) -> File:
    """What a bot means by a file parameter: fresh bytes, or the id of a file it has seen."""
    if isinstance(given, Upload):
        return store(world, kind, given, details)
    file = world.files.get(given)
    if file is None:
        if given.startswith(("http://", "https://")):
            raise bad("failed to get HTTP URL content")
        raise bad("wrong file identifier/HTTP URL specified")
    if file.kind != kind:
        raise bad(f"can't use file of type {_title(file.kind)} as {_title(kind)}")
    return file


def _title(kind: str) -> str:
    return _TITLES.get(kind, kind.capitalize())


def _described(world: World, file: File, details: Json) -> Json:
    base: Json = {"file_id": file.file_id, "file_unique_id": file.unique_id, "file_size": len(file.data)}
    if file.kind == "photo":
        return {"sizes": _sizes(world, file, base)}
    if file.kind in _MOVING:
        base["duration"] = int(details.get("duration", 1))
    if file.kind in ("video", "animation"):
        base |= {"width": int(details.get("width", 640)), "height": int(details.get("height", 360))}
    if file.kind == "video_note":
        return base | {"length": int(details.get("length", 240))}
    if file.kind == "sticker":
        flags = {"type": "regular", "is_animated": False, "is_video": False}
        return base | flags | {"width": 512, "height": 512, "emoji": details.get("emoji", "👍")}
    if file.kind != "voice":
        base["file_name"] = file.name
    if file.kind == "audio":
        base |= {key: details[key] for key in ("performer", "title") if key in details}
    return base | {"mime_type": file.mime}


def _sizes(world: World, file: File, base: Json) -> list[Json]:
    width, height = image_size(file.data)
    small = File(file.file_id + "-s", file.unique_id + "s", "photo", file.data, file.name, file.mime, file.path)
    world.files[small.file_id] = small
    scale = 90 / max(width, height, 90)
    sizes = [
        {
            **base,
            "file_id": small.file_id,
            "file_unique_id": small.unique_id,
            "width": max(1, int(width * scale)),
            "height": max(1, int(height * scale)),
        },
        {**base, "width": width, "height": height},
    ]
    small.media = {"sizes": sizes}
    return sizes
