from google.protobuf import duration_pb2 as _duration_pb2
from . import set_pb2 as _set_pb2
from . import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
SCORE_AGGREGATE_MAX: ScoreAggregate
SCORE_AGGREGATE_MIN: ScoreAggregate
SCORE_AGGREGATE_SUM: ScoreAggregate
SCORE_AGGREGATE_UNSPECIFIED: ScoreAggregate

class MemberBounds(_message.Message):
    __slots__ = ["max", "max_exclusive", "min", "min_exclusive"]
    MAX_EXCLUSIVE_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    MIN_EXCLUSIVE_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    max: bytes
    max_exclusive: bool
    min: bytes
    min_exclusive: bool
    def __init__(self, min: _Optional[bytes] = ..., max: _Optional[bytes] = ..., min_exclusive: bool = ..., max_exclusive: bool = ...) -> None: ...

class OptionalScore(_message.Message):
    __slots__ = ["score"]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    score: float
    def __init__(self, score: _Optional[float] = ...) -> None: ...

class RankBounds(_message.Message):
    __slots__ = ["start", "stop"]
    START_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    start: int
    stop: int
    def __init__(self, start: _Optional[int] = ..., stop: _Optional[int] = ...) -> None: ...

class ScoreBounds(_message.Message):
    __slots__ = ["max", "max_exclusive", "min", "min_exclusive"]
    MAX_EXCLUSIVE_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    MIN_EXCLUSIVE_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    max: float
    max_exclusive: bool
    min: float
    min_exclusive: bool
    def __init__(self, min: _Optional[float] = ..., max: _Optional[float] = ..., min_exclusive: bool = ..., max_exclusive: bool = ...) -> None: ...

class ScoredMember(_message.Message):
    __slots__ = ["member", "score"]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    member: bytes
    score: float
    def __init__(self, member: _Optional[bytes] = ..., score: _Optional[float] = ...) -> None: ...

class SortedSetAddRequest(_message.Message):
    __slots__ = ["increment", "key", "key_bytes", "members", "only_if_absent", "only_if_exists", "only_if_greater", "only_if_less", "ttl"]
    INCREMENT_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    ONLY_IF_ABSENT_FIELD_NUMBER: _ClassVar[int]
    ONLY_IF_EXISTS_FIELD_NUMBER: _ClassVar[int]
    ONLY_IF_GREATER_FIELD_NUMBER: _ClassVar[int]
    ONLY_IF_LESS_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    increment: bool
    key: str
    key_bytes: bytes
    members: _containers.RepeatedCompositeFieldContainer[ScoredMember]
    only_if_absent: bool
    only_if_exists: bool
    only_if_greater: bool
    only_if_less: bool
    ttl: _duration_pb2.Duration
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., members: _Optional[_Iterable[_Union[ScoredMember, _Mapping]]] = ..., only_if_absent: bool = ..., only_if_exists: bool = ..., only_if_greater: bool = ..., only_if_less: bool = ..., increment: bool = ..., ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class SortedSetAddResponse(_message.Message):
    __slots__ = ["added_count", "changed_count", "count", "revision", "scores"]
    ADDED_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_COUNT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    added_count: int
    changed_count: int
    count: int
    revision: int
    scores: _containers.RepeatedCompositeFieldContainer[OptionalScore]
    def __init__(self, revision: _Optional[int] = ..., added_count: _Optional[int] = ..., changed_count: _Optional[int] = ..., count: _Optional[int] = ..., scores: _Optional[_Iterable[_Union[OptionalScore, _Mapping]]] = ...) -> None: ...

class SortedSetCombineRequest(_message.Message):
    __slots__ = ["aggregate", "consistency", "destination", "destination_bytes", "keys", "keys_bytes", "min_revision", "operation", "weights"]
    AGGREGATE_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_BYTES_FIELD_NUMBER: _ClassVar[int]
    DESTINATION_FIELD_NUMBER: _ClassVar[int]
    KEYS_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    MIN_REVISION_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    aggregate: ScoreAggregate
    consistency: _types_pb2.Consistency
    destination: str
    destination_bytes: bytes
    keys: _containers.RepeatedScalarFieldContainer[str]
    keys_bytes: _containers.RepeatedScalarFieldContainer[bytes]
    min_revision: int
    operation: _set_pb2.SetOperation
    weights: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, keys: _Optional[_Iterable[str]] = ..., keys_bytes: _Optional[_Iterable[bytes]] = ..., operation: _Optional[_Union[_set_pb2.SetOperation, str]] = ..., weights: _Optional[_Iterable[float]] = ..., aggregate: _Optional[_Union[ScoreAggregate, str]] = ..., destination: _Optional[str] = ..., destination_bytes: _Optional[bytes] = ..., consistency: _Optional[_Union[_types_pb2.Consistency, str]] = ..., min_revision: _Optional[int] = ...) -> None: ...

class SortedSetCombineResponse(_message.Message):
    __slots__ = ["count", "members", "revision"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    count: int
    members: _containers.RepeatedCompositeFieldContainer[ScoredMember]
    revision: int
    def __init__(self, revision: _Optional[int] = ..., members: _Optional[_Iterable[_Union[ScoredMember, _Mapping]]] = ..., count: _Optional[int] = ...) -> None: ...

class SortedSetPopRequest(_message.Message):
    __slots__ = ["highest", "key", "key_bytes", "limit"]
    HIGHEST_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    highest: bool
    key: str
    key_bytes: bytes
    limit: int
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., highest: bool = ..., limit: _Optional[int] = ...) -> None: ...

class SortedSetPopResponse(_message.Message):
    __slots__ = ["count", "members", "revision"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    count: int
    members: _containers.RepeatedCompositeFieldContainer[ScoredMember]
    revision: int
    def __init__(self, revision: _Optional[int] = ..., members: _Optional[_Iterable[_Union[ScoredMember, _Mapping]]] = ..., count: _Optional[int] = ...) -> None: ...

class SortedSetRange(_message.Message):
    __slots__ = ["member", "rank", "score"]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    member: MemberBounds
    rank: RankBounds
    score: ScoreBounds
    def __init__(self, rank: _Optional[_Union[RankBounds, _Mapping]] = ..., score: _Optional[_Union[ScoreBounds, _Mapping]] = ..., member: _Optional[_Union[MemberBounds, _Mapping]] = ...) -> None: ...

class SortedSetRangeRequest(_message.Message):
    __slots__ = ["consistency", "count_only", "key", "key_bytes", "limit", "min_revision", "page_token", "range", "reverse", "revision"]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    COUNT_ONLY_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MIN_REVISION_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    REVERSE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    consistency: _types_pb2.Consistency
    count_only: bool
    key: str
    key_bytes: bytes
    limit: int
    min_revision: int
    page_token: str
    range: SortedSetRange
    reverse: bool
    revision: int
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., range: _Optional[_Union[SortedSetRange, _Mapping]] = ..., reverse: bool = ..., limit: _Optional[int] = ..., page_token: _Optional[str] = ..., revision: _Optional[int] = ..., count_only: bool = ..., consistency: _Optional[_Union[_types_pb2.Consistency, str]] = ..., min_revision: _Optional[int] = ...) -> None: ...

class SortedSetRangeResponse(_message.Message):
    __slots__ = ["count", "members", "next_page_token", "revision"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    count: int
    members: _containers.RepeatedCompositeFieldContainer[ScoredMember]
    next_page_token: str
    revision: int
    def __init__(self, members: _Optional[_Iterable[_Union[ScoredMember, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., count: _Optional[int] = ..., revision: _Optional[int] = ...) -> None: ...

class SortedSetRankRequest(_message.Message):
    __slots__ = ["consistency", "key", "key_bytes", "member", "min_revision", "reverse"]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    MIN_REVISION_FIELD_NUMBER: _ClassVar[int]
    REVERSE_FIELD_NUMBER: _ClassVar[int]
    consistency: _types_pb2.Consistency
    key: str
    key_bytes: bytes
    member: bytes
    min_revision: int
    reverse: bool
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., member: _Optional[bytes] = ..., reverse: bool = ..., consistency: _Optional[_Union[_types_pb2.Consistency, str]] = ..., min_revision: _Optional[int] = ...) -> None: ...

class SortedSetRankResponse(_message.Message):
    __slots__ = ["count", "rank", "revision", "score"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    count: int
    rank: int
    revision: int
    score: float
    def __init__(self, rank: _Optional[int] = ..., score: _Optional[float] = ..., count: _Optional[int] = ..., revision: _Optional[int] = ...) -> None: ...

class SortedSetRemoveRangeRequest(_message.Message):
    __slots__ = ["key", "key_bytes", "range"]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    key: str
    key_bytes: bytes
    range: SortedSetRange
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., range: _Optional[_Union[SortedSetRange, _Mapping]] = ...) -> None: ...

class SortedSetRemoveRangeResponse(_message.Message):
    __slots__ = ["count", "removed_count", "revision"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    REMOVED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    count: int
    removed_count: int
    revision: int
    def __init__(self, revision: _Optional[int] = ..., removed_count: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...

class SortedSetRemoveRequest(_message.Message):
    __slots__ = ["key", "key_bytes", "members"]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    key: str
    key_bytes: bytes
    members: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., members: _Optional[_Iterable[bytes]] = ...) -> None: ...

class SortedSetRemoveResponse(_message.Message):
    __slots__ = ["count", "removed_count", "revision"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    REMOVED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    count: int
    removed_count: int
    revision: int
    def __init__(self, revision: _Optional[int] = ..., removed_count: _Optional[int] = ..., count: _Optional[int] = ...) -> None: ...

class SortedSetScoreRequest(_message.Message):
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

class SortedSetScoreResponse(_message.Message):
    __slots__ = ["count", "revision", "scores"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SCORES_FIELD_NUMBER: _ClassVar[int]
    count: int
    revision: int
    scores: _containers.RepeatedCompositeFieldContainer[OptionalScore]
    def __init__(self, scores: _Optional[_Iterable[_Union[OptionalScore, _Mapping]]] = ..., count: _Optional[int] = ..., revision: _Optional[int] = ...) -> None: ...

class ScoreAggregate(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
