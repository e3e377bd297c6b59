"""The errors of the client. A program acts on the class or `code`, `details` and `may_have_taken_effect`; the message is
for people.
"""
from __future__ import annotations

from typing import Any, Mapping, Optional

import grpc

from ._proto import errors_pb2, status_pb2


class KelpError(Exception):
    """`code` is that of the other clients, such as `"conditionFailed"`.

    `may_have_taken_effect` false is a promise: nothing has changed. True: a write was on its way, and its answer never came.
    `retry_after`, in seconds: when, as the server says, the same call may succeed. `details` holds what a code carries.
    """

    def __init__(
        self,
        code: str,
        message: str,
        details: Optional[Mapping[str, Any]] = None,
        may_have_taken_effect: bool = False,
        retry_after: Optional[float] = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details: Mapping[str, Any] = details or {}
        self.may_have_taken_effect = may_have_taken_effect
        self.retry_after = retry_after
        # Of a failure that no other try can mend, though its code is one that may pass.
        self._is_certain = False
        # Whether the function that gives credentials failed, rather than what it gave.
        self._lacks_credentials = False


class InvalidArgument(KelpError, ValueError):
    """The request breaks a rule of the API."""


class ConditionFailed(KelpError):
    """The condition of a put or delete did not hold."""

    @property
    def current_mod_revision(self) -> int:
        """0: the key does not exist."""
        return int(self.details["current_mod_revision"])


class Unavailable(KelpError):
    """The server can't be reached, or the connection to it broke."""


class DeadlineExceeded(KelpError, TimeoutError):
    """There was no answer in time."""


class Unauthenticated(KelpError):
    """There are no credentials, or they are not right, or not any more."""


class PermissionDenied(KelpError):
    """No role of the user allows all of what was asked for."""


class LimitReached(KelpError):
    """A limit was reached; the message names it."""


class LeaseNotFound(KelpError):
    """There is no such lease; it may have expired."""


class RevisionCompacted(KelpError):
    """The revision asked for, or the one that a watch needs next, is not kept any more."""


class OtherStore(KelpError):
    """The server has another store than the one that a watch was to go on with."""


class HistoryDiffers(KelpError):
    """The server's store has another history than the one that a watch was to go on with."""


class ReadOnly(KelpError):
    """The server's disk has failed; it takes no write until it is started again."""


class Closed(KelpError):
    """The client is closed."""


class Canceled(KelpError):
    """It was ended from here."""


_CLASSES = {
    "invalidArgument": InvalidArgument,
    "conditionFailed": ConditionFailed,
    "unavailable": Unavailable,
    "deadlineExceeded": DeadlineExceeded,
    "unauthenticated": Unauthenticated,
    "permissionDenied": PermissionDenied,
    "limitReached": LimitReached,
    "leaseNotFound": LeaseNotFound,
    "revisionCompacted": RevisionCompacted,
    "otherStore": OtherStore,
    "historyDiffers": HistoryDiffers,
    "readOnly": ReadOnly,
    "closed": Closed,
    "canceled": Canceled,
}

# After the first message of a watch these pass by themselves, or tell on the next try what the watch can do.
INTERRUPTIONS = frozenset(
    "unavailable recovering shuttingDown notWriter readFailed slowWatcher limitReached deadlineExceeded".split()
)
_PASSING = frozenset("unavailable recovering shuttingDown notWriter readFailed".split())
# All other reasons are given before anything has changed.
_AFTER_WRITE = frozenset(["storageFailed", "damaged", "partlyDeleted"])
# What gRPC says of a call for which it had no connection to send it on.
_NOT_CONNECTED = ("failed to connect to all addresses", "DNS resolution failed", "connections to all backends failing")
# Handshakes of TLS that fail so are wrong on one side for good.
_WRONG_TLS = ("wrong version number", "certificate verify failed", "cannot check peer")


def error(code: str, message: str, **rest: Any) -> KelpError:
    return _CLASSES.get(code, KelpError)(code, message, **rest)


def may_pass(failure: KelpError) -> bool:
    """Whether the same call may succeed when it is made again, without anything else being done."""
    if failure.code == "limitReached":
        return failure.retry_after is not None
    return failure.code in _PASSING and not failure._is_certain


def after_tries(failure: KelpError, tries: int, seconds: float) -> KelpError:
    if tries > 1:
        failure.args = (f"{failure.message} (tried {tries} times in {seconds:.1f} s)",)
    return failure


def from_grpc(failure: grpc.RpcError, is_write: bool, address: str) -> KelpError:
    """What gRPC says of a call, in the terms of this client."""
    status, detail, retry_after = _explanation(failure)
    if detail is not None:
        code = _camel(errors_pb2.ErrorReason.Name(detail.reason)[len("ERROR_REASON_") :])
        info = detail.WhichOneof("info")
        details = {}
        if info is not None:
            told = getattr(detail, info)
            details = {field.name: getattr(told, field.name) for field in told.DESCRIPTOR.fields}
        open_ = is_write and code in _AFTER_WRITE
        return error(code, status, details=details, may_have_taken_effect=open_, retry_after=retry_after)
    status_code: grpc.StatusCode = failure.code()
    text = failure.details() or ""
    if status_code == grpc.StatusCode.UNAVAILABLE:
        if any(words in text for words in _NOT_CONNECTED):
            why = f"{text} {getattr(failure, 'debug_error_string', str)()}".lower().replace("_", " ")
            unreached = error("unavailable", f"can't reach the server at {address}: {text}")
            unreached._is_certain = any(words in why for words in _WRONG_TLS)
            return unreached
        return error("unavailable", f"the server at {address} is not available: {text}", may_have_taken_effect=is_write)
    if status_code in (grpc.StatusCode.CANCELLED, grpc.StatusCode.ABORTED):
        return error("unavailable", f"the connection to {address} was closed", may_have_taken_effect=is_write)
    if status_code == grpc.StatusCode.DEADLINE_EXCEEDED:
        return error("deadlineExceeded", f"no answer from {address} in time", may_have_taken_effect=is_write)
    if status_code == grpc.StatusCode.RESOURCE_EXHAUSTED:
        return error("limitReached", text, may_have_taken_effect=is_write, retry_after=retry_after)
    if status_code in _REFUSALS:
        return error(_camel(status_code.name), text)
    return error("internal", text, may_have_taken_effect=is_write)


_REFUSALS = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED,
)


def _camel(name: str) -> str:
    first, *others = name.lower().split("_")
    return first + "".join(word.capitalize() for word in others)


def _explanation(failure: grpc.RpcError) -> tuple[str, Optional[errors_pb2.ErrorDetail], Optional[float]]:
    text, detail, retry_after = failure.details() or "", None, None
    for name, value in failure.trailing_metadata() or ():
        if name != "grpc-status-details-bin":
            continue
        status = status_pb2.Status()
        try:
            status.ParseFromString(value)
            for packed in status.details:
                kind = packed.type_url.rpartition("/")[2]
                if kind == "kelp.v1.ErrorDetail":
                    detail = errors_pb2.ErrorDetail.FromString(packed.value)
                elif kind == "google.rpc.RetryInfo":
                    delay = status_pb2.RetryInfo.FromString(packed.value).retry_delay
                    retry_after = delay.seconds + delay.nanos / 1e9
        except ValueError:  # What a proxy has put there explains nothing.
            continue
        text = status.message or text
    if detail is not None and detail.reason not in errors_pb2.ErrorReason.values():
        detail = None  # A reason that this client is too old to know.
    return text, detail, retry_after
