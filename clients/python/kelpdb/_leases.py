"""Leases, and what is held by them: the lock and the leadership of an election, by the same keys as in the other clients.

Who waits stands in a line of keys below one prefix, each attached to the lease that it is named for. It is the turn of the one
whose key was made first; each watches only the key before its own. A lease counts as lost when the server says that it is gone,
or when it could not be renewed for as long as it lives, counted from when the last renewal that succeeded was sent.
"""
from __future__ import annotations

import json
import logging
import time
from typing import Any, Callable, Generator, Optional

from ._core import SCAN, Core
from ._effects import Emit, Flow, Method, Op, Sleep, Stopped
from ._proto import kv_pb2, lease_pb2
from ._watch import WatchState
from .errors import KelpError, error, may_pass
from .types import Current, Duration, Entry, Events, Leader, Restarted, Synced, Txn, key_range, seconds_of, set_duration

_GRANT = Method("/kelp.v1.LeaseService/Grant", lease_pb2.GrantResponse)
_RENEW = Method("/kelp.v1.LeaseService/Renew", lease_pb2.RenewResponse)
_REVOKE = Method("/kelp.v1.LeaseService/Revoke", lease_pb2.RevokeResponse)
_RENEW_INTERVAL_MAX, _RENEW_TRY_MIN = 3600.0, 0.25
_NAME_BYTES_MAX, _LINE_MAX, _LEADER_BYTES_MAX = 1024, 10_000, 64 * 1024
# Who gives up waiting takes its place out of the line, for so long at most; then the time to live does it.
LEAVE_MAX = 2.0
_log = logging.getLogger("kelpdb")


class LeaseState:
    """What both clients know of a lease that this program holds, and of what it holds by it."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.id = 0
        #: How long it lives without being renewed, in seconds.
        self.ttl = 0.0
        self._renewed_at = 0.0
        self._is_revoked = False
        self._lost: Optional[KelpError] = None
        self._listeners: list[Callable[[KelpError], object]] = []

    @property
    def lost(self) -> Optional[KelpError]:
        """Why it is lost; None: as far as this program knows, it is not."""
        return self._lost

    @property
    def remaining(self) -> float:
        """For how many seconds it lives still, by this program's clock; 0: it may be gone."""
        gone = self._is_revoked or self._lost is not None
        return 0.0 if gone else max(0.0, self._renewed_at + self.ttl - time.monotonic())

    def on_lost(self, listener: Callable[[KelpError], object]) -> None:
        """Has it called when the lease is lost: in the event loop, or of the plain client in the thread that renews."""
        self._listeners.append(listener)
        if self._lost is not None:
            listener(self._lost)

    def _lose(self, reason: KelpError) -> None:
        if self._lost is None and not self._is_revoked:
            self._lost = reason
            for listener in self._listeners:
                listener(reason)

    def _grant(self, ttl: Duration) -> Op[None]:
        request = lease_pb2.GrantRequest()
        set_duration(request.ttl, seconds_of(ttl))
        asked_at = [0.0]
        # A grant whose answer was lost leaves a lease without keys, which ends by itself.
        reply = yield from answered(
            self._core, lambda: self._core.call(_GRANT, request, True, on_try=lambda: _note(asked_at))
        )
        self.id, self._renewed_at = reply.lease_id, asked_at[0]
        self.ttl = reply.ttl.ToTimedelta().total_seconds()

    def _renew(self, deadline: float, try_max: float) -> Op[None]:
        asked_at = [0.0]
        request = lease_pb2.RenewRequest(lease_id=self.id)
        yield from self._core.call(_RENEW, request, False, deadline, try_max, lambda: _note(asked_at))
        self._renewed_at = max(self._renewed_at, asked_at[0])

    def _revoke(self, deadline: Optional[float] = None) -> Op[None]:
        self._is_revoked = True

        def revoke() -> Op[None]:
            try:
                yield from self._core.call(_REVOKE, lease_pb2.RevokeRequest(lease_id=self.id), True, deadline)
            except KelpError as failure:
                if failure.code != "leaseNotFound":  # One that is gone is what was wanted.
                    raise

        yield from answered(self._core, revoke, deadline)

    def _keep_alive(self) -> Op[None]:
        try:
            while self._lost is None:
                due_in = self._renewed_at + min(self.ttl / 3, _RENEW_INTERVAL_MAX) - time.monotonic()
                if due_in > 0:
                    yield Sleep(due_in)
                else:
                    yield from self._renew_in_time()
        except Stopped as stopped:
            self._lose(stopped.error())

    def _renew_in_time(self) -> Op[None]:
        """Each try has a share of the time only: one that hangs on a dead connection leaves room for the next."""
        try_max = min(max(self.ttl / 6, _RENEW_TRY_MIN), self._core.deadline)
        last: Optional[KelpError] = None
        failures, is_told = 0, False
        while True:
            failures += 1
            ends_at = self._renewed_at + self.ttl
            left = ends_at - time.monotonic()
            if left <= 0:
                return self._lose(self._out_of_reach(last))
            try:
                return (yield from self._renew(left, try_max))
            except KelpError as failure:
                if failure.code in ("leaseNotFound", "closed", "canceled"):
                    return self._lose(failure)
                has_answer = failure.code != "deadlineExceeded"
                last = failure if has_answer else last or failure
                if has_answer and not is_told and not may_pass(failure):
                    is_told = True
                    _log.warning("lease %d can't be renewed, which is tried on: %s", self.id, failure)
            pause = self._core.backoff_until(ends_at, failures)
            yield Sleep(max(0.0, ends_at - time.monotonic()) if pause is None else pause)

    def _out_of_reach(self, last: Optional[KelpError]) -> KelpError:
        refused = last is not None and last.code in ("unauthenticated", "permissionDenied")
        code = last.code if last is not None and refused else "unavailable"
        return error(code, f"lease {self.id} could not be renewed for {self.ttl} s, as long as it lives: {last}")

    # What is held by its key in a line.

    #: As it was asked for, and the key that stands for it.
    name = key = ""
    #: The fencing token: the revision at which the key was made. Each later holder has a higher one.
    token = 0
    #: The revision at which the key was written last, as far as is known.
    _written_at = 0

    @property
    def is_held(self) -> bool:
        """By the clock of this process, and for this moment only: see `guard`."""
        return self.token > 0 and self.remaining > 0

    @property
    def guard(self) -> kv_pb2.Compare:
        """A condition for `Txn.when`: that it is still held when the transaction runs."""
        return kv_pb2.Compare(key=self.key, create_revision=self.token)

    def _hold(self, name: str, kind: str, value: bytes) -> Op[None]:
        """Takes a place in the line, and waits for its turn."""
        core, prefix = self._core, line(name, kind)
        key = f"{prefix}{self.id:014x}"
        request = kv_pb2.ScanRequest(range=key_range(prefix), count_only=True)
        if (yield from core.call(SCAN, request, False)).count >= _LINE_MAX:
            raise error("limitReached", f"{_LINE_MAX} hold or wait already: try again later")
        put = Txn().when_absent(key).put(key, value, lease_id=self.id).otherwise().get(key)
        done = yield from answered(core, lambda: core.txn(put))
        created = done.revision if done.succeeded else done.results[0].entry.create_revision
        failures = 0
        while True:
            try:
                before, revision = yield from self._look(prefix, key, created)
                failures = 0
                if before is None:
                    break
                watch = WatchState(
                    core, [key_range(key=before)], start_revision=revision + 1, event_types=["delete"], restart_when_lost=True
                )
                yield from pump(watch.messages(), lambda message: _DONE if isinstance(message, (Events, Restarted)) else None)
            except KelpError as failure:
                if not _has_no_answer(failure):
                    raise
                failures += 1
                yield Sleep(core.backoff(failures))
        self.name, self.key, self.token = name, key, created
        self._written_at = created

    def _proclaim(self, value: bytes) -> Op[None]:
        core = self._core
        while True:
            # One that was on its way for long can't take the place of a later one.
            txn = Txn().when(self.guard).when_revision(self.key, self._written_at).put(self.key, value, lease_id=self.id)
            txn.otherwise().get(self.key)
            done = yield from answered(core, lambda: core.txn(txn))
            if done.succeeded:
                self._written_at = done.revision
                return
            entry = done.results[0].entry
            if entry is None or entry.create_revision != self.token:
                raise error("leaseNotFound", f"this candidate leads {self.name} no more")
            self._written_at = entry.mod_revision
            # Nothing else writes the key: it is this value whose answer was lost, or one before it.
            if entry.value == value:
                return

    def _look(self, prefix: str, key: str, created: int) -> Op[tuple[Optional[str], int]]:
        """The key before the own one, and the revision at which it was looked for."""
        request = kv_pb2.ScanRequest(range=key_range(prefix), keys_only=True, limit=10_000)
        found: dict[str, int] = {}
        while True:
            page = yield from self._core.call(SCAN, request, False)
            found.update((entry.key, entry.create_revision) for entry in page.entries)
            request.page_token = page.next_page_token
            if page.next_page_token == "":
                break
        if found.get(key) != created:
            raise error("leaseNotFound", f"the key {key} is gone, and the place in line with it")
        earlier = [(revision, other) for other, revision in found.items() if revision < created]
        return max(earlier)[1] if earlier else None, page.revision


def line(name: str, kind: str) -> str:
    """The prefix of the keys of those who hold and wait."""
    if not isinstance(name, str) or not name or "/~" in name or len(name.encode()) > _NAME_BYTES_MAX:
        raise error("invalidArgument", f"a name is 1 to {_NAME_BYTES_MAX} bytes of text without '/~', not {name!r}")
    return f"{name}/~{kind}/"


def leader_value(value: object) -> bytes:
    written = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    if len(written) > _LEADER_BYTES_MAX:
        raise error("limitReached", f"the value of a leader has {len(written)} bytes, and may have {_LEADER_BYTES_MAX}")
    return written


def leaders(core: Core, name: str, *, decode: Callable[[bytes], object] = json.loads) -> Flow[Optional[Leader]]:
    """The leaders of an election: the present one, then each that comes; None while there is none.

    `decode` reads their values, such as `bytes` where candidates write something other than JSON. What it can't read is
    raised as a KelpError `internal` that names the key; the next one that is asked for is the leader that follows.
    """
    candidates: dict[Any, Entry] = {}
    shown: Any = "nothing yet"
    is_synced = False

    def take(message: Any) -> Optional[Emit[Any]]:
        nonlocal shown, is_synced
        if isinstance(message, Restarted):
            candidates.clear()
            is_synced = False
        elif isinstance(message, Current):
            candidates.update((entry.key, entry) for entry in message.entries)
        elif isinstance(message, Synced):
            is_synced = True
        elif isinstance(message, Events):
            for event in message.events:
                if event.entry is None:
                    candidates.pop(event.key, None)
                else:
                    candidates[event.key] = event.entry
        first = min(candidates.values(), key=lambda entry: entry.create_revision, default=None)
        if not is_synced or first == shown:
            return None
        shown = first
        if first is None:
            return Emit(None)
        try:
            return Emit(Leader(decode(first.value), first.create_revision))
        except Exception as reason:
            unread = error("internal", f"the value of the leader's key {first.key!r} can't be read: {reason}")
            unread.__cause__ = reason
            return Emit(unread)

    ranges = [key_range(line(name, "candidate"))]
    yield from pump(WatchState(core, ranges, include_current=True, restart_when_lost=True).messages(), take)


_DONE = object()


def pump(flow: Flow[Any], take: Callable[[Any], Any]) -> Generator[Any, Any, None]:
    """Runs a flow, and hands on what `take` makes of what it emits, until that is `_DONE`."""
    try:
        effect: Any = next(flow)
        while True:
            answer: Any = None
            if isinstance(effect, Emit):
                taken = take(effect.value)
                if taken is _DONE:
                    return
                if taken is not None:
                    yield taken
            else:
                try:
                    answer = yield effect
                except Exception as failure:
                    effect = flow.throw(failure)
                    continue
            effect = flow.send(answer)
    except StopIteration:
        return
    finally:
        flow.close()


def answered(core: Core, make: Callable[[], Op[Any]], deadline: Optional[float] = None) -> Op[Any]:
    """A call which, made a second time, does nothing more: where its answer was lost it is made again until it has one."""
    ends_at: Optional[float] = None
    failures = 0
    while True:
        failures += 1
        try:
            return (yield from make())
        except KelpError as failure:
            if failure.code in ("canceled", "closed") or (ends_at is None and not failure.may_have_taken_effect):
                raise
            ends_at = ends_at or time.monotonic() + (deadline or core.deadline)
            is_passing = failure.may_have_taken_effect or _has_no_answer(failure)
            pause = core.backoff_until(ends_at, failures) if is_passing else None
            if pause is None:
                failure.may_have_taken_effect = True  # Of an earlier try.
                raise
        yield Sleep(pause)


def _has_no_answer(failure: KelpError) -> bool:
    return may_pass(failure) or failure.code == "deadlineExceeded"


def _note(asked_at: list[float]) -> None:
    asked_at[0] = time.monotonic()
