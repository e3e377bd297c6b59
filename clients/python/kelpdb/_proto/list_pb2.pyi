from google.protobuf import duration_pb2 as _duration_pb2
from . import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
LIST_END_HEAD: ListEnd
LIST_END_TAIL: ListEnd
LIST_END_UNSPECIFIED: ListEnd

class ListInsertRequest(_message.Message):
    __slots__ = ["element", "is_behind", "key", "key_bytes", "pivot"]
    ELEMENT_FIELD_NUMBER: _ClassVar[int]
    IS_BEHIND_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    PIVOT_FIELD_NUMBER: _ClassVar[int]
    element: bytes
    is_behind: bool
    key: str
    key_bytes: bytes
    pivot: bytes
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., pivot: _Optional[bytes] = ..., element: _Optional[bytes] = ..., is_behind: bool = ...) -> None: ...

class ListInsertResponse(_message.Message):
    __slots__ = ["count", "inserted", "revision"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    INSERTED_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    count: int
    inserted: bool
    revision: int
    def __init__(self, revision: _Optional[int] = ..., inserted: bool = ..., count: _Optional[int] = ...) -> None: ...

class ListMoveRequest(_message.Message):
    __slots__ = ["destination", "destination_bytes", "key", "key_bytes", "to"]
    DESTINATION_BYTES_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    destination: str
    destination_bytes: bytes
    key: str
    key_bytes: bytes
    to: ListEnd
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., destination: _Optional[str] = ..., destination_bytes: _Optional[bytes] = ..., to: _Optional[_Union[ListEnd, str]] = ..., **kwargs) -> None: ...

class ListMoveResponse(_message.Message):
    __slots__ = ["element", "moved", "revision"]
    ELEMENT_FIELD_NUMBER: _ClassVar[int]
    MOVED_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    element: bytes
    moved: bool
    revision: int
    def __init__(self, revision: _Optional[int] = ..., moved: bool = ..., element: _Optional[bytes] = ...) -> None: ...

class ListPopRequest(_message.Message):
    __slots__ = ["end", "key", "key_bytes", "limit"]
    END_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    end: ListEnd
    key: str
    key_bytes: bytes
    limit: int
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., end: _Optional[_Union[ListEnd, str]] = ..., limit: _Optional[int] = ...) -> None: ...

class ListPopResponse(_message.Message):
    __slots__ = ["count", "elements", "revision"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    ELEMENTS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    count: int
    elements: _containers.RepeatedScalarFieldContainer[bytes]
    revision: int
    def __init__(self, revision: _Optional[int] = ..., elements: _Optional[_Iterable[bytes]] = ..., count: _Optional[int] = ...) -> None: ...

class ListPushRequest(_message.Message):
    __slots__ = ["elements", "end", "key", "key_bytes", "only_if_exists", "ttl"]
    ELEMENTS_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    ONLY_IF_EXISTS_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    elements: _containers.RepeatedScalarFieldContainer[bytes]
    end: ListEnd
    key: str
    key_bytes: bytes
    only_if_exists: bool
    ttl: _duration_pb2.Duration
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., elements: _Optional[_Iterable[bytes]] = ..., end: _Optional[_Union[ListEnd, str]] = ..., only_if_exists: bool = ..., ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class ListPushResponse(_message.Message):
    __slots__ = ["count", "revision"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    count: int
    revision: int
    def __init__(self, revision: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...

class ListRangeRequest(_message.Message):
    __slots__ = ["consistency", "key", "key_bytes", "min_revision", "refresh_ttl", "revision", "start", "stop"]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    MIN_REVISION_FIELD_NUMBER: _ClassVar[int]
    REFRESH_TTL_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    consistency: _types_pb2.Consistency
    key: str
    key_bytes: bytes
    min_revision: int
    refresh_ttl: bool
    revision: int
    start: int
    stop: int
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., start: _Optional[int] = ..., stop: _Optional[int] = ..., revision: _Optional[int] = ..., refresh_ttl: bool = ..., consistency: _Optional[_Union[_types_pb2.Consistency, str]] = ..., min_revision: _Optional[int] = ...) -> None: ...

class ListRangeResponse(_message.Message):
    __slots__ = ["count", "elements", "revision"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    ELEMENTS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    count: int
    elements: _containers.RepeatedScalarFieldContainer[bytes]
    revision: int
    def __init__(self, elements: _Optional[_Iterable[bytes]] = ..., count: _Optional[int] = ..., revision: _Optional[int] = ...) -> None: ...

class ListRemoveRequest(_message.Message):
    __slots__ = ["element", "key", "key_bytes", "limit"]
    ELEMENT_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    element: bytes
    key: str
    key_bytes: bytes
    limit: int
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., element: _Optional[bytes] = ..., limit: _Optional[int] = ...) -> None: ...

class ListRemoveResponse(_message.Message):
    __slots__ = ["count", "removed_count", "revision"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    REMOVED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    count: int
    removed_count: int
    revision: int
    def __init__(self, revision: _Optional[int] = ..., removed_count: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...

class ListSetRequest(_message.Message):
    __slots__ = ["element", "index", "key", "key_bytes"]
    ELEMENT_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    element: bytes
    index: int
    key: str
    key_bytes: bytes
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., index: _Optional[int] = ..., element: _Optional[bytes] = ...) -> None: ...

class ListSetResponse(_message.Message):
    __slots__ = ["revision"]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...

class ListTrimRequest(_message.Message):
    __slots__ = ["key", "key_bytes", "start", "stop"]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    key: str
    key_bytes: bytes
    start: int
    stop: int
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., start: _Optional[int] = ..., stop: _Optional[int] = ...) -> None: ...

class ListTrimResponse(_message.Message):
    __slots__ = ["count", "revision"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    count: int
    revision: int
    def __init__(self, revision: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...

class ListEnd(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
