"""The driver of the Python client for `clients/conformance`: requests in, answers out, a line each. `--plain`: the plain client."""
from __future__ import annotations

import asyncio
import base64
import json
import sys
from pathlib import Path
from typing import Any, Optional

import kelpdb
from kelpdb import Current, Events, Txn
from tests.threaded import ThreadedClient


def to_key(given: Any) -> Any:
    return base64.b64decode(given["base64"]) if isinstance(given, dict) else given


def to_json(key: Any) -> Any:
    try:
        return key if isinstance(key, str) else key.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(key).decode()}


def seconds(milliseconds: Optional[float]) -> Optional[float]:
    return None if milliseconds is None else milliseconds / 1000


def entry_json(entry: Optional[kelpdb.Entry]) -> Any:
    if entry is None:
        return None
    return {
        "key": to_json(entry.key),
        "value": to_json(entry.value),
        "modRevision": entry.mod_revision,
        "createRevision": entry.create_revision,
        "version": entry.version,
    }


def result_json(result: Any) -> Any:
    if isinstance(result, kelpdb.GetResult):
        return {"entry": entry_json(result.entry)}
    if isinstance(result, kelpdb.DeleteResult):
        return {"deleted": result.deleted}
    if isinstance(result, kelpdb.IncrementResult):
        return {"value": str(result.value)}
    return {}


def add(txn: Txn, op: str, key: Any, value: Any = None, delta: int = 1) -> None:
    if op == "put":
        txn.put(to_key(key), to_key(value))
    elif op == "increment":
        txn.increment(to_key(key), delta)
    else:
        {"get": txn.get, "delete": txn.delete}[op](to_key(key))


async def events_of(watch: Any) -> Any:
    async for message in watch:
        if isinstance(message, Current):
            for entry in message.entries:
                shown = entry_json(entry)
                yield {"type": "current", "key": shown["key"], "value": shown["value"], "revision": entry.mod_revision}
        elif isinstance(message, Events):
            for event in message.events:
                value = {} if event.entry is None else {"value": to_json(event.entry.value)}
                yield {"type": event.type, "key": to_json(event.key), **value, "revision": event.revision}


async def told_lost(lease: Any) -> Any:
    if await lease.wait_lost() is None:
        await asyncio.get_running_loop().create_future()  # Only a loss is an answer.
    return {}


class Driver:
    def __init__(self, make: Any) -> None:
        self._make = make
        self._client: Any = None
        self._leases: dict[str, Any] = {}
        self._watches: dict[str, Any] = {}
        self._failures: dict[str, kelpdb.KelpError] = {}

    async def open(self, addresses: Any, deadlineMs: Any = None, caFile: Any = None, **who: Any) -> Any:
        await self.close()
        options: dict[str, Any] = {} if deadlineMs is None else {"deadline": seconds(deadlineMs)}
        if caFile is not None:
            options["tls"] = kelpdb.Tls(ca=Path(caFile).read_bytes())
        if "token" in who:
            options["credentials"] = kelpdb.Token(who["token"])
        elif "user" in who:
            options["credentials"] = kelpdb.Password(who["user"], who["password"])
        self._client = self._make(*addresses, **options)
        return {}

    async def get(self, key: Any, revision: int = 0, deadlineMs: Any = None) -> Any:
        found = await self._client.get(to_key(key), revision=revision, deadline=seconds(deadlineMs))
        return {"entry": entry_json(found.entry), "revision": found.revision}

    async def put(
        self,
        key: Any,
        value: Any,
        ifModRevision: Any = None,
        ifAbsent: bool = False,
        ifPresent: bool = False,
        ttlMs: Any = None,
        lease: Any = None,
        deadlineMs: Any = None,
    ) -> Any:
        done = await self._client.put(
            to_key(key),
            to_key(value),
            if_revision=ifModRevision,
            if_absent=ifAbsent,
            if_present=ifPresent,
            ttl=seconds(ttlMs),
            lease_id=0 if lease is None else self._leases[lease].id,
            deadline=seconds(deadlineMs),
        )
        return {"revision": done.revision}

    async def delete(self, key: Any, ifModRevision: Any = None, deadlineMs: Any = None) -> Any:
        done = await self._client.delete(to_key(key), if_revision=ifModRevision, deadline=seconds(deadlineMs))
        return {"deleted": done.deleted, "revision": done.revision}

    async def scan(
        self,
        prefix: Any = None,
        start: Any = None,
        end: Any = None,
        revision: int = 0,
        limit: Any = None,
        reverse: bool = False,
        keysOnly: bool = False,
        pageSize: int = 0,
        deadlineMs: Any = None,
    ) -> Any:
        entries = self._client.scan(
            None if prefix is None else to_key(prefix),
            start=None if start is None else to_key(start),
            end=None if end is None else to_key(end),
            revision=revision,
            limit=limit,
            reverse=reverse,
            keys_only=keysOnly,
            page_size=pageSize,
            deadline=seconds(deadlineMs),
        )
        return {"entries": [{"key": to_json(each.key), "value": to_json(each.value)} async for each in entries]}

    async def increment(self, key: Any, delta: int, deadlineMs: Any = None) -> Any:
        done = await self._client.increment(to_key(key), delta, deadline=seconds(deadlineMs))
        return {"value": str(done.value), "revision": done.revision}

    async def txn(
        self, compares: Any = (), guards: Any = (), success: Any = (), failure: Any = (), deadlineMs: Any = None
    ) -> Any:
        txn = Txn()
        for compare in compares:
            key = to_key(compare["key"])
            if "exists" in compare:
                txn.when_exists(key, compare["exists"])
            elif "modRevision" in compare:
                txn.when_revision(key, compare["modRevision"])
            else:
                txn.when_value(key, to_key(compare["value"]))
        for guard in guards:
            txn.when(self._leases[guard].guard)
        for operation in success:
            add(txn, **operation)
        txn.otherwise()
        for operation in failure:
            add(txn, **operation)
        done = await self._client.txn(txn, deadline=seconds(deadlineMs))
        results = [result_json(result) for result in done.results]
        return {"succeeded": done.succeeded, "revision": done.revision, "results": results}

    async def lease(self, name: str, ttlMs: float, deadlineMs: Any = None) -> Any:
        self._leases[name] = await self._client.lease(ttlMs / 1000)
        return {}

    async def leaseLost(self, name: str) -> Any:
        return await told_lost(self._leases[name])

    async def revoke(self, name: str, deadlineMs: Any = None) -> Any:
        await self._leases[name].revoke()
        return {}

    async def watch(
        self, name: str, prefix: Any = None, key: Any = None, startRevision: int = 0, includeCurrent: bool = False
    ) -> Any:
        range_ = {"prefix": to_key(prefix)} if prefix is not None else {} if key is None else {"key": to_key(key)}
        watch = self._client.watch(**range_, start_revision=startRevision, include_current=includeCurrent)
        queue: asyncio.Queue[Any] = asyncio.Queue()
        self._watches[name] = (watch, queue, asyncio.ensure_future(self._read(watch, queue)))
        self._failures.pop(name, None)
        return {}

    async def _read(self, watch: Any, queue: asyncio.Queue[Any]) -> None:
        try:
            async for event in events_of(watch):
                queue.put_nowait(event)
        except kelpdb.KelpError as failure:
            queue.put_nowait(failure)

    async def next(self, name: str, events: int) -> Any:
        found: list[Any] = []
        while len(found) < events:
            if name in self._failures:
                raise self._failures[name]
            event = await self._watches[name][1].get()
            if isinstance(event, kelpdb.KelpError):
                self._failures[name] = event
            else:
                found.append(event)
        return {"events": found}

    async def endWatch(self, name: str) -> Any:
        await self._watches.pop(name)[0].aclose()
        return {}

    async def lock(self, name: str, ttlMs: float, deadlineMs: Any = None, **rest: Any) -> Any:
        held = self._leases[rest["as"]] = await self._client.lock(name, ttl=ttlMs / 1000)
        return {"token": held.token}

    async def elect(self, name: str, value: Any, ttlMs: float, deadlineMs: Any = None, **rest: Any) -> Any:
        held = self._leases[rest["as"]] = await self._client.elect(name, value, ttl=ttlMs / 1000)
        return {"token": held.token}

    async def unlock(self, deadlineMs: Any = None, **rest: Any) -> Any:
        await self._leases[rest["as"]].release()
        return {}

    resign = unlock

    async def lockLost(self, **rest: Any) -> Any:
        return await told_lost(self._leases[rest["as"]])

    async def leader(self, name: str, deadlineMs: Any = None) -> Any:
        async with self._client.leaders(name) as leaders:
            async for leader in leaders:
                if leader is not None:
                    return {"value": leader.value, "token": leader.token}

    async def close(self) -> Any:
        client, self._client = self._client, None
        if client is not None:
            await client.close()
        return {}

    async def answer(self, request: Any) -> None:
        id_ = request.pop("id")
        try:
            reply = {"ok": await getattr(self, request.pop("op"))(**request)}
        except kelpdb.KelpError as failure:
            told: dict[str, Any] = {"code": failure.code, "message": str(failure)}
            told["mayHaveTakenEffect"] = failure.may_have_taken_effect
            if isinstance(failure, kelpdb.ConditionFailed):
                told["currentModRevision"] = failure.current_mod_revision
            if failure.retry_after is not None:
                told["retryAfterMs"] = failure.retry_after * 1000
            reply = {"error": told}
        except Exception as mistake:
            reply = {"error": {"code": "driver", "message": repr(mistake), "mayHaveTakenEffect": False}}
        print(json.dumps({"id": id_, **reply}), flush=True)


async def main() -> None:
    driver = Driver(ThreadedClient if "--plain" in sys.argv else kelpdb.AsyncClient)
    reader = asyncio.StreamReader(limit=64 * 1024 * 1024)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    running = set()
    while line := await reader.readline():
        task = asyncio.ensure_future(driver.answer(json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)
    await driver.close()


asyncio.run(main())
