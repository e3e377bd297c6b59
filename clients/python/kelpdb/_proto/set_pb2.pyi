from google.protobuf import duration_pb2 as _duration_pb2
from . import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
SET_OPERATION_DIFFERENCE: SetOperation
SET_OPERATION_INTERSECTION: SetOperation
SET_OPERATION_UNION: SetOperation
SET_OPERATION_UNSPECIFIED: SetOperation

class SetAddRequest(_message.Message):
    __slots__ = ["key", "key_bytes", "members", "ttl"]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    key: str
    key_bytes: bytes
    members: _containers.RepeatedScalarFieldContainer[bytes]
    ttl: _duration_pb2.Duration
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., members: _Optional[_Iterable[bytes]] = ..., ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class SetAddResponse(_message.Message):
    __slots__ = ["added_count", "count", "revision"]
    ADDED_COUNT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    added_count: int
    count: int
    revision: int
    def __init__(self, revision: _Optional[int] = ..., added_count: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...

class SetCombineRequest(_message.Message):
    __slots__ = ["consistency", "destination", "destination_bytes", "keys", "keys_bytes", "limit", "min_revision", "operation"]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_BYTES_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    KEYS_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MIN_REVISION_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    consistency: _types_pb2.Consistency
    destination: str
    destination_bytes: bytes
    keys: _containers.RepeatedScalarFieldContainer[str]
    keys_bytes: _containers.RepeatedScalarFieldContainer[bytes]
    limit: int
    min_revision: int
    operation: SetOperation
    def __init__(self, keys: _Optional[_Iterable[str]] = ..., keys_bytes: _Optional[_Iterable[bytes]] = ..., operation: _Optional[_Union[SetOperation, str]] = ..., destination: _Optional[str] = ..., destination_bytes: _Optional[bytes] = ..., limit: _Optional[int] = ..., consistency: _Optional[_Union[_types_pb2.Consistency, str]] = ..., min_revision: _Optional[int] = ...) -> None: ...

class SetCombineResponse(_message.Message):
    __slots__ = ["count", "members", "revision"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    count: int
    members: _containers.RepeatedScalarFieldContainer[bytes]
    revision: int
    def __init__(self, revision: _Optional[int] = ..., members: _Optional[_Iterable[bytes]] = ..., count: _Optional[int] = ...) -> None: ...

class SetContainsRequest(_message.Message):
    __slots__ = ["consistency", "key", "key_bytes", "members", "min_revision", "refresh_ttl", "revision"]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    MIN_REVISION_FIELD_NUMBER: _ClassVar[int]
    REFRESH_TTL_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    consistency: _types_pb2.Consistency
    key: str
    key_bytes: bytes
    members: _containers.RepeatedScalarFieldContainer[bytes]
    min_revision: int
    refresh_ttl: bool
    revision: int
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., members: _Optional[_Iterable[bytes]] = ..., revision: _Optional[int] = ..., refresh_ttl: bool = ..., consistency: _Optional[_Union[_types_pb2.Consistency, str]] = ..., min_revision: _Optional[int] = ...) -> None: ...

class SetContainsResponse(_message.Message):
    __slots__ = ["contained", "count", "revision"]
    CONTAINED_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    contained: _containers.RepeatedScalarFieldContainer[bool]
    count: int
    revision: int
    def __init__(self, contained: _Optional[_Iterable[bool]] = ..., count: _Optional[int] = ..., revision: _Optional[int] = ...) -> None: ...

class SetPopRequest(_message.Message):
    __slots__ = ["key", "key_bytes", "limit"]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    key: str
    key_bytes: bytes
    limit: int
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., limit: _Optional[int] = ...) -> None: ...

class SetPopResponse(_message.Message):
    __slots__ = ["count", "members", "revision"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    count: int
    members: _containers.RepeatedScalarFieldContainer[bytes]
    revision: int
    def __init__(self, revision: _Optional[int] = ..., members: _Optional[_Iterable[bytes]] = ..., count: _Optional[int] = ...) -> None: ...

class SetRemoveRequest(_message.Message):
    __slots__ = ["key", "key_bytes", "members"]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    key: str
    key_bytes: bytes
    members: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., members: _Optional[_Iterable[bytes]] = ...) -> None: ...

class SetRemoveResponse(_message.Message):
    __slots__ = ["count", "removed_count", "revision"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    REMOVED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    count: int
    removed_count: int
    revision: int
    def __init__(self, revision: _Optional[int] = ..., removed_count: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...

class SetScanRequest(_message.Message):
    __slots__ = ["consistency", "key", "key_bytes", "limit", "min_revision", "page_token", "revision"]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MIN_REVISION_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    consistency: _types_pb2.Consistency
    key: str
    key_bytes: bytes
    limit: int
    min_revision: int
    page_token: str
    revision: int
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., limit: _Optional[int] = ..., page_token: _Optional[str] = ..., revision: _Optional[int] = ..., consistency: _Optional[_Union[_types_pb2.Consistency, str]] = ..., min_revision: _Optional[int] = ...) -> None: ...

class SetScanResponse(_message.Message):
    __slots__ = ["count", "members", "next_page_token", "revision"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    count: int
    members: _containers.RepeatedScalarFieldContainer[bytes]
    next_page_token: str
    revision: int
    def __init__(self, members: _Optional[_Iterable[bytes]] = ..., next_page_token: _Optional[str] = ..., count: _Optional[int] = ..., revision: _Optional[int] = ...) -> None: ...

class SetOperation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
