"""Every call is checked against aiogram's own method models, so the oracle is not our reading alone."""

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, reduce
from operator import or_
from typing import Any, Final, Union, get_args, get_origin

import aiogram.methods
from aiogram.client.default import Default
from aiogram.types import InputFile
from pydantic import BaseModel, TypeAdapter, ValidationError

from sandbox.telegram.errors import bad
from sandbox.telegram.model import Json, Upload

Reader = Callable[[str, object], object]

# The server has its own words for these two.
MISSING: Final = {"chat_id": "chat_id is empty", "text": "message text is empty"}


@dataclass(frozen=True, slots=True)
class Spec:
    """A method's parameters: how each is read, and which must be there."""

    readers: Mapping[str, Reader]
    required: tuple[str, ...]


@cache
def method_names() -> dict[str, str]:
    """Lower case to the documented spelling; the server ignores case as well."""
    models = (getattr(aiogram.methods, name) for name in aiogram.methods.__all__)
    names = (vars(model).get("__api_method__") for model in models)
    return {name.lower(): name for name in names if isinstance(name, str)}


@cache
def spec(method: str) -> Spec:
    model = getattr(aiogram.methods, method[0].upper() + method[1:])
    fields = model.model_fields
    readers = {name: _reader(field.annotation) for name, field in fields.items()}
    return Spec(readers, tuple(name for name, field in fields.items() if field.is_required()))


def check(method: str, given: Mapping[str, object]) -> Json:
    """The parameters with their proper types, or 400 naming the wrong one."""
    known = spec(method)
    params: Json = {}
    for name, value in given.items():
        reader = known.readers.get(name)
        if reader is None:
            raise bad(f'unknown parameter "{name}"')
        if value is not None and (value != "" or reader is _text):
            params[name] = reader(name, value)
    for name in known.required:
        if name not in params:
            raise bad(MISSING.get(name, f'parameter "{name}" is required'))
    return params


def _reader(annotation: Any) -> Reader:
    """How to read a parameter of that type from a form field or a JSON value."""
    parts = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    kinds = tuple(part for part in parts if part not in (type(None), Default))
    found = frozenset(kinds)
    if InputFile in found:
        return _file
    if found & {datetime, timedelta} or found == {int}:
        return _integer
    simple: dict[frozenset[Any], Reader] = {
        frozenset({bool}): _boolean,
        frozenset({float}): _number,
        frozenset({str}): _text,
        frozenset({int, str}): _chat,
    }
    return simple.get(found) or _complex(reduce(or_, kinds))


def _integer(name: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            pass
    raise bad(f'parameter "{name}" must be an integer')


def _number(name: str, value: object) -> float:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return float(value)
        except ValueError:
            pass
    raise bad(f'parameter "{name}" must be a number')


def _boolean(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if text not in ("true", "false", "1", "0", "yes", "no"):
        raise bad(f'parameter "{name}" must be a boolean')
    return text in ("true", "1", "yes")


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise bad(f'parameter "{name}" must be a string')


def _chat(name: str, value: object) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise bad(f'parameter "{name}" must be an identifier or a username')
    return int(value) if value.lstrip("-").isdecimal() else value


def _file(name: str, value: object) -> str | Upload:
    if isinstance(value, str | Upload):
        return value
    raise bad(f'parameter "{name}" must be a file or a file identifier')


def _complex(annotation: Any) -> Reader:
    adapter: TypeAdapter[Any] = TypeAdapter(annotation)

    def read(name: str, value: object) -> object:
        if isinstance(value, str):
            value = _decoded(name, value)
        try:
            model = adapter.validate_python(value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            path = ".".join(str(part) for part in first["loc"])
            raise bad(f"can't parse {name}: {path}: {first['msg']}") from None
        _no_extras(name, model)
        return value

    return read


def _decoded(name: str, text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise bad(f"can't parse {name} JSON object") from None


def _no_extras(path: str, value: object) -> None:
    """Typed clients let unknown fields through; a misspelt one should not pass unseen."""
    if isinstance(value, BaseModel):
        if value.model_extra:
            raise bad(f'unknown field "{next(iter(value.model_extra))}" in {path}')
        for name, part in value.__dict__.items():
            if isinstance(part, BaseModel | list):
                _no_extras(f"{path}.{name}", part)
    elif isinstance(value, list):
        for part in value:
            _no_extras(path, part)
