"""What the client does is written once, as generators that yield what is to be done with the world: calls, reads of a stream,
pauses. `aio.py` does it with asyncio, `plain.py` with blocking calls; both send the outcome back in.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generator, Generic, NamedTuple, Optional, TypeVar, Union

from google.protobuf.message import Message

from ._servers import Server
from .errors import KelpError, error

T = TypeVar("T")


class Method(NamedTuple):
    path: str
    reply: type[Message]

    @staticmethod
    def serialize(request: Message) -> bytes:
        return request.SerializeToString()  # type: ignore[no-any-return]


@dataclass
class Unary:
    """A call that has one reply, which is the outcome, or a `grpc.RpcError`."""

    server: Server
    method: Method
    request: Message
    timeout: float


@dataclass
class Open:
    """A call whose replies are a stream; the outcome is what `Next` takes, which has `cancel`."""

    server: Server
    method: Method
    request: Message


@dataclass
class Next:
    """The next message of a stream; None: it has ended."""

    stream: Any


@dataclass
class Sleep:
    seconds: float


@dataclass
class AskCredentials:
    """Calls the function that gives credentials, once for all that wait for others than those of a generation."""

    generation: int
    timeout: float


@dataclass
class Emit(Generic[T]):
    """What the reader of a stream is given next; a KelpError is raised there, and does not end the stream."""

    value: T


Effect = Union[Unary, Open, Next, Sleep, AskCredentials]
Op = Generator[Effect, Any, T]
Flow = Generator[Union[Effect, Emit[T]], Any, None]


class Stopped(Exception):
    """Ends what is under way, from here: the client was closed, a lease lost, or its caller gave up."""

    def __init__(self, reason: KelpError) -> None:
        super().__init__(reason.message)
        self.reason = reason

    def error(self, may_have_taken_effect: bool = False) -> KelpError:
        if not may_have_taken_effect:
            return self.reason
        return error(self.reason.code, self.reason.message, may_have_taken_effect=True)


def closed() -> Stopped:
    return Stopped(error("closed", "the client is closed"))


def canceled() -> Stopped:
    return Stopped(error("canceled", "it was canceled"))


def step(op: Generator[Any, Any, Any], answer: Any, failure: Optional[BaseException]) -> Any:
    """The next effect. Raises StopIteration with the result."""
    if failure is None:
        return op.send(answer)
    if isinstance(failure, StopIteration):  # It can't be thrown into a generator.
        failure = RuntimeError("StopIteration")
    return op.throw(failure)
