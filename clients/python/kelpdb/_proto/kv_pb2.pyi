from google.protobuf import duration_pb2 as _duration_pb2
from . import errors_pb2 as _errors_pb2
from . import hash_pb2 as _hash_pb2
from . import list_pb2 as _list_pb2
from . import set_pb2 as _set_pb2
from . import sketch_pb2 as _sketch_pb2
from . import sorted_set_pb2 as _sorted_set_pb2
from . import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
RELATION_EQUAL: Relation
RELATION_GREATER: Relation
RELATION_LESS: Relation
RELATION_NOT_EQUAL: Relation
RELATION_UNSPECIFIED: Relation

class Compare(_message.Message):
    __slots__ = ["create_revision", "exists", "key", "key_bytes", "lease_id", "mod_revision", "range", "relation", "value", "version"]
    CREATE_REVISION_FIELD_NUMBER: _ClassVar[int]
    EXISTS_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    MOD_REVISION_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    RELATION_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    create_revision: int
    exists: bool
    key: str
    key_bytes: bytes
    lease_id: int
    mod_revision: int
    range: _types_pb2.KeyRange
    relation: Relation
    value: bytes
    version: int
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ..., range: _Optional[_Union[_types_pb2.KeyRange, _Mapping]] = ..., relation: _Optional[_Union[Relation, str]] = ..., exists: bool = ..., value: _Optional[bytes] = ..., version: _Optional[int] = ..., create_revision: _Optional[int] = ..., mod_revision: _Optional[int] = ..., lease_id: _Optional[int] = ...) -> None: ...

class DeleteOperation(_message.Message):
    __slots__ = ["key", "key_bytes", "return_previous"]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    RETURN_PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    key: str
    key_bytes: bytes
    return_previous: bool
    def __init__(self, key: _Optional[str] = ..., return_previous: bool = ..., key_bytes: _Optional[bytes] = ...) -> None: ...

class DeleteRangeOperation(_message.Message):
    __slots__ = ["range"]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    range: _types_pb2.KeyRange
    def __init__(self, range: _Optional[_Union[_types_pb2.KeyRange, _Mapping]] = ...) -> None: ...

class DeleteRangeRequest(_message.Message):
    __slots__ = ["in_parts", "range"]
    IN_PARTS_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    in_parts: bool
    range: _types_pb2.KeyRange
    def __init__(self, range: _Optional[_Union[_types_pb2.KeyRange, _Mapping]] = ..., in_parts: bool = ...) -> None: ...

class DeleteRangeResponse(_message.Message):
    __slots__ = ["deleted_count", "first_revision", "revision"]
    DELETED_COUNT_FIELD_NUMBER: _ClassVar[int]
    FIRST_REVISION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    deleted_count: int
    first_revision: int
    revision: int
    def __init__(self, revision: _Optional[int] = ..., deleted_count: _Optional[int] = ..., first_revision: _Optional[int] = ...) -> None: ...

class DeleteRangeResult(_message.Message):
    __slots__ = ["deleted_count"]
    DELETED_COUNT_FIELD_NUMBER: _ClassVar[int]
    deleted_count: int
    def __init__(self, deleted_count: _Optional[int] = ...) -> None: ...

class DeleteRequest(_message.Message):
    __slots__ = ["condition", "key", "key_bytes", "return_previous"]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    RETURN_PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    condition: _types_pb2.Condition
    key: str
    key_bytes: bytes
    return_previous: bool
    def __init__(self, key: _Optional[str] = ..., condition: _Optional[_Union[_types_pb2.Condition, _Mapping]] = ..., return_previous: bool = ..., key_bytes: _Optional[bytes] = ...) -> None: ...

class DeleteResponse(_message.Message):
    __slots__ = ["deleted", "previous", "revision"]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    deleted: bool
    previous: _types_pb2.Entry
    revision: int
    def __init__(self, revision: _Optional[int] = ..., deleted: bool = ..., previous: _Optional[_Union[_types_pb2.Entry, _Mapping]] = ...) -> None: ...

class DeleteResult(_message.Message):
    __slots__ = ["deleted", "previous"]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    deleted: bool
    previous: _types_pb2.Entry
    def __init__(self, deleted: bool = ..., previous: _Optional[_Union[_types_pb2.Entry, _Mapping]] = ...) -> None: ...

class ExistsRequest(_message.Message):
    __slots__ = ["consistency", "keys", "keys_bytes", "min_revision"]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    KEYS_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    MIN_REVISION_FIELD_NUMBER: _ClassVar[int]
    consistency: _types_pb2.Consistency
    keys: _containers.RepeatedScalarFieldContainer[str]
    keys_bytes: _containers.RepeatedScalarFieldContainer[bytes]
    min_revision: int
    def __init__(self, keys: _Optional[_Iterable[str]] = ..., keys_bytes: _Optional[_Iterable[bytes]] = ..., consistency: _Optional[_Union[_types_pb2.Consistency, str]] = ..., min_revision: _Optional[int] = ...) -> None: ...

class ExistsResponse(_message.Message):
    __slots__ = ["exists", "revision"]
    EXISTS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    exists: _containers.RepeatedScalarFieldContainer[bool]
    revision: int
    def __init__(self, exists: _Optional[_Iterable[bool]] = ..., revision: _Optional[int] = ...) -> None: ...

class GetOperation(_message.Message):
    __slots__ = ["key", "key_bytes"]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    key: str
    key_bytes: bytes
    def __init__(self, key: _Optional[str] = ..., key_bytes: _Optional[bytes] = ...) -> None: ...

class GetRequest(_message.Message):
    __slots__ = ["consistency", "key", "key_bytes", "min_revision", "refresh_ttl", "revision"]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    MIN_REVISION_FIELD_NUMBER: _ClassVar[int]
    REFRESH_TTL_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    consistency: _types_pb2.Consistency
    key: str
    key_bytes: bytes
    min_revision: int
    refresh_ttl: bool
    revision: int
    def __init__(self, key: _Optional[str] = ..., revision: _Optional[int] = ..., refresh_ttl: bool = ..., key_bytes: _Optional[bytes] = ..., consistency: _Optional[_Union[_types_pb2.Consistency, str]] = ..., min_revision: _Optional[int] = ...) -> None: ...

class GetResponse(_message.Message):
    __slots__ = ["entry", "revision"]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    entry: _types_pb2.Entry
    revision: int
    def __init__(self, entry: _Optional[_Union[_types_pb2.Entry, _Mapping]] = ..., revision: _Optional[int] = ...) -> None: ...

class GetResult(_message.Message):
    __slots__ = ["entry"]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    entry: _types_pb2.Entry
    def __init__(self, entry: _Optional[_Union[_types_pb2.Entry, _Mapping]] = ...) -> None: ...

class IncrementOperation(_message.Message):
    __slots__ = ["delta", "key", "key_bytes", "ttl"]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    delta: int
    key: str
    key_bytes: bytes
    ttl: _duration_pb2.Duration
    def __init__(self, key: _Optional[str] = ..., delta: _Optional[int] = ..., ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., key_bytes: _Optional[bytes] = ...) -> None: ...

class IncrementRequest(_message.Message):
    __slots__ = ["delta", "key", "key_bytes", "ttl"]
    DELTA_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    delta: int
    key: str
    key_bytes: bytes
    ttl: _duration_pb2.Duration
    def __init__(self, key: _Optional[str] = ..., delta: _Optional[int] = ..., ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., key_bytes: _Optional[bytes] = ...) -> None: ...

class IncrementResponse(_message.Message):
    __slots__ = ["revision", "value"]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    revision: int
    value: int
    def __init__(self, value: _Optional[int] = ..., revision: _Optional[int] = ...) -> None: ...

class IncrementResult(_message.Message):
    __slots__ = ["value"]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    value: int
    def __init__(self, value: _Optional[int] = ...) -> None: ...

class KeysRequest(_message.Message):
    __slots__ = ["consistency", "limit", "min_revision", "page_token", "pattern"]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MIN_REVISION_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    consistency: _types_pb2.Consistency
    limit: int
    min_revision: int
    page_token: str
    pattern: str
    def __init__(self, pattern: _Optional[str] = ..., limit: _Optional[int] = ..., page_token: _Optional[str] = ..., consistency: _Optional[_Union[_types_pb2.Consistency, str]] = ..., min_revision: _Optional[int] = ...) -> None: ...

class KeysResponse(_message.Message):
    __slots__ = ["incarnation", "keys", "keys_bytes", "next_page_token", "revision"]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    KEYS_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    incarnation: str
    keys: _containers.RepeatedScalarFieldContainer[str]
    keys_bytes: _containers.RepeatedScalarFieldContainer[bytes]
    next_page_token: str
    revision: int
    def __init__(self, keys: _Optional[_Iterable[str]] = ..., next_page_token: _Optional[str] = ..., revision: _Optional[int] = ..., incarnation: _Optional[str] = ..., keys_bytes: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Operation(_message.Message):
    __slots__ = ["bloom_add", "bloom_create", "delete", "delete_range", "get", "hash_delete", "hash_increment", "hash_set", "hll_add", "hll_merge", "increment", "list_insert", "list_move", "list_pop", "list_push", "list_remove", "list_set", "list_trim", "put", "set_add", "set_combine", "set_pop", "set_remove", "sorted_set_add", "sorted_set_combine", "sorted_set_pop", "sorted_set_remove", "sorted_set_remove_range"]
    BLOOM_ADD_FIELD_NUMBER: _ClassVar[int]
    BLOOM_CREATE_FIELD_NUMBER: _ClassVar[int]
    DELETE_FIELD_NUMBER: _ClassVar[int]
    DELETE_RANGE_FIELD_NUMBER: _ClassVar[int]
    GET_FIELD_NUMBER: _ClassVar[int]
    HASH_DELETE_FIELD_NUMBER: _ClassVar[int]
    HASH_INCREMENT_FIELD_NUMBER: _ClassVar[int]
    HASH_SET_FIELD_NUMBER: _ClassVar[int]
    HLL_ADD_FIELD_NUMBER: _ClassVar[int]
    HLL_MERGE_FIELD_NUMBER: _ClassVar[int]
    INCREMENT_FIELD_NUMBER: _ClassVar[int]
    LIST_INSERT_FIELD_NUMBER: _ClassVar[int]
    LIST_MOVE_FIELD_NUMBER: _ClassVar[int]
    LIST_POP_FIELD_NUMBER: _ClassVar[int]
    LIST_PUSH_FIELD_NUMBER: _ClassVar[int]
    LIST_REMOVE_FIELD_NUMBER: _ClassVar[int]
    LIST_SET_FIELD_NUMBER: _ClassVar[int]
    LIST_TRIM_FIELD_NUMBER: _ClassVar[int]
    PUT_FIELD_NUMBER: _ClassVar[int]
    SET_ADD_FIELD_NUMBER: _ClassVar[int]
    SET_COMBINE_FIELD_NUMBER: _ClassVar[int]
    SET_POP_FIELD_NUMBER: _ClassVar[int]
    SET_REMOVE_FIELD_NUMBER: _ClassVar[int]
    SORTED_SET_ADD_FIELD_NUMBER: _ClassVar[int]
    SORTED_SET_COMBINE_FIELD_NUMBER: _ClassVar[int]
    SORTED_SET_POP_FIELD_NUMBER: _ClassVar[int]
    SORTED_SET_REMOVE_FIELD_NUMBER: _ClassVar[int]
    SORTED_SET_REMOVE_RANGE_FIELD_NUMBER: _ClassVar[int]
    bloom_add: _sketch_pb2.BloomAddRequest
    bloom_create: _sketch_pb2.BloomCreateRequest
    delete: DeleteOperation
    delete_range: DeleteRangeOperation
    get: GetOperation
    hash_delete: _hash_pb2.HashDeleteRequest
    hash_increment: _hash_pb2.HashIncrementRequest
    hash_set: _hash_pb2.HashSetRequest
    hll_add: _sketch_pb2.HllAddRequest
    hll_merge: _sketch_pb2.HllMergeRequest
    increment: IncrementOperation
    list_insert: _list_pb2.ListInsertRequest
    list_move: _list_pb2.ListMoveRequest
    list_pop: _list_pb2.ListPopRequest
    list_push: _list_pb2.ListPushRequest
    list_remove: _list_pb2.ListRemoveRequest
    list_set: _list_pb2.ListSetRequest
    list_trim: _list_pb2.ListTrimRequest
    put: PutOperation
    set_add: _set_pb2.SetAddRequest
    set_combine: _set_pb2.SetCombineRequest
    set_pop: _set_pb2.SetPopRequest
    set_remove: _set_pb2.SetRemoveRequest
    sorted_set_add: _sorted_set_pb2.SortedSetAddRequest
    sorted_set_combine: _sorted_set_pb2.SortedSetCombineRequest
    sorted_set_pop: _sorted_set_pb2.SortedSetPopRequest
    sorted_set_remove: _sorted_set_pb2.SortedSetRemoveRequest
    sorted_set_remove_range: _sorted_set_pb2.SortedSetRemoveRangeRequest
    def __init__(self, get: _Optional[_Union[GetOperation, _Mapping]] = ..., put: _Optional[_Union[PutOperation, _Mapping]] = ..., delete: _Optional[_Union[DeleteOperation, _Mapping]] = ..., delete_range: _Optional[_Union[DeleteRangeOperation, _Mapping]] = ..., increment: _Optional[_Union[IncrementOperation, _Mapping]] = ..., hash_set: _Optional[_Union[_hash_pb2.HashSetRequest, _Mapping]] = ..., hash_delete: _Optional[_Union[_hash_pb2.HashDeleteRequest, _Mapping]] = ..., hash_increment: _Optional[_Union[_hash_pb2.HashIncrementRequest, _Mapping]] = ..., list_push: _Optional[_Union[_list_pb2.ListPushRequest, _Mapping]] = ..., list_pop: _Optional[_Union[_list_pb2.ListPopRequest, _Mapping]] = ..., list_set: _Optional[_Union[_list_pb2.ListSetRequest, _Mapping]] = ..., list_insert: _Optional[_Union[_list_pb2.ListInsertRequest, _Mapping]] = ..., list_remove: _Optional[_Union[_list_pb2.ListRemoveRequest, _Mapping]] = ..., list_trim: _Optional[_Union[_list_pb2.ListTrimRequest, _Mapping]] = ..., list_move: _Optional[_Union[_list_pb2.ListMoveRequest, _Mapping]] = ..., set_add: _Optional[_Union[_set_pb2.SetAddRequest, _Mapping]] = ..., set_remove: _Optional[_Union[_set_pb2.SetRemoveRequest, _Mapping]] = ..., set_pop: _Optional[_Union[_set_pb2.SetPopRequest, _Mapping]] = ..., set_combine: _Optional[_Union[_set_pb2.SetCombineRequest, _Mapping]] = ..., sorted_set_add: _Optional[_Union[_sorted_set_pb2.SortedSetAddRequest, _Mapping]] = ..., sorted_set_remove: _Optional[_Union[_sorted_set_pb2.SortedSetRemoveRequest, _Mapping]] = ..., sorted_set_remove_range: _Optional[_Union[_sorted_set_pb2.SortedSetRemoveRangeRequest, _Mapping]] = ..., sorted_set_pop: _Optional[_Union[_sorted_set_pb2.SortedSetPopRequest, _Mapping]] = ..., sorted_set_combine: _Optional[_Union[_sorted_set_pb2.SortedSetCombineRequest, _Mapping]] = ..., hll_add: _Optional[_Union[_sketch_pb2.HllAddRequest, _Mapping]] = ..., hll_merge: _Optional[_Union[_sketch_pb2.HllMergeRequest, _Mapping]] = ..., bloom_create: _Optional[_Union[_sketch_pb2.BloomCreateRequest, _Mapping]] = ..., bloom_add: _Optional[_Union[_sketch_pb2.BloomAddRequest, _Mapping]] = ...) -> None: ...

class OperationFailure(_message.Message):
    __slots__ = ["code", "detail", "message"]
    CODE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: int
    detail: _errors_pb2.ErrorDetail
    message: str
    def __init__(self, code: _Optional[int] = ..., message: _Optional[str] = ..., detail: _Optional[_Union[_errors_pb2.ErrorDetail, _Mapping]] = ...) -> None: ...

class OperationResult(_message.Message):
    __slots__ = ["bloom_add", "bloom_create", "delete", "delete_range", "get", "hash_delete", "hash_increment", "hash_set", "hll_add", "hll_merge", "increment", "list_insert", "list_move", "list_pop", "list_push", "list_remove", "list_set", "list_trim", "put", "set_add", "set_combine", "set_pop", "set_remove", "sorted_set_add", "sorted_set_combine", "sorted_set_pop", "sorted_set_remove", "sorted_set_remove_range"]
    BLOOM_ADD_FIELD_NUMBER: _ClassVar[int]
    BLOOM_CREATE_FIELD_NUMBER: _ClassVar[int]
    DELETE_FIELD_NUMBER: _ClassVar[int]
    DELETE_RANGE_FIELD_NUMBER: _ClassVar[int]
    GET_FIELD_NUMBER: _ClassVar[int]
    HASH_DELETE_FIELD_NUMBER: _ClassVar[int]
    HASH_INCREMENT_FIELD_NUMBER: _ClassVar[int]
    HASH_SET_FIELD_NUMBER: _ClassVar[int]
    HLL_ADD_FIELD_NUMBER: _ClassVar[int]
    HLL_MERGE_FIELD_NUMBER: _ClassVar[int]
    INCREMENT_FIELD_NUMBER: _ClassVar[int]
    LIST_INSERT_FIELD_NUMBER: _ClassVar[int]
    LIST_MOVE_FIELD_NUMBER: _ClassVar[int]
    LIST_POP_FIELD_NUMBER: _ClassVar[int]
    LIST_PUSH_FIELD_NUMBER: _ClassVar[int]
    LIST_REMOVE_FIELD_NUMBER: _ClassVar[int]
    LIST_SET_FIELD_NUMBER: _ClassVar[int]
    LIST_TRIM_FIELD_NUMBER: _ClassVar[int]
    PUT_FIELD_NUMBER: _ClassVar[int]
    SET_ADD_FIELD_NUMBER: _ClassVar[int]
    SET_COMBINE_FIELD_NUMBER: _ClassVar[int]
    SET_POP_FIELD_NUMBER: _ClassVar[int]
    SET_REMOVE_FIELD_NUMBER: _ClassVar[int]
    SORTED_SET_ADD_FIELD_NUMBER: _ClassVar[int]
    SORTED_SET_COMBINE_FIELD_NUMBER: _ClassVar[int]
    SORTED_SET_POP_FIELD_NUMBER: _ClassVar[int]
    SORTED_SET_REMOVE_FIELD_NUMBER: _ClassVar[int]
    SORTED_SET_REMOVE_RANGE_FIELD_NUMBER: _ClassVar[int]
    bloom_add: _sketch_pb2.BloomAddResponse
    bloom_create: _sketch_pb2.BloomCreateResponse
    delete: DeleteResult
    delete_range: DeleteRangeResult
    get: GetResult
    hash_delete: _hash_pb2.HashDeleteResponse
    hash_increment: _hash_pb2.HashIncrementResponse
    hash_set: _hash_pb2.HashSetResponse
    hll_add: _sketch_pb2.HllAddResponse
    hll_merge: _sketch_pb2.HllMergeResponse
    increment: IncrementResult
    list_insert: _list_pb2.ListInsertResponse
    list_move: _list_pb2.ListMoveResponse
    list_pop: _list_pb2.ListPopResponse
    list_push: _list_pb2.ListPushResponse
    list_remove: _list_pb2.ListRemoveResponse
    list_set: _list_pb2.ListSetResponse
    list_trim: _list_pb2.ListTrimResponse
    put: PutResult
    set_add: _set_pb2.SetAddResponse
    set_combine: _set_pb2.SetCombineResponse
    set_pop: _set_pb2.SetPopResponse
    set_remove: _set_pb2.SetRemoveResponse
    sorted_set_add: _sorted_set_pb2.SortedSetAddResponse
    sorted_set_combine: _sorted_set_pb2.SortedSetCombineResponse
    sorted_set_pop: _sorted_set_pb2.SortedSetPopResponse
    sorted_set_remove: _sorted_set_pb2.SortedSetRemoveResponse
    sorted_set_remove_range: _sorted_set_pb2.SortedSetRemoveRangeResponse
    def __init__(self, get: _Optional[_Union[GetResult, _Mapping]] = ..., put: _Optional[_Union[PutResult, _Mapping]] = ..., delete: _Optional[_Union[DeleteResult, _Mapping]] = ..., delete_range: _Optional[_Union[DeleteRangeResult, _Mapping]] = ..., increment: _Optional[_Union[IncrementResult, _Mapping]] = ..., hash_set: _Optional[_Union[_hash_pb2.HashSetResponse, _Mapping]] = ..., hash_delete: _Optional[_Union[_hash_pb2.HashDeleteResponse, _Mapping]] = ..., hash_increment: _Optional[_Union[_hash_pb2.HashIncrementResponse, _Mapping]] = ..., list_push: _Optional[_Union[_list_pb2.ListPushResponse, _Mapping]] = ..., list_pop: _Optional[_Union[_list_pb2.ListPopResponse, _Mapping]] = ..., list_set: _Optional[_Union[_list_pb2.ListSetResponse, _Mapping]] = ..., list_insert: _Optional[_Union[_list_pb2.ListInsertResponse, _Mapping]] = ..., list_remove: _Optional[_Union[_list_pb2.ListRemoveResponse, _Mapping]] = ..., list_trim: _Optional[_Union[_list_pb2.ListTrimResponse, _Mapping]] = ..., list_move: _Optional[_Union[_list_pb2.ListMoveResponse, _Mapping]] = ..., set_add: _Optional[_Union[_set_pb2.SetAddResponse, _Mapping]] = ..., set_remove: _Optional[_Union[_set_pb2.SetRemoveResponse, _Mapping]] = ..., set_pop: _Optional[_Union[_set_pb2.SetPopResponse, _Mapping]] = ..., set_combine: _Optional[_Union[_set_pb2.SetCombineResponse, _Mapping]] = ..., sorted_set_add: _Optional[_Union[_sorted_set_pb2.SortedSetAddResponse, _Mapping]] = ..., sorted_set_remove: _Optional[_Union[_sorted_set_pb2.SortedSetRemoveResponse, _Mapping]] = ..., sorted_set_remove_range: _Optional[_Union[_sorted_set_pb2.SortedSetRemoveRangeResponse, _Mapping]] = ..., sorted_set_pop: _Optional[_Union[_sorted_set_pb2.SortedSetPopResponse, _Mapping]] = ..., sorted_set_combine: _Optional[_Union[_sorted_set_pb2.SortedSetCombineResponse, _Mapping]] = ..., hll_add: _Optional[_Union[_sketch_pb2.HllAddResponse, _Mapping]] = ..., hll_merge: _Optional[_Union[_sketch_pb2.HllMergeResponse, _Mapping]] = ..., bloom_create: _Optional[_Union[_sketch_pb2.BloomCreateResponse, _Mapping]] = ..., bloom_add: _Optional[_Union[_sketch_pb2.BloomAddResponse, _Mapping]] = ...) -> None: ...

class PipelineOperation(_message.Message):
    __slots__ = ["delete", "exists", "get", "increment", "put", "timeout_ms", "touch", "traceparent", "tracestate"]
    DELETE_FIELD_NUMBER: _ClassVar[int]
    EXISTS_FIELD_NUMBER: _ClassVar[int]
    GET_FIELD_NUMBER: _ClassVar[int]
    INCREMENT_FIELD_NUMBER: _ClassVar[int]
    PUT_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    TOUCH_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    TRACESTATE_FIELD_NUMBER: _ClassVar[int]
    delete: DeleteRequest
    exists: ExistsRequest
    get: GetRequest
    increment: IncrementRequest
    put: PutRequest
    timeout_ms: int
    touch: TouchRequest
    traceparent: str
    tracestate: str
    def __init__(self, get: _Optional[_Union[GetRequest, _Mapping]] = ..., put: _Optional[_Union[PutRequest, _Mapping]] = ..., delete: _Optional[_Union[DeleteRequest, _Mapping]] = ..., increment: _Optional[_Union[IncrementRequest, _Mapping]] = ..., touch: _Optional[_Union[TouchRequest, _Mapping]] = ..., exists: _Optional[_Union[ExistsRequest, _Mapping]] = ..., timeout_ms: _Optional[int] = ..., traceparent: _Optional[str] = ..., tracestate: _Optional[str] = ...) -> None: ...

class PipelineRequest(_message.Message):
    __slots__ = ["operations"]
    OPERATIONS_FIELD_NUMBER: _ClassVar[int]
    operations: _containers.RepeatedCompositeFieldContainer[PipelineOperation]
    def __init__(self, operations: _Optional[_Iterable[_Union[PipelineOperation, _Mapping]]] = ...) -> None: ...

class PipelineResponse(_message.Message):
    __slots__ = ["results"]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[PipelineResult]
    def __init__(self, results: _Optional[_Iterable[_Union[PipelineResult, _Mapping]]] = ...) -> None: ...

class PipelineResult(_message.Message):
    __slots__ = ["delete", "exists", "failure", "get", "increment", "put", "touch"]
    DELETE_FIELD_NUMBER: _ClassVar[int]
    EXISTS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    GET_FIELD_NUMBER: _ClassVar[int]
    INCREMENT_FIELD_NUMBER: _ClassVar[int]
    PUT_FIELD_NUMBER: _ClassVar[int]
    TOUCH_FIELD_NUMBER: _ClassVar[int]
    delete: DeleteResponse
    exists: ExistsResponse
    failure: OperationFailure
    get: GetResponse
    increment: IncrementResponse
    put: PutResponse
    touch: TouchResponse
    def __init__(self, get: _Optional[_Union[GetResponse, _Mapping]] = ..., put: _Optional[_Union[PutResponse, _Mapping]] = ..., delete: _Optional[_Union[DeleteResponse, _Mapping]] = ..., increment: _Optional[_Union[IncrementResponse, _Mapping]] = ..., touch: _Optional[_Union[TouchResponse, _Mapping]] = ..., exists: _Optional[_Union[ExistsResponse, _Mapping]] = ..., failure: _Optional[_Union[OperationFailure, _Mapping]] = ...) -> None: ...

class PutOperation(_message.Message):
    __slots__ = ["key", "key_bytes", "lease_id", "return_previous", "ttl", "value"]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    RETURN_PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    key_bytes: bytes
    lease_id: int
    return_previous: bool
    ttl: _duration_pb2.Duration
    value: bytes
    def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ..., ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., lease_id: _Optional[int] = ..., return_previous: bool = ..., key_bytes: _Optional[bytes] = ...) -> None: ...

class PutRequest(_message.Message):
    __slots__ = ["condition", "key", "key_bytes", "lease_id", "return_previous", "ttl", "value"]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    LEASE_ID_FIELD_NUMBER: _ClassVar[int]
    RETURN_PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    condition: _types_pb2.Condition
    key: str
    key_bytes: bytes
    lease_id: int
    return_previous: bool
    ttl: _duration_pb2.Duration
    value: bytes
    def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ..., ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., lease_id: _Optional[int] = ..., condition: _Optional[_Union[_types_pb2.Condition, _Mapping]] = ..., return_previous: bool = ..., key_bytes: _Optional[bytes] = ...) -> None: ...

class PutResponse(_message.Message):
    __slots__ = ["previous", "revision"]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    previous: _types_pb2.Entry
    revision: int
    def __init__(self, revision: _Optional[int] = ..., previous: _Optional[_Union[_types_pb2.Entry, _Mapping]] = ...) -> None: ...

class PutResult(_message.Message):
    __slots__ = ["previous"]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    previous: _types_pb2.Entry
    def __init__(self, previous: _Optional[_Union[_types_pb2.Entry, _Mapping]] = ...) -> None: ...

class ScanRequest(_message.Message):
    __slots__ = ["consistency", "count_only", "keys_only", "limit", "min_revision", "page_token", "range", "reverse", "revision"]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    COUNT_ONLY_FIELD_NUMBER: _ClassVar[int]
    KEYS_ONLY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MIN_REVISION_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    REVERSE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    consistency: _types_pb2.Consistency
    count_only: bool
    keys_only: bool
    limit: int
    min_revision: int
    page_token: str
    range: _types_pb2.KeyRange
    reverse: bool
    revision: int
    def __init__(self, range: _Optional[_Union[_types_pb2.KeyRange, _Mapping]] = ..., limit: _Optional[int] = ..., page_token: _Optional[str] = ..., revision: _Optional[int] = ..., reverse: bool = ..., keys_only: bool = ..., count_only: bool = ..., consistency: _Optional[_Union[_types_pb2.Consistency, str]] = ..., min_revision: _Optional[int] = ...) -> None: ...

class ScanResponse(_message.Message):
    __slots__ = ["count", "entries", "incarnation", "next_page_token", "revision"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    count: int
    entries: _containers.RepeatedCompositeFieldContainer[_types_pb2.Entry]
    incarnation: str
    next_page_token: str
    revision: int
    def __init__(self, entries: _Optional[_Iterable[_Union[_types_pb2.Entry, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., count: _Optional[int] = ..., revision: _Optional[int] = ..., incarnation: _Optional[str] = ...) -> None: ...

class ScanStreamRequest(_message.Message):
    __slots__ = ["chunk_limit", "consistency", "keys_only", "limit", "min_revision", "page_token", "range", "reverse", "revision"]
    CHUNK_LIMIT_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    KEYS_ONLY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    MIN_REVISION_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    REVERSE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    chunk_limit: int
    consistency: _types_pb2.Consistency
    keys_only: bool
    limit: int
    min_revision: int
    page_token: str
    range: _types_pb2.KeyRange
    reverse: bool
    revision: int
    def __init__(self, range: _Optional[_Union[_types_pb2.KeyRange, _Mapping]] = ..., limit: _Optional[int] = ..., page_token: _Optional[str] = ..., revision: _Optional[int] = ..., reverse: bool = ..., keys_only: bool = ..., chunk_limit: _Optional[int] = ..., consistency: _Optional[_Union[_types_pb2.Consistency, str]] = ..., min_revision: _Optional[int] = ...) -> None: ...

class ScanStreamResponse(_message.Message):
    __slots__ = ["entries", "incarnation", "next_page_token", "revision"]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[_types_pb2.Entry]
    incarnation: str
    next_page_token: str
    revision: int
    def __init__(self, entries: _Optional[_Iterable[_Union[_types_pb2.Entry, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., revision: _Optional[int] = ..., incarnation: _Optional[str] = ...) -> None: ...

class TouchRequest(_message.Message):
    __slots__ = ["key", "key_bytes", "ttl"]
    KEY_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    key: str
    key_bytes: bytes
    ttl: _duration_pb2.Duration
    def __init__(self, key: _Optional[str] = ..., ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., key_bytes: _Optional[bytes] = ...) -> None: ...

class TouchResponse(_message.Message):
    __slots__ = ["entry", "revision"]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    entry: _types_pb2.Entry
    revision: int
    def __init__(self, revision: _Optional[int] = ..., entry: _Optional[_Union[_types_pb2.Entry, _Mapping]] = ...) -> None: ...

class TxnRequest(_message.Message):
    __slots__ = ["compares", "failure", "success"]
    COMPARES_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    compares: _containers.RepeatedCompositeFieldContainer[Compare]
    failure: _containers.RepeatedCompositeFieldContainer[Operation]
    success: _containers.RepeatedCompositeFieldContainer[Operation]
    def __init__(self, compares: _Optional[_Iterable[_Union[Compare, _Mapping]]] = ..., success: _Optional[_Iterable[_Union[Operation, _Mapping]]] = ..., failure: _Optional[_Iterable[_Union[Operation, _Mapping]]] = ...) -> None: ...

class TxnResponse(_message.Message):
    __slots__ = ["results", "revision", "succeeded"]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SUCCEEDED_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[OperationResult]
    revision: int
    succeeded: bool
    def __init__(self, succeeded: bool = ..., results: _Optional[_Iterable[_Union[OperationResult, _Mapping]]] = ..., revision: _Optional[int] = ...) -> None: ...

class Relation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
