"""The plain client behind the methods of the one for asyncio, each in a thread: one test is for both."""
from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import kelpdb

# Of asyncio itself there are few, and some wait for long.
_threads = ThreadPoolExecutor(max_workers=200)


async def in_thread(function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(_threads, lambda: function(*args, **options))


class _Reader:
    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def __aiter__(self) -> _Reader:
        return self

    async def __anext__(self) -> Any:
        value = await in_thread(next, self._reader, _END)
        if value is _END:
            raise StopAsyncIteration
        return value

    async def __aenter__(self) -> _Reader:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await in_thread(self._reader.close)

    @property
    def position(self) -> Any:
        return self._reader.position


_END = object()


class _Lease:
    def __init__(self, lease: Any) -> None:
        self._lease = lease

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._lease, name)
        if name in ("revoke", "release", "resign", "proclaim", "wait_lost"):
            return lambda *args: in_thread(value, *args)
        return value


class _Opening:
    def __init__(self, make: Callable[..., Any], *args: Any, **options: Any) -> None:
        self._make = lambda: make(*args, **options)
        self._lease: Any = None

    def __await__(self) -> Any:
        return self._open().__await__()

    async def _open(self) -> _Lease:
        return _Lease(await in_thread(self._make))

    async def __aenter__(self) -> _Lease:
        self._lease = await self._open()
        return self._lease

    async def __aexit__(self, *_: object) -> None:
        await self._lease.revoke()


class ThreadedClient:
    def __init__(self, *args: Any, **options: Any) -> None:
        self._client = kelpdb.Client(*args, **options)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if name in ("scan", "watch", "leaders"):
            return lambda *args, **options: _Reader(method(*args, **options))
        if name in ("lease", "lock", "elect"):
            return lambda *args, **options: _Opening(method, *args, **options)
        return lambda *args, **options: in_thread(method, *args, **options)

    async def __aenter__(self) -> ThreadedClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
