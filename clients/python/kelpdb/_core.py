"""Calls on keys: requests, deadlines, and the repetition of what is safe to repeat.

- A call that changes nothing is made again after any failure that may pass, until its deadline.
- A call that changes something is made again only when nothing has changed for sure: there was no connection, or the server
  said so. A lost answer is the caller's to look into: the error has `may_have_taken_effect`.
- `limitReached` is waited for where the server says how long. Nothing else is repeated.
- What is refused as `unauthenticated` is made again, once, where a function gives other credentials.

Where there are several servers what is repeated goes to the next one at once, and there is a pause when each was tried.
"""
from __future__ import annotations

import base64
import random
import time
from typing import Any, Callable, Iterable, Literal, Optional, Union

import grpc

from ._effects import AskCredentials, Emit, Flow, Method, Op, Sleep, Stopped, Unary
from ._proto import kv_pb2, types_pb2
from ._servers import Route, Servers
from .errors import KelpError, after_tries, error, from_grpc, may_pass
from .types import (
    Credentials,
    CredentialsSource,
    DeleteResult,
    Duration,
    Entry,
    GetResult,
    IncrementResult,
    Key,
    Password,
    PutResult,
    Tls,
    Txn,
    TxnResult,
    Value,
    entry_of,
    key_fields,
    key_range,
    seconds_of,
    set_duration,
    to_entry,
    value_bytes,
)

_BACKOFF, _BACKOFF_MAX, _BACKOFF_MAX_OF_SEVERAL = 0.1, 5.0, 0.5
# With less than this left of a deadline there is no other try.
_LAST_TRY = 0.05
_MESSAGE_BYTES_MAX = 256 * 1024 * 1024

Consistency = Literal["linearizable", "local"]
_CONSISTENCY = {
    "linearizable": types_pb2.CONSISTENCY_LINEARIZABLE,
    "local": types_pb2.CONSISTENCY_LOCAL,
}

_GET = Method("/kelp.v1.KvService/Get", kv_pb2.GetResponse)
_PUT = Method("/kelp.v1.KvService/Put", kv_pb2.PutResponse)
_DELETE = Method("/kelp.v1.KvService/Delete", kv_pb2.DeleteResponse)
SCAN = Method("/kelp.v1.KvService/Scan", kv_pb2.ScanResponse)
_INCREMENT = Method("/kelp.v1.KvService/Increment", kv_pb2.IncrementResponse)
_TXN = Method("/kelp.v1.KvService/Txn", kv_pb2.TxnResponse)


class Core:
    def __init__(
        self,
        addresses: tuple[str, ...],
        tls: Union[bool, Tls],
        credentials: Union[Credentials, CredentialsSource, None],
        deadline: Duration,
        retries: Optional[int],
        allow_plaintext_credentials: bool,
    ) -> None:
        self.servers = Servers(addresses or ("127.0.0.1:7379",), bool(tls))
        self.tls = tls if isinstance(tls, Tls) else Tls()
        self.deadline = seconds_of(deadline)
        self.retries = float("inf") if retries is None else retries
        self.is_closed = False
        self.source = credentials if callable(credentials) else None
        #: Of the credentials that calls show: how often the function has given some.
        self.generation = 0
        self._changed_at = 0
        self._authorization: Optional[str] = None
        if credentials is not None and not callable(credentials):
            self._authorization = _header(credentials)
        shown = all(each.is_tls or each.is_local for each in self.servers.all) or allow_plaintext_credentials
        if credentials is not None and not shown:
            raise error("invalidArgument", "credentials would go without TLS: use https://, or allow_plaintext_credentials")

    @property
    def metadata(self) -> Optional[tuple[tuple[str, str], ...]]:
        return None if self._authorization is None else (("authorization", self._authorization),)

    def given(self, credentials: Credentials) -> None:
        """What the function gave."""
        header = _header(credentials)
        self.generation += 1
        if header != self._authorization:
            self._changed_at = self.generation
        self._authorization = header

    def reauthorized(self, generation: int, timeout: float) -> Op[bool]:
        """Whether there are others than those of a generation, which were refused."""
        if self.source is None:
            return False
        yield AskCredentials(generation, timeout)
        return generation < self._changed_at

    def channel_options(self) -> list[tuple[str, int]]:
        several = self.servers.are_several
        return [
            ("grpc.max_receive_message_length", _MESSAGE_BYTES_MAX),
            ("grpc.max_send_message_length", _MESSAGE_BYTES_MAX),
            # How long a connection may take to come about, and when it is tried anew.
            ("grpc.min_reconnect_backoff_ms", 2_000 if several else 5_000),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 500),
            # A connection that is silent is asked for a sign of life, also below a watch.
            ("grpc.keepalive_time_ms", 1_000 if several else 3_000),
            ("grpc.keepalive_timeout_ms", 2_500 if several else 5_000),
            ("grpc.http2.max_pings_without_data", 0),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.enable_http_proxy", 0),
            ("grpc.service_config_disable_resolution", 1),
        ]

    def backoff(self, failures: int) -> float:
        """Exponential, with full jitter: clients that lost the same server come back spread over time."""
        most = _BACKOFF_MAX_OF_SEVERAL if self.servers.are_several else _BACKOFF_MAX
        return random.uniform(0, min(most, _BACKOFF * 2.0 ** min(failures - 1, 10)))

    def backoff_until(self, ends_at: float, failures: int, least: float = 0.0) -> Optional[float]:
        """None: there is no time for another try."""
        left = ends_at - time.monotonic() - least
        return None if left < _LAST_TRY else least + min(self.backoff(failures), left / 2)

    def call(
        self,
        method: Method,
        request: Any,
        is_write: bool,
        deadline: Optional[Duration] = None,
        try_max: float = float("inf"),
        on_try: Callable[[], object] = lambda: None,
    ) -> Op[Any]:
        began_at = time.monotonic()
        ends_at = began_at + (self.deadline if deadline is None else seconds_of(deadline))
        route = Route(self.servers)
        tries, pauses, is_reauthorized = 0, 0, False
        last: Optional[KelpError] = None
        while True:
            tries += 1
            if self.source is not None and self.generation == 0:
                yield AskCredentials(0, ends_at - time.monotonic())
            left = ends_at - time.monotonic()
            if last is not None and left <= 0:
                raise after_tries(last, tries - 1, time.monotonic() - began_at)
            timeout = max(0.001, min(left, try_max))
            generation = self.generation
            on_try()
            try:
                server = route.begin()
                try:
                    reply = yield Unary(server, method, request, timeout)
                except grpc.RpcError as reason:
                    failure = from_grpc(reason, is_write, server.target)
                    route.failed(server, failure)
                else:
                    route.served(server)
                    return reply
            except Stopped as stopped:
                raise stopped.error(is_write) from None
            except KelpError as resting:
                failure = resting
            left = ends_at - time.monotonic()
            if failure.code == "unauthenticated" and not is_reauthorized:
                is_reauthorized = yield from self.reauthorized(generation, left)
                if is_reauthorized:
                    last = failure
                    continue
            may_repeat = not failure.may_have_taken_effect and (
                may_pass(failure)
                or (failure.code == "deadlineExceeded" and timeout < left)
                or (failure.code == "unavailable" and route.goes_elsewhere)
            )
            if may_repeat and failure.code != "limitReached" and route.goes_elsewhere and left >= _LAST_TRY:
                last = failure
                continue
            pause = None
            if may_repeat and pauses < self.retries:
                pauses += 1
                pause = self.backoff_until(ends_at, pauses, failure.retry_after or 0.0)
            if pause is None:
                raise after_tries(failure, tries, time.monotonic() - began_at)
            last = failure
            route.paused()
            yield Sleep(max(pause, min(route.rest, left / 2)))

    # Calls, as both clients have them.

    def get(
        self,
        key: Key,
        *,
        revision: int = 0,
        consistency: Consistency = "linearizable",
        min_revision: int = 0,
        deadline: Optional[Duration] = None,
    ) -> Op[GetResult]:
        """The entry of a key, now or at a revision."""
        request = kv_pb2.GetRequest(**key_fields(key), revision=revision, min_revision=min_revision)
        request.consistency = _CONSISTENCY[consistency]
        reply = yield from self.call(_GET, request, False, deadline)
        return GetResult(entry_of(reply, "entry"), reply.revision)

    def put(
        self,
        key: Key,
        value: Value,
        *,
        ttl: Optional[Duration] = None,
        lease_id: int = 0,
        if_revision: Optional[int] = None,
        if_absent: bool = False,
        if_present: bool = False,
        return_previous: bool = False,
        deadline: Optional[Duration] = None,
    ) -> Op[PutResult]:
        """Writes a key; with a condition raises ConditionFailed where it does not hold."""
        request = kv_pb2.PutRequest(**key_fields(key), value=value_bytes(value), lease_id=lease_id)
        request.return_previous = return_previous
        set_duration(request.ttl, ttl)
        _set_condition(request, if_revision, if_absent, if_present)
        reply = yield from self.call(_PUT, request, True, deadline)
        return PutResult(reply.revision, entry_of(reply, "previous"))

    def delete(
        self,
        key: Key,
        *,
        if_revision: Optional[int] = None,
        if_present: bool = False,
        return_previous: bool = False,
        deadline: Optional[Duration] = None,
    ) -> Op[DeleteResult]:
        request = kv_pb2.DeleteRequest(**key_fields(key), return_previous=return_previous)
        _set_condition(request, if_revision, False, if_present)
        reply = yield from self.call(_DELETE, request, True, deadline)
        return DeleteResult(reply.deleted, reply.revision, entry_of(reply, "previous"))

    def increment(
        self, key: Key, delta: int = 1, *, ttl: Optional[Duration] = None, deadline: Optional[Duration] = None
    ) -> Op[IncrementResult]:
        """Adds to a number; `ttl` is that of a key that this makes."""
        request = kv_pb2.IncrementRequest(**key_fields(key), delta=delta)
        set_duration(request.ttl, ttl)
        reply = yield from self.call(_INCREMENT, request, True, deadline)
        return IncrementResult(reply.value, reply.revision)

    def txn(self, txn: Txn, *, deadline: Optional[Duration] = None) -> Op[TxnResult]:
        reply = yield from self.call(_TXN, txn.request, True, deadline)
        return TxnResult(reply.succeeded, reply.revision, tuple(_results(reply)))

    def scan(
        self,
        prefix: Optional[Key] = None,
        *,
        start: Optional[Key] = None,
        end: Optional[Key] = None,
        limit: Optional[int] = None,
        reverse: bool = False,
        keys_only: bool = False,
        page_size: int = 0,
        revision: int = 0,
        consistency: Consistency = "linearizable",
        min_revision: int = 0,
        deadline: Optional[Duration] = None,
    ) -> Flow[Entry]:
        """The entries of a range, or of all keys, in the order of their keys and all at one revision.

        They are read page by page; the deadline is that of each page.
        """
        request = kv_pb2.ScanRequest(range=key_range(prefix, start, end), revision=revision, min_revision=min_revision)
        request.reverse, request.keys_only = reverse, keys_only
        request.consistency = _CONSISTENCY[consistency]
        left = float("inf") if limit is None else limit
        while left > 0:
            request.limit = int(min(left, page_size or 1000))
            reply = yield from self.call(SCAN, request, False, deadline)
            for entry in reply.entries:
                yield Emit(to_entry(entry))
            left -= len(reply.entries)
            request.page_token = reply.next_page_token
            if consistency == "local":  # The next server may not have come to it yet.
                request.min_revision = max(min_revision, reply.revision)
            if reply.next_page_token == "":
                return


def _header(credentials: Credentials) -> str:
    if isinstance(credentials, Password):
        pair = f"{credentials.user}:{credentials.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"
    return f"Bearer {credentials.token}"


def _set_condition(request: Any, if_revision: Optional[int], if_absent: bool, if_present: bool) -> None:
    if (if_revision is not None) + if_absent + if_present > 1:
        raise error("invalidArgument", "give one condition: if_revision, if_absent or if_present")
    if if_revision is not None:
        request.condition.mod_revision_equals = if_revision
    elif if_absent:
        request.condition.must_not_exist = True
    elif if_present:
        request.condition.must_exist = True


def _results(reply: kv_pb2.TxnResponse) -> Iterable[Union[GetResult, PutResult, DeleteResult, IncrementResult]]:
    for result in reply.results:
        kind = result.WhichOneof("result")
        if kind == "get":
            yield GetResult(entry_of(result.get, "entry"), reply.revision)
        elif kind == "put":
            yield PutResult(reply.revision, entry_of(result.put, "previous"))
        elif kind == "delete":
            yield DeleteResult(result.delete.deleted, reply.revision, entry_of(result.delete, "previous"))
        elif kind == "increment":
            yield IncrementResult(result.increment.value, reply.revision)
