from google.protobuf import duration_pb2 as _duration_pb2
from . import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BloomAddRequest(_message.Message):
    __slots__ = ["elements", "key", "key_bytes", "ttl"]
    ELEMENTS_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    elements: _containers.RepeatedScalarFieldContainer[bytes]
    key: str
    key_bytes: bytes
    ttl: _duration_pb2.Duration
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., elements: _Optional[_Iterable[bytes]] = ..., ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class BloomAddResponse(_message.Message):
    __slots__ = ["added", "revision"]
    ADDED_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    added: _containers.RepeatedScalarFieldContainer[bool]
    revision: int
    def __init__(self, revision: _Optional[int] = ..., added: _Optional[_Iterable[bool]] = ...) -> None: ...

class BloomContainsRequest(_message.Message):
    __slots__ = ["consistency", "elements", "key", "key_bytes", "min_revision", "refresh_ttl", "revision"]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    ELEMENTS_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    MIN_REVISION_FIELD_NUMBER: _ClassVar[int]
    REFRESH_TTL_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    consistency: _types_pb2.Consistency
    elements: _containers.RepeatedScalarFieldContainer[bytes]
    key: str
    key_bytes: bytes
    min_revision: int
    refresh_ttl: bool
    revision: int
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., elements: _Optional[_Iterable[bytes]] = ..., revision: _Optional[int] = ..., refresh_ttl: bool = ..., consistency: _Optional[_Union[_types_pb2.Consistency, str]] = ..., min_revision: _Optional[int] = ...) -> None: ...

class BloomContainsResponse(_message.Message):
    __slots__ = ["contained", "revision"]
    CONTAINED_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    contained: _containers.RepeatedScalarFieldContainer[bool]
    revision: int
    def __init__(self, contained: _Optional[_Iterable[bool]] = ..., revision: _Optional[int] = ...) -> None: ...

class BloomCreateRequest(_message.Message):
    __slots__ = ["capacity", "error_rate", "expansion", "key", "key_bytes", "non_scaling", "ttl"]
    CAPACITY_FIELD_NUMBER: _ClassVar[int]
    ERROR_RATE_FIELD_NUMBER: _ClassVar[int]
    EXPANSION_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    NON_SCALING_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    capacity: int
    error_rate: float
    expansion: int
    key: str
    key_bytes: bytes
    non_scaling: bool
    ttl: _duration_pb2.Duration
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., error_rate: _Optional[float] = ..., capacity: _Optional[int] = ..., expansion: _Optional[int] = ..., non_scaling: bool = ..., ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class BloomCreateResponse(_message.Message):
    __slots__ = ["revision"]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...

class HllAddRequest(_message.Message):
    __slots__ = ["elements", "key", "key_bytes", "ttl"]
    ELEMENTS_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    elements: _containers.RepeatedScalarFieldContainer[bytes]
    key: str
    key_bytes: bytes
    ttl: _duration_pb2.Duration
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., elements: _Optional[_Iterable[bytes]] = ..., ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class HllAddResponse(_message.Message):
    __slots__ = ["changed", "revision"]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    changed: bool
    revision: int
    def __init__(self, revision: _Optional[int] = ..., changed: bool = ...) -> None: ...

class HllCountRequest(_message.Message):
    __slots__ = ["consistency", "keys", "keys_bytes", "min_revision", "revision"]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    KEYS_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    MIN_REVISION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    consistency: _types_pb2.Consistency
    keys: _containers.RepeatedScalarFieldContainer[str]
    keys_bytes: _containers.RepeatedScalarFieldContainer[bytes]
    min_revision: int
    revision: int
    def __init__(self, keys: _Optional[_Iterable[str]] = ..., keys_bytes: _Optional[_Iterable[bytes]] = ..., revision: _Optional[int] = ..., consistency: _Optional[_Union[_types_pb2.Consistency, str]] = ..., min_revision: _Optional[int] = ...) -> None: ...

class HllCountResponse(_message.Message):
    __slots__ = ["count", "revision"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    count: int
    revision: int
    def __init__(self, count: _Optional[int] = ..., revision: _Optional[int] = ...) -> None: ...

class HllMergeRequest(_message.Message):
    __slots__ = ["key", "key_bytes", "sources", "sources_bytes"]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    SOURCES_BYTES_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    key: str
    key_bytes: bytes
    sources: _containers.RepeatedScalarFieldContainer[str]
    sources_bytes: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., sources: _Optional[_Iterable[str]] = ..., sources_bytes: _Optional[_Iterable[bytes]] = ...) -> None: ...

class HllMergeResponse(_message.Message):
    __slots__ = ["revision"]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...
