"""What an answer, or its absence, says about what was done. Pure: from responses and exceptions to the port's errors.

keystoneauth names a read timeout ConnectTimeout and a reset ConnectFailure, so its classes tell nothing of whether a
request went out; what urllib3 said, deep in the chain of causes, does.
"""

import re
import ssl
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from provider.port import CloudError, Later, Reason, Refused, Unknown

LONGEST = 300
# Of urllib3; what keystoneauth calls ConnectTimeout is any timeout at all.
SURELY_NOT_SENT = (NewConnectionError, ConnectTimeoutError, ssl.SSLCertVerificationError)
REASONS: dict[int, Reason] = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
}
NO_ROOM = ("IpAddressGenerationFailure", "NoNetworkAvailable", "NoMoreNetworks", "NoEligibleL3Agent")


def of_answer(service: str, status: int, headers: Mapping[str, str], body: Any, *, changes: bool) -> CloudError:
    """For an answer that is not the one hoped for; `body` decoded, None if it cannot be."""
    kind, words = said(body)
    text = one_line(f"{service}: {status} {words}")
    if status in (429, 503):
        return Later(text, _retry_after(headers))
    if 400 <= status < 500 and status != 408:
        return Refused(_reason(status, kind, words), text)
    if 300 <= status < 400:
        return Later(text)
    return Unknown(text) if changes else Later(text)


def of_exception(service: str, error: BaseException, *, changes: bool) -> CloudError:
    """For a request without an answer. Nothing of the exception's own words is kept: they hold addresses."""
    text = f"{service}: no answer ({_root(error)})"
    return Unknown(text) if changes and sent(error) else Later(text)


def sent(error: BaseException) -> bool:
    """False only where it is sure that the request never left."""
    return not any(isinstance(one, SURELY_NOT_SENT) for one in _chain(error))


def one_line(text: str) -> str:
    return " ".join(text.split())[:LONGEST]


def _reason(status: int, kind: str, words: str) -> Reason:
    over = kind in ("OverQuota", "overLimit") or re.search("(?i)quota exceeded", words)
    if status == 413 or (status in (403, 409) and over):
        return "over_quota"
    if status == 409 and kind in NO_ROOM:
        return "no_capacity"
    return REASONS.get(status, "invalid")


def said(body: Any) -> tuple[str, str]:
    """Kind and words of an error, out of each service's own envelope."""
    if not isinstance(body, dict) or not body:
        return "", "without a readable word of why"
    kind, inner = next(iter(body.items()))
    if isinstance(inner, list) and inner:  # Placement
        inner = inner[0]
    if not isinstance(inner, dict):
        return str(kind), str(inner)
    return str(inner.get("type") or kind), str(
        inner.get("message") or inner.get("detail") or inner.get("title") or kind
    )


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """In seconds; a moment is counted from the answer's own Date, so that nobody's clock has to be right."""
    value = headers.get("Retry-After", "").strip()
    if value.isdecimal():
        return float(value)
    try:
        moments = parsedate_to_datetime(value), parsedate_to_datetime(headers.get("Date", ""))
        return max((moments[0] - moments[1]).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that it was made of: causes, contexts, and what requests and urllib3 keep as arguments."""
    waiting, seen = [error], set[int]()
    while waiting:
        one = waiting.pop(0)
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            inner = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
            waiting += [part for part in inner if isinstance(part, BaseException)]


def _root(error: BaseException) -> str:
    return type(list(_chain(error))[-1]).__name__
