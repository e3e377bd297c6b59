"""A watch that outlives its connection.

Over all reconnections events come in the order of their revisions, none twice, none missing, all of one revision together.
Where that can't be kept the watch says so: by `Restarted`, or by an error (`revisionCompacted`, `otherStore`, `historyDiffers`).

Without a position it begins again as it was asked to; with one, behind it, and only in the store and the history that it is of.
Fragments of a revision are held back until the last has come, and dropped with the connection.
"""
from __future__ import annotations

import time
from typing import Any, Literal, Optional, Sequence, Union

import grpc

from ._core import Core
from ._effects import Emit, Flow, Method, Next, Op, Open, Sleep, AskCredentials, Stopped
from ._proto import types_pb2, watch_pb2
from ._servers import Route
from .errors import INTERRUPTIONS, KelpError, after_tries, error, from_grpc, may_pass
from .types import (
    Current,
    Event,
    Events,
    Position,
    Progress,
    Restarted,
    Synced,
    WatchMessage,
    entry_of,
    to_entry,
)

_METHOD = Method("/kelp.v1.WatchService/Watch", watch_pb2.WatchResponse)
_LOST = frozenset("revisionCompacted revisionFuture otherStore historyDiffers".split())
_REVISION_BYTES_MAX = 256 * 1024 * 1024
_TYPES = {
    "put": watch_pb2.EVENT_TYPE_PUT,
    "delete": watch_pb2.EVENT_TYPE_DELETE,
    "touch": watch_pb2.EVENT_TYPE_TOUCH,
}
EventType = Literal["put", "delete", "touch"]


class WatchState:
    def __init__(
        self,
        core: Core,
        ranges: Sequence[types_pb2.KeyRange],
        *,
        start_revision: int = 0,
        include_current: bool = False,
        event_types: Sequence[EventType] = (),
        keys_only: bool = False,
        return_previous: bool = False,
        restart_when_lost: bool = False,
        after: Optional[Position] = None,
    ) -> None:
        self._core = core
        self._request = watch_pb2.WatchRequest(ranges=ranges, keys_only=keys_only, return_previous=return_previous)
        self._request.event_types.extend(_TYPES[each] for each in event_types)
        self._request.start_revision, self._request.include_current = start_revision, include_current
        self._store_id = ""
        #: Up to where all has been handed out.
        self.position: Optional[Position] = after
        if after is not None:
            self._store_id = after.store_id
        self._restart_when_lost = restart_when_lost
        self._incarnation = ""
        self._has_handed_out = self._has_synced = self._has_heard = False
        self._generation, self._is_reauthorized = 0, False
        self._began_at, self._failures, self._pauses = 0.0, 0, 0
        self._behind_since: Optional[float] = None
        self._fragments: list[Event] = []
        self._fragment_bytes = self._fragment_revision = 0

    def messages(self) -> Flow[WatchMessage]:
        route = Route(self._core.servers)
        self._began_at = time.monotonic()
        while True:
            try:
                yield from self._connect(route)
                failure = error("unavailable", "the server ended the watch")
            except Stopped as stopped:
                raise stopped.error() from None
            except grpc.RpcError as reason:
                failure = from_grpc(reason, False, "watched")
            except KelpError as reason:
                if not (may_pass(reason) or reason._lacks_credentials):  # It would be wrong again.
                    raise
                failure = reason
            restarted = yield from self._recover(failure, route)
            if restarted is not None:
                yield Emit(restarted)

    def _connect(self, route: Route) -> Flow[WatchMessage]:
        core = self._core
        self._drop_fragments()
        self._incarnation = ""
        if core.source is not None and core.generation == 0:
            yield AskCredentials(0, core.deadline)
        self._generation = core.generation
        request = watch_pb2.WatchRequest()
        request.CopyFrom(self._request)
        request.store_id = self._store_id
        if self.position is not None:
            request.start_revision, request.incarnation = self.position.revision + 1, self.position.incarnation
            request.include_current = False
        server = route.begin()
        stream = yield Open(server, _METHOD, request)
        try:
            has_begun = False
            while True:
                reply = yield Next(stream)
                if reply is None:
                    return
                if not has_begun:
                    route.served(server)
                has_begun = True
                message = self._take(reply)
                if message is not None:
                    self._has_handed_out = True
                    yield Emit(message)
        except grpc.RpcError as reason:
            route.failed(server, from_grpc(reason, False, server.target))
            raise
        finally:
            stream.cancel()

    def _take(self, reply: watch_pb2.WatchResponse) -> Optional[WatchMessage]:
        """Moves the position on, and gives what the reader gets."""
        if reply.store_id != "" and self._store_id not in ("", reply.store_id):
            raise error("internal", f"the server goes on with store {reply.store_id}, not with {self._store_id}")
        self._store_id = reply.store_id or self._store_id
        self._incarnation = reply.incarnation or self._incarnation
        self._has_heard, self._failures, self._pauses = True, 0, 0
        self._behind_since, self._is_reauthorized = None, False
        kind = reply.WhichOneof("message")
        if kind != "events" and self._fragment_revision != 0:
            raise error("internal", f"the server sent revision {self._fragment_revision} in part only")
        if kind == "current":
            return Current(tuple(to_entry(entry) for entry in reply.current.entries), reply.current.revision)
        if kind == "synced" or kind == "progress":
            revision = getattr(reply, kind).revision
            self._advance(revision, kind == "synced")
            revision = max(revision, self.position.revision if self.position else 0)
            # After a reconnection the server says "synced" again; to the reader that is progress.
            if kind == "progress" or self._has_synced:
                return Progress(revision)
            self._has_synced = True
            return Synced(revision)
        return self._take_events(reply.events) if kind == "events" else None

    def _take_events(self, message: watch_pb2.Events) -> Optional[Events]:
        revision = message.revision
        if self.position is not None and revision <= self.position.revision:
            raise error("internal", f"the server sent revision {revision} after {self.position.revision}")
        if self._fragment_revision not in (0, revision):
            raise error("internal", f"the server sent revision {self._fragment_revision} in part only")
        self._fragments.extend(_to_event(event, revision) for event in message.events)
        self._fragment_revision = revision
        self._fragment_bytes += message.ByteSize()
        if self._fragment_bytes > _REVISION_BYTES_MAX:
            raise error("limitReached", f"revision {revision} holds too much; watch fewer ranges, or keys_only")
        if message.more_fragments:
            return None
        events = tuple(self._fragments)
        self._drop_fragments()
        self._advance(revision, False)
        return Events(revision, events)

    def _advance(self, revision: int, is_synced: bool) -> None:
        # Present entries count only when all of them have come.
        if self.position is None and self._request.include_current and not is_synced:
            return
        if self.position is None or revision >= self.position.revision:
            self.position = Position(revision, self._incarnation, self._store_id)

    def _recover(self, failure: KelpError, route: Route) -> Op[Optional[Restarted]]:
        """Gets ready for the next connection, or raises. Gives what the reader must know."""
        core = self._core
        if failure.code == "unauthenticated" and not self._is_reauthorized and not failure._lacks_credentials:
            try:
                self._is_reauthorized = yield from core.reauthorized(self._generation, core.deadline)
            except KelpError as reason:
                failure = reason
            if self._is_reauthorized:
                return self._void()
        is_behind = self._is_behind(failure)
        if failure.code in _LOST and not is_behind:
            is_restart = self.position is None and self._request.include_current and failure.code != "otherStore"
            if self._restart_when_lost and not is_restart:
                return self._begin_anew("lost")
            raise failure
        self._failures += 1
        interrupted = failure.code in INTERRUPTIONS or failure._lacks_credentials
        may_go_on = is_behind or (interrupted if self._has_heard else may_pass(failure))
        pause: Optional[float] = None
        least = failure.retry_after or 0.0
        if may_go_on and least == 0 and route.goes_elsewhere:
            return self._void()
        if may_go_on and self._has_heard:
            self._pauses += 1
            pause = least + core.backoff(self._pauses)
        elif may_go_on and self._pauses < core.retries:
            self._pauses += 1
            pause = core.backoff_until(self._began_at + core.deadline, self._pauses, least)
        if pause is None:
            raise after_tries(failure, 1 if self._has_heard else self._failures, time.monotonic() - self._began_at)
        route.paused()
        yield Sleep(max(pause, route.rest))
        return self._void()

    def _is_behind(self, failure: KelpError) -> bool:
        """Whether the server follows another, and has only not come yet to where the watch goes on; for so long only."""
        details = failure.details
        says_so = failure.code == "revisionFuture" or (
            failure.code == "historyDiffers" and details["requested_revision"] > details["newest_revision"]
        )
        if not (says_so and self._core.servers.are_several):
            return False
        self._behind_since = self._behind_since or time.monotonic()
        return time.monotonic() - self._behind_since < self._core.deadline

    def _void(self) -> Optional[Restarted]:
        """Where the reader has entries of one revision, and will get those of another."""
        return self._begin_anew("interrupted") if self.position is None and self._has_handed_out else None

    def _begin_anew(self, reason: Literal["interrupted", "lost"]) -> Restarted:
        self._store_id = ""
        self._request.start_revision, self._request.include_current = 0, True
        self.position = None
        self._has_synced = self._has_handed_out = False
        return Restarted(reason)

    def _drop_fragments(self) -> None:
        self._fragments = []
        self._fragment_bytes = self._fragment_revision = 0


def _to_event(event: watch_pb2.Event, revision: int) -> Event:
    entry, previous = to_entry(event.entry), entry_of(event, "previous")
    if event.type == watch_pb2.EVENT_TYPE_DELETE:
        reason = watch_pb2.DeleteReason.Name(event.delete_reason)[len("DELETE_REASON_") :].lower()
        return Event("delete", entry.key, revision, None, previous, reason)
    type_: Union[Literal["put"], Literal["touch"]] = "put" if event.type == watch_pb2.EVENT_TYPE_PUT else "touch"
    return Event(type_, entry.key, revision, entry, previous, None)
