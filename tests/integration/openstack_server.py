"""A server that speaks as much of Keystone, Nova and Neutron as discovery needs; else it answers as it is told."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import yaml

VERSIONS = {"/v3": ("v3.14", None), "/v2.1": ("v2.1", "2.100"), "/v2.0": ("v2.0", None)}
PARTS = {"identity": "/v3", "compute": "/v2.1", "network": "/v2.0"}
Answer = bytes | Callable[[asyncio.StreamWriter], Any]


def http(status: int, body: Any = b"", **headers: str) -> bytes:
    said = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} So", f"Content-Length: {len(said)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + said


class Services:
    """`answers`: the beginning of a request line, like `POST /v2.1/servers`, → its answer. `asked`: request lines."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.arrived = asyncio.Event()
        self.discovery = asyncio.Event()
        self.discovery.set()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._free = asyncio.Event()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Services"]:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self._free.set()
            self.discovery.set()
            self.close()

    def close(self) -> None:
        assert self._server is not None
        self._server.close()

    def times(self, method: str) -> int:
        return sum(line.startswith(method) for line in self.asked)

    def clouds_yaml(self, folder: Path) -> str:
        """Of a cloud that wants no token, with every retry that a careless administrator could have asked for."""
        address = f"http://127.0.0.1:{self.port}"
        entry: dict[str, Any] = {"auth_type": "none", "auth": {"endpoint": address}, "connect_retries": 3}
        entry["status_code_retries"] = 3
        entry |= {f"{part}_endpoint_override": address + path for part, path in PARTS.items()}
        path = folder / "clouds.yaml"
        path.write_text(yaml.safe_dump({"clouds": {"desk": entry}}), "utf-8")
        return str(path)

    async def silence(self, writer: asyncio.StreamWriter) -> None:
        await self._free.wait()

    async def reset(self, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort()

    async def trickle(self, writer: asyncio.StreamWriter) -> None:
        """An answer without end, that keeps every reader's hopes up."""
        writer.write(b"HTTP/1.1 202 So\r\nContent-Length: 1000000\r\n\r\n")
        with contextlib.suppress(TimeoutError, OSError):
            while not self._free.is_set():
                writer.write(b" ")
                await writer.drain()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._free.wait(), 0.05)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line = head.split("\r\n", 1)[0].rsplit(" ", 1)[0]
            for field in head.lower().split("\r\n"):
                if field.startswith("content-length:"):
                    await reader.readexactly(int(field.split(":")[1]))
            await self._answer(line, writer)
            await writer.drain()
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    async def _answer(self, line: str, writer: asyncio.StreamWriter) -> None:
        path = line.split(" ")[1].rstrip("/")
        if path in VERSIONS:
            await self.discovery.wait()
            writer.write(http(200, self._version(path)))
            return
        self.asked.append(line)
        self.arrived.set()
        answer = next((said for start, said in self.answers.items() if line.startswith(start)), http(404, {}))
        if isinstance(answer, bytes):
            writer.write(answer)
        else:
            await answer(writer)

    def _version(self, path: str) -> dict[str, Any]:
        name, newest = VERSIONS[path]
        links = [{"rel": "self", "href": f"http://127.0.0.1:{self.port}{path}/"}]
        version = {"id": name, "status": "CURRENT", "links": links}
        return {"version": version | ({"version": newest, "min_version": "2.1"} if newest else {})}
