"""What calls take and give."""
from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any, Callable, Literal, NamedTuple, Optional, Union

from ._proto import kv_pb2, types_pb2
from .errors import error

#: Text where it is UTF-8, else bytes.
Key = Union[str, bytes]
#: A text is written as UTF-8.
Value = Union[str, bytes]
#: Seconds, or a timedelta.
Duration = Union[float, datetime.timedelta]


@dataclass(frozen=True)
class Entry:
    key: Key
    value: bytes
    create_revision: int
    mod_revision: int
    version: int
    lease_id: int
    expires_at: Optional[datetime.datetime]

    def text(self) -> str:
        return self.value.decode()


class GetResult(NamedTuple):
    entry: Optional[Entry]
    #: Of the store, when it was read.
    revision: int


class PutResult(NamedTuple):
    revision: int
    previous: Optional[Entry]


class DeleteResult(NamedTuple):
    deleted: bool
    revision: int
    previous: Optional[Entry]


class IncrementResult(NamedTuple):
    value: int
    revision: int


class TxnResult(NamedTuple):
    succeeded: bool
    revision: int
    #: One for each operation that ran, in their order.
    results: tuple[Union[GetResult, PutResult, DeleteResult, IncrementResult], ...]


@dataclass(frozen=True)
class Event:
    type: Literal["put", "delete", "touch"]
    key: Key
    revision: int
    #: None of a delete.
    entry: Optional[Entry]
    previous: Optional[Entry]
    #: Of a delete: "requested", "expired", "lease_expired", "lease_revoked".
    reason: Optional[str]


@dataclass(frozen=True)
class Current:
    """Some of the present entries, with `include_current`."""

    entries: tuple[Entry, ...]
    revision: int


@dataclass(frozen=True)
class Synced:
    """All up to the revision has been given; what follows is live."""

    revision: int


@dataclass(frozen=True)
class Events:
    """All events of one revision."""

    revision: int
    events: tuple[Event, ...]


@dataclass(frozen=True)
class Progress:
    """There was nothing to give up to this revision."""

    revision: int


@dataclass(frozen=True)
class Restarted:
    """What the watch gave so far is void: present entries follow."""

    reason: Literal["interrupted", "lost"]


WatchMessage = Union[Current, Synced, Events, Progress, Restarted]


@dataclass(frozen=True)
class Position:
    """Where another watch goes on: behind a revision of a store, which this incarnation of it wrote."""

    revision: int
    incarnation: str
    store_id: str


@dataclass(frozen=True)
class Leader:
    value: object
    #: The fencing token: each later leader has a higher one.
    token: int


@dataclass(frozen=True)
class Tls:
    """Certificates in PEM; left out, those that gRPC trusts, and none of the client's own."""

    ca: Optional[bytes] = None
    cert: Optional[bytes] = None
    key: Optional[bytes] = None


@dataclass(frozen=True)
class Password:
    user: str
    password: str


@dataclass(frozen=True)
class Token:
    token: str


Credentials = Union[Password, Token]
#: Called before the first call, and again when a call was refused as `unauthenticated`.
CredentialsSource = Callable[[], Credentials]


class Txn:
    """Builds a transaction: when all conditions hold the operations run, else those behind `otherwise`.

    >>> Txn().when_revision("a", 3).put("a", "2").otherwise().get("a")
    """

    def __init__(self) -> None:
        self.request = kv_pb2.TxnRequest()
        self._branch = self.request.success

    def when(self, compare: kv_pb2.Compare) -> Txn:
        """A condition as `guard` of a lock."""
        self.request.compares.append(compare)
        return self

    def when_revision(self, key: Key, revision: int) -> Txn:
        """The key was written last at this revision; 0: it does not exist."""
        return self.when(kv_pb2.Compare(**key_fields(key), mod_revision=revision))

    def when_exists(self, key: Key, exists: bool = True) -> Txn:
        return self.when(kv_pb2.Compare(**key_fields(key), exists=exists))

    def when_absent(self, key: Key) -> Txn:
        return self.when_exists(key, False)

    def when_value(self, key: Key, value: Value) -> Txn:
        return self.when(kv_pb2.Compare(**key_fields(key), value=value_bytes(value)))

    def otherwise(self) -> Txn:
        """What follows runs when a condition does not hold."""
        self._branch = self.request.failure
        return self

    def get(self, key: Key) -> Txn:
        self._branch.add().get.CopyFrom(kv_pb2.GetOperation(**key_fields(key)))
        return self

    def put(
        self,
        key: Key,
        value: Value,
        *,
        ttl: Optional[Duration] = None,
        lease_id: int = 0,
        return_previous: bool = False,
    ) -> Txn:
        put = self._branch.add().put
        put.CopyFrom(kv_pb2.PutOperation(**key_fields(key), value=value_bytes(value), lease_id=lease_id))
        put.return_previous = return_previous
        set_duration(put.ttl, ttl)
        return self

    def delete(self, key: Key, *, return_previous: bool = False) -> Txn:
        operation = kv_pb2.DeleteOperation(**key_fields(key), return_previous=return_previous)
        self._branch.add().delete.CopyFrom(operation)
        return self

    def increment(self, key: Key, delta: int = 1, *, ttl: Optional[Duration] = None) -> Txn:
        increment = self._branch.add().increment
        increment.CopyFrom(kv_pb2.IncrementOperation(**key_fields(key), delta=delta))
        set_duration(increment.ttl, ttl)
        return self


def seconds_of(duration: Duration) -> float:
    return duration.total_seconds() if isinstance(duration, datetime.timedelta) else float(duration)


def set_duration(message: Any, duration: Optional[Duration]) -> None:
    if duration is not None:
        exact = duration if isinstance(duration, datetime.timedelta) else datetime.timedelta(seconds=duration)
        message.FromTimedelta(exact)


def value_bytes(value: Value) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise error("invalidArgument", f"a value is str or bytes, not {type(value).__name__}")


def key_fields(key: Key, name: str = "key") -> dict[str, Any]:
    if isinstance(key, str):
        return {name: key}
    if isinstance(key, bytes):
        return {f"{name}_bytes": key}
    raise error("invalidArgument", f"a {name} is str or bytes, not {type(key).__name__}")


def key_range(
    prefix: Optional[Key] = None, start: Optional[Key] = None, end: Optional[Key] = None, key: Optional[Key] = None
) -> types_pb2.KeyRange:
    """Without any of them: all keys."""
    fields: dict[str, Any] = {}
    for name, bound in (("prefix", prefix), ("start", start), ("end", end), ("key", key)):
        if bound is not None:
            fields.update(key_fields(bound, name))
    return types_pb2.KeyRange(**fields)


def to_entry(message: types_pb2.Entry) -> Entry:
    expires_at = None
    if message.HasField("expire_time"):
        expires_at = message.expire_time.ToDatetime(datetime.timezone.utc)
    return Entry(
        message.key or message.key_bytes,
        message.value,
        message.create_revision,
        message.mod_revision,
        message.version,
        message.lease_id,
        expires_at,
    )


def entry_of(message: Any, field: str) -> Optional[Entry]:
    """The entry in a field of a message, if there is one."""
    return to_entry(getattr(message, field)) if message.HasField(field) else None
