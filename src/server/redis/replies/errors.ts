/**
 * All texts of errors that go over the wire, as Redis 7.0 has them where it has one: its clients look at the code (the first
 * word), some at more.
 */
import { AnswerError, StoreError, type StoreErrorCode } from '../../../errors.ts';
import { fixed, serverFixed } from '../../../limits.ts';

/** What is wrong with a command. The message is what is sent, with its code first and without line ends. */
export class ReplyError extends AnswerError {
  override readonly name = 'ReplyError';
}

export const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value';
export const NOT_AN_INTEGER = 'ERR value is not an integer or out of range';
export const NOT_A_FLOAT = 'ERR value is not a valid float';
export const SYNTAX = 'ERR syntax error';
export const INTEGER_OVERFLOW = 'ERR increment or decrement would overflow';
export const NOT_A_NUMBER = 'ERR increment would produce NaN or Infinity';
export const INDEX_OUT_OF_RANGE = 'ERR index out of range';
export const NO_SUCH_KEY = 'ERR no such key';
export const OUT_OF_MEMORY = "OOM command not allowed when used memory > 'maxmemory'.";
export const HASH_VALUE_NOT_AN_INTEGER = 'ERR hash value is not an integer';
export const HASH_VALUE_NOT_A_FLOAT = 'ERR hash value is not a float';
export const NOT_FINITE = 'ERR value is NaN or Infinity';
export const OUT_OF_RANGE = 'ERR value is out of range';
export const OUT_OF_RANGE_INT64 =
  'ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807';
export const NOT_POSITIVE = 'ERR value is out of range, must be positive';
export const INVALID_CURSOR = 'ERR invalid cursor';
export const NO_KEY_COUNT = 'ERR numkeys should be greater than 0';
export const TOO_FEW_KEYS = "ERR Number of keys can't be greater than number of args";
export const NEGATIVE_LIMIT = "ERR LIMIT can't be negative";
export const INTERNAL = 'ERR the server failed to run the command; its log says how';

/** Of a long reply. */
export function tooMuchHeld(): ReplyError {
  return new ReplyError(
    'ERR the replies that clients wait for take too much memory; try again later, or ask for less',
  );
}

/** Of what is for clusters, where there is none. */
export function noClusterSupport(): ReplyError {
  return new ReplyError('ERR This instance has cluster support disabled');
}

/** Of a cluster. Clients of Redis Cluster, and some others, try again. */
export function clusterDown(
  why = 'The cluster is down: there is no writer now, or it is not reached',
): ReplyError {
  return new ReplyError(`CLUSTERDOWN ${why}`);
}

/** At a writer of a cluster that may be none any more. */
export function notConfirmed(): ReplyError {
  return clusterDown(
    'The cluster is down: the shared log does not say that this node is the writer; whether the last changes are kept is not known',
  );
}

/** At a follower of a cluster, after READONLY. */
export function readOnlyReplica(): ReplyError {
  return new ReplyError("READONLY You can't write against a read only replica.");
}

/** At a follower of a cluster. */
export function certificateNotPassedOn(): ReplyError {
  return new ReplyError(
    'NOPERM this node is a follower and, without --peer-token-file, its writer is not told of the certificate of a client: log in with AUTH, connect to the writer, or read here after READONLY',
  );
}

export function notANode(): ReplyError {
  return new ReplyError('NOPERM only a node of the cluster says whose connection it passes on');
}

export function noAuth(): ReplyError {
  return new ReplyError('NOAUTH Authentication required.');
}

export function wrongPassword(): ReplyError {
  return new ReplyError('WRONGPASS invalid username-password pair or user is disabled.');
}

/** Of `AUTH password`, whatever was wrong: it tells whether there is such a user as little as the other one. */
export function wrongSecret(userName: string): ReplyError {
  return new ReplyError(
    `WRONGPASS invalid token, or password of the user '${userName}', whom AUTH with a password alone means: others log in with AUTH user password`,
  );
}

/** Whether credentials were refused, and not put off. */
export function isLoginRefusal(error: unknown): boolean {
  return error instanceof ReplyError && error.message.startsWith('WRONGPASS ');
}

/** What a user lacks for a call: the right to run the command, to a key of it, or to a channel. */
export type DeniedReason = 'command' | 'key' | 'channel';

/** Where such a call came from. */
export type DeniedContext = 'toplevel' | 'multi' | 'lua';

/** A call that its user may not run. */
export class DeniedError extends ReplyError {
  readonly reason: DeniedReason;
  /** What it is about, as Latin-1: the command, the key or the channel. `*`: all keys. */
  readonly object: string;

  constructor(reason: DeniedReason, object: string, message: string) {
    super(message);
    this.reason = reason;
    this.object = object;
  }
}

/** @param key as Latin-1; left out: the call wants all keys. */
export function noKeyPermission(key = '*'): DeniedError {
  return new DeniedError(
    'key',
    key,
    'NOPERM this user has no permissions to access one of the keys used as arguments',
  );
}

/** @param channel as Latin-1. */
export function noChannelPermission(channel: string): DeniedError {
  return new DeniedError(
    'channel',
    channel,
    'NOPERM this user has no permissions to access one of the channels used as arguments',
  );
}

/** @param name of the command. */
export function noCommandPermission(name: string): DeniedError {
  return new DeniedError('command', name, `NOPERM this user has no permissions to run the '${name}' command`);
}

/** What ACL DRYRUN replies. */
export function deniedText({ reason, object }: DeniedError): string {
  return reason === 'command'
    ? `This user has no permissions to run the '${object}' command`
    : `This user has no permissions to access the '${object}' ${reason}`;
}

/** EXEC itself is wrong, which ends a transaction, if there is one. */
export function execRefused({ message }: ReplyError): ReplyError {
  return new ReplyError(`EXECABORT Transaction discarded because of: ${message.replace(/^ERR /, '')}`);
}

export function execAborted(): ReplyError {
  return new ReplyError('EXECABORT Transaction discarded because of previous errors.');
}

export function notInTransaction(): ReplyError {
  return new ReplyError('ERR Command not allowed inside a transaction');
}

/** @param name in lower case. */
export function notWhileSubscribed(name: string): ReplyError {
  return new ReplyError(
    `ERR Can't execute '${name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context`,
  );
}

export function syntaxError(): ReplyError {
  return new ReplyError(SYNTAX);
}

export function notAnInteger(): ReplyError {
  return new ReplyError(NOT_AN_INTEGER);
}

export function notAFloat(): ReplyError {
  return new ReplyError(NOT_A_FLOAT);
}

export function unsupportedOption(word: string): ReplyError {
  return new ReplyError(plain(`ERR Unsupported option ${word.slice(0, TOLD_CHARACTERS_MAX)}`));
}

export function incompatibleConditions(words: string): ReplyError {
  return new ReplyError(`ERR ${words} options at the same time are not compatible`);
}

export function noSuchKey(): ReplyError {
  return new ReplyError(NO_SUCH_KEY);
}

export function sameObjects(): ReplyError {
  return new ReplyError('ERR source and destination objects are the same');
}

export function databaseOutOfRange(): ReplyError {
  return new ReplyError('ERR DB index is out of range');
}

/** Of an integer that has bounds of its own, both inclusive. */
export function integerOutOfBounds(min: number, max: number): ReplyError {
  return new ReplyError(`ERR value is out of range, value must between ${min} and ${max}`);
}

export function frequencyNotKept(): ReplyError {
  return new ReplyError(
    'ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.',
  );
}

export function keyHasNoBytes(): ReplyError {
  return new ReplyError('ERR the key is empty; a key has at least 1 byte');
}

export function keyIsTooLong(length: number): ReplyError {
  return new ReplyError(`ERR the key is ${length} bytes long; at most ${fixed.keyBytesMax} are allowed`);
}

export function wrongArity(name: string): ReplyError {
  return new ReplyError(`ERR wrong number of arguments for '${name}' command`);
}

/** For a command that takes several revisions outside of one. */
export function tooMuchForTransaction(name: string): ReplyError {
  return new ReplyError(`ERR '${name}' has more to do than one transaction may; run it outside of MULTI`);
}

/** @param name of the command, in lower case. */
export function invalidExpireTime(name: string): ReplyError {
  return new ReplyError(`ERR invalid expire time in '${name}' command`);
}

/** Of HEXPIRE and its kin. */
export const fieldTimeTexts = {
  fields: 'ERR Mandatory argument FIELDS is missing or not at the right position',
  fieldCount: 'ERR Number of fields must be a positive integer',
  /** HEXPIRE has words of its own. */
  fieldCountToExpire: 'ERR Parameter `numFields` should be greater than 0',
  fieldCountDiffers: 'ERR The `numfields` parameter must match the number of arguments',
  negativeTime: 'ERR invalid expire time, must be >= 0',
  /** Of HSETEX. */
  pairCount: 'ERR invalid number of fields',
  oneCondition: 'ERR Only one of FXX or FNX arguments can be specified',
  oneTime: 'ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified',
  noTime: 'ERR missing expire time',
} as const;

/** Of HSETEX. */
export function unknownArgument(word: string): ReplyError {
  return new ReplyError(plain(`ERR unknown argument: ${word.slice(0, TOLD_CHARACTERS_MAX)}`));
}

export function offsetOutOfRange(): ReplyError {
  return new ReplyError('ERR offset is out of range');
}

export function decrementOverflow(): ReplyError {
  return new ReplyError('ERR decrement would overflow');
}

export function lcsOfOtherTypes(): ReplyError {
  return new ReplyError('ERR The specified keys must contain string values');
}

export function lcsLengthAndIndexes(): ReplyError {
  return new ReplyError('ERR If you want both the length and indexes, please just use IDX.');
}

export function badBitOffset(): ReplyError {
  return new ReplyError('ERR bit offset is not an integer or out of range');
}

export function badBit(): ReplyError {
  return new ReplyError('ERR bit is not an integer or out of range');
}

export function bitIsNotOneOrZero(): ReplyError {
  return new ReplyError('ERR The bit argument must be 1 or 0.');
}

export function notOfSeveralKeys(): ReplyError {
  return new ReplyError('ERR BITOP NOT must be called with a single source key.');
}

export function badOverflowType(): ReplyError {
  return new ReplyError('ERR Invalid OVERFLOW type specified');
}

export function badFieldType(): ReplyError {
  return new ReplyError(
    'ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.',
  );
}

export function onlyGetIsSupported(): ReplyError {
  return new ReplyError('ERR BITFIELD_RO only supports the GET subcommand');
}

export function notHyperLogLog(): ReplyError {
  return new ReplyError('WRONGTYPE Key is not a valid HyperLogLog string value.');
}

export function damagedHyperLogLog(): ReplyError {
  return new ReplyError('INVALIDOBJ Corrupted HLL object detected');
}

/** As RedisBloom has them; some have no code. */
export const bloomTexts = {
  badErrorRate: 'ERR bad error rate',
  errorRateRange: 'ERR (0 < error rate range < 1) ',
  badCapacity: 'ERR bad capacity',
  capacityRange: 'ERR (capacity should be larger than 0)',
  noExpansion: 'ERR no expansion',
  badExpansion: 'ERR bad expansion',
  expansionRange: 'ERR expansion should be greater or equal to 1',
  fixedExpansion: 'Nonscaling filters cannot expand',
  exists: 'ERR item exists',
  notFound: 'ERR not found',
  full: 'ERR non scaling filter is full',
  insertErrorRate: 'Bad error rate',
  insertExpansion: 'Bad expansion',
  insertCapacity: 'Bad capacity',
  insertArgument: 'Bad argument received',
  unknownArgument: 'Unknown argument received',
  unknownInformation: 'Invalid information value',
} as const;

export const restoreTexts = {
  busyKey: 'BUSYKEY Target key name already exists.',
  time: 'ERR Invalid TTL value, must be >= 0',
  idleTime: 'ERR Invalid IDLETIME value, must be >= 0',
  frequency: 'ERR Invalid FREQ value, must be >= 0 and <= 255',
  payload: 'ERR DUMP payload version or checksum are wrong',
  format: 'ERR Bad data format',
} as const;

/** What is wrong with the words of a search by place, and of distances. */
export const geoTexts = {
  unit: 'ERR unsupported unit provided. please use M, KM, FT, MI',
  radius: 'ERR need numeric radius',
  negativeRadius: 'ERR radius cannot be negative',
  width: 'ERR need numeric width',
  height: 'ERR need numeric height',
  negativeBox: 'ERR height or width cannot be negative',
  member: 'ERR could not decode requested zset member',
  count: 'ERR COUNT must be > 0',
  any: 'ERR the ANY argument requires COUNT argument',
  told: 'ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options',
  toldInStore: 'ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options',
} as const;

/** In degrees, as C prints them with `%f`. */
export function noSuchPlace(longitude: string, latitude: string): ReplyError {
  return new ReplyError(`ERR invalid longitude,latitude pair ${longitude},${latitude}`);
}

/** @param name of the command as it was sent. */
export function geoCenterMissing(name: string): ReplyError {
  return new ReplyError(plain(`ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ${name}`));
}

export function geoExtentMissing(name: string): ReplyError {
  return new ReplyError(plain(`ERR exactly one of BYRADIUS and BYBOX can be specified for ${name}`));
}

export const streamTexts = {
  badId: 'ERR Invalid stream ID specified as stream command argument',
  badStart: 'ERR invalid start ID for the interval',
  badEnd: 'ERR invalid end ID for the interval',
  twoBounds: 'ERR syntax error, MAXLEN and MINID options at the same time are not compatible',
  negativeLength: 'ERR The MAXLEN argument must be >= 0.',
  negativeLimit: 'ERR The LIMIT argument must be >= 0.',
  limitWithoutBound: 'ERR syntax error, LIMIT cannot be used without specifying a trimming strategy',
  limitOfExact: 'ERR syntax error, LIMIT cannot be used without the special ~ option',
  noBound: 'ERR syntax error, XTRIM must be called with a trimming strategy',
  idIsZero: 'ERR The ID specified in XADD must be greater than 0-0',
  idIsLow: 'ERR The ID specified in XADD is equal or smaller than the target stream top item',
  idsAreSpent: 'ERR The stream has exhausted the last possible ID, unable to add more items',
  negativeAdded: 'ERR entries_added must be positive',
  setBelowDeleted: 'ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id',
  setBelowLast: 'ERR The ID specified in XSETID is smaller than the target stream top item',
  addedBelowLength: 'ERR The entries_added specified in XSETID is smaller than the target stream length',
  unbalanced: "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.",
  groupOfRead: 'ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.',
  noAckOfRead: 'ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.',
  noGroupOfRead: 'ERR Missing GROUP option for XREADGROUP',
  lastOfGroup:
    'ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.',
  groupIsThere: 'BUSYGROUP Consumer Group name already exists',
  keyIsNeeded:
    'ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.',
  negativeRead: 'ERR value for ENTRIESREAD must be positive or -1',
  groupIsGone: 'NOGROUP the consumer group this client was blocked on no longer exists',
  streamIsGone: 'UNBLOCKED the stream key no longer exists',
  minIdleOfClaim: 'ERR Invalid min-idle-time argument for XCLAIM',
  idleOfClaim: 'ERR Invalid IDLE option argument for XCLAIM',
  timeOfClaim: 'ERR Invalid TIME option argument for XCLAIM',
  retriesOfClaim: 'ERR Invalid RETRYCOUNT option argument for XCLAIM',
  minIdleOfAutoClaim: 'ERR Invalid min-idle-time argument for XAUTOCLAIM',
  noCount: 'ERR COUNT must be > 0',
  newOfRead:
    'ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.',
} as const;

/** @param name of the command as it was sent. */
export function blockInScript(name: string): ReplyError {
  return new ReplyError(plain(`ERR ${name} command is not allowed with BLOCK option from scripts`));
}

/** @param key, group as Latin-1. @param where behind it. */
export function noSuchGroup(key: string, group: string, where = ''): ReplyError {
  return new ReplyError(plain(`NOGROUP No such key '${key}' or consumer group '${group}'${where}`));
}

export function noGroupOfKey(key: string, group: string): ReplyError {
  return new ReplyError(plain(`NOGROUP No such consumer group '${group}' for key name '${key}'`));
}

export function unknownClaimOption(word: string): ReplyError {
  return new ReplyError(plain(`ERR Unrecognized XCLAIM option '${word}'`));
}

export function subscriptionsExceeded(): ReplyError {
  const { redisSubscriptionsMax, redisSubscriptionBytesMax } = serverFixed;
  return new ReplyError(
    `ERR too many subscriptions; a client may have ${redisSubscriptionsMax}, and all together may take ${redisSubscriptionBytesMax} bytes`,
  );
}

export function patternsExceeded(): ReplyError {
  const { redisPatternsMax, redisPatternBytesMax } = serverFixed;
  return new ReplyError(
    `ERR too many patterns; all clients together may have ${redisPatternsMax}, of ${redisPatternBytesMax} bytes`,
  );
}

export function messagesWaiting(): ReplyError {
  return new ReplyError('ERR too many messages wait for the disk; publish again a little later');
}

export function monitorsExceeded(): ReplyError {
  return new ReplyError(`ERR too many clients monitor; at most ${serverFixed.redisMonitorsMax} may`);
}

export function unknownParameter(name: string): ReplyError {
  return new ReplyError(plain(`ERR Unknown option or number of arguments for CONFIG SET - '${name}'`));
}

export function configSetFailed(name: string, reason: string): ReplyError {
  return new ReplyError(plain(`ERR CONFIG SET failed (possibly related to argument '${name}') - ${reason}`));
}

export function noConfigFile(): ReplyError {
  return new ReplyError('ERR The server is running without a config file');
}

export function noLatencySamples(event: string): ReplyError {
  return new ReplyError(plain(`ERR No samples available for event '${event.slice(0, TOLD_CHARACTERS_MAX)}'`));
}

export function slowLogCount(): ReplyError {
  return new ReplyError('ERR count should be greater than or equal to -1');
}

export function invalidClientName(): ReplyError {
  return new ReplyError('ERR Client names cannot contain spaces, newlines or special characters.');
}

export function clientNameTooLong(bytesMax: number): ReplyError {
  return new ReplyError(`ERR Client names have at most ${bytesMax} bytes here; use a shorter one.`);
}

export function unknownClientType(type: string): ReplyError {
  return new ReplyError(plain(`ERR Unknown client type '${type}'`));
}

export function noSuchClient(): ReplyError {
  return new ReplyError('ERR No such client');
}

export function noSuchUser(name: string): ReplyError {
  return new ReplyError(plain(`ERR No such user '${name}'`));
}

export function clientIdNotPositive(): ReplyError {
  return new ReplyError('ERR client-id should be greater than 0');
}

export function invalidClientId(): ReplyError {
  return new ReplyError('ERR Invalid client ID');
}

export function invalidPauseMode(): ReplyError {
  return new ReplyError('ERR CLIENT PAUSE mode must be WRITE or ALL');
}

export function invalidTimeout(): ReplyError {
  return new ReplyError('ERR timeout is not an integer or out of range');
}

export function negativeTimeout(): ReplyError {
  return new ReplyError('ERR timeout is negative');
}

export function invalidUnblockReason(): ReplyError {
  return new ReplyError('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR');
}

export function notTracking(): ReplyError {
  return new ReplyError(
    'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled',
  );
}

export function cachingNotIn(mode: 'OPTIN' | 'OPTOUT'): ReplyError {
  const word = mode === 'OPTIN' ? 'YES' : 'NO';
  return new ReplyError(`ERR CLIENT CACHING ${word} is only valid when tracking is enabled in ${mode} mode.`);
}

export function redirectedTwice(): ReplyError {
  return new ReplyError('ERR A client can only redirect to a single other client');
}

export function noRedirectClient(): ReplyError {
  return new ReplyError('ERR The client ID you want redirect to does not exist');
}

export function noRedirectAtFollower(): ReplyError {
  return new ReplyError(
    'ERR a follower of a cluster redirects no invalidations: track in RESP3, or at the writer, without READONLY',
  );
}

export function prefixWithoutBroadcast(): ReplyError {
  return new ReplyError('ERR PREFIX option requires BCAST mode to be enabled');
}

export function broadcastSwitched(): ReplyError {
  return new ReplyError(
    "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.",
  );
}

export function optionWithBroadcast(): ReplyError {
  return new ReplyError('ERR OPTIN and OPTOUT are not compatible with BCAST');
}

export function optInAndOut(): ReplyError {
  return new ReplyError("ERR You can't specify both OPTIN mode and OPTOUT mode");
}

export function optSwitched(): ReplyError {
  return new ReplyError(
    "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.",
  );
}

/** @param what the other prefix is. */
export function prefixesOverlap(
  prefix: string,
  what: 'an existing' | 'another provided',
  other: string,
): ReplyError {
  return new ReplyError(
    plain(
      `ERR Prefix '${prefix}' overlaps with ${what} prefix '${other}'. Prefixes for a single client must not overlap.`,
    ),
  );
}

export function prefixesExceeded(): ReplyError {
  const { redisTrackedPrefixesMax, redisTrackedPrefixBytesMax } = serverFixed;
  return new ReplyError(
    `ERR too many prefixes: those of all clients are at most ${redisTrackedPrefixesMax}, with ${redisTrackedPrefixBytesMax} bytes`,
  );
}

export function trackedHere(): ReplyError {
  return new ReplyError(
    'READONLY this connection tracks keys at a follower of a cluster: the command is for the writer, which takes it behind CLIENT TRACKING OFF',
  );
}

export function unknownCategory(name: string): ReplyError {
  return new ReplyError(plain(`ERR Unknown category '${name}'`));
}

/** Of a word of ACL SETUSER: nothing is changed. @param rule as Latin-1. */
export function aclRuleRefused(rule: string, why: string): ReplyError {
  return new ReplyError(
    plain(`ERR Error in ACL SETUSER modifier '${rule.slice(0, TOLD_CHARACTERS_MAX)}': ${why}`),
  );
}

/** Of what the words of ACL SETUSER come to, which roles can't say. */
export function aclNotCarried(what: string): ReplyError {
  return new ReplyError(plain(`ERR ACL SETUSER has changed nothing: ${what}`));
}

/** What users have no words for in Redis, or have others. */
export const aclTexts = {
  syntax: 'Syntax error',
  unknownCommand: 'Unknown command or category name in ACL',
  patternBehindAll:
    "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns",
  channelBehindAll:
    "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels",
  badHash:
    'The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters',
  noSuchPassword: 'The password you are trying to remove from the user does not exist',
  hash: 'passwords are kept by scrypt here, so the SHA-256 of one is of no use: give the password itself, as >password',
  passwordNotUtf8: 'a password is text in UTF-8 here',
  secondPassword: 'a user has one password here: resetpass before it takes the old one away',
  pattern:
    'roles are for keys that begin alike: a pattern is a key, or a prefix with * behind it, and no other wildcard',
  selector: 'selectors can not be kept as roles: one list of rules says what a user may do',
  sanitize: 'what RESTORE is given is always looked at',
} as const;

export function aclUserName(): ReplyError {
  return new ReplyError("ERR Usernames can't contain spaces or null characters");
}

export function defaultUserStays(): ReplyError {
  return new ReplyError("ERR The 'default' user cannot be removed");
}

export function tooManyUsers(countMax: number): ReplyError {
  return new ReplyError(`ERR ACL DELUSER deletes at most ${countMax} users in one call here; name fewer`);
}

export function noAclFile(): ReplyError {
  return new ReplyError(
    'ERR This Redis instance is not configured to use an ACL file: users are kept in the store, durably, as soon as ACL SETUSER is answered',
  );
}

/** @param name as Latin-1. */
export function userNotFound(name: string): ReplyError {
  return new ReplyError(plain(`ERR User '${name.slice(0, TOLD_CHARACTERS_MAX)}' not found`));
}

/** @param name as Latin-1. */
export function commandNotFound(name: string): ReplyError {
  return new ReplyError(plain(`ERR Command '${name.slice(0, TOLD_CHARACTERS_MAX)}' not found`));
}

export function usersTooLong(): ReplyError {
  return new ReplyError(
    `ERR the lines of all users take more than ${serverFixed.redisAclListBytesMax} bytes: ACL USERS has their names, and ACL GETUSER each`,
  );
}

export function invalidPasswordBits(): ReplyError {
  return new ReplyError(
    'ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096',
  );
}

export function invalidCommand(): ReplyError {
  return new ReplyError('ERR Invalid command specified');
}

export function commandHasNoKeys(): ReplyError {
  return new ReplyError('ERR The command has no key arguments');
}

export function invalidCommandArguments(): ReplyError {
  return new ReplyError('ERR Invalid arguments specified for command');
}

export function invalidCommandArity(): ReplyError {
  return new ReplyError('ERR Invalid number of arguments specified for command');
}

export function debugRefused(what: string): ReplyError {
  return new ReplyError(`ERR DEBUG ${what} is not there, since it would hold up other clients`);
}

export function noShutdownRunning(): ReplyError {
  return new ReplyError('ERR No shutdown in progress.');
}

export function snapshotFailed(error: unknown): ReplyError {
  return new ReplyError(plain(`ERR the snapshot failed: ${error instanceof Error ? error.message : ''}`));
}

/** What Redis' calls from scripts are refused with; scripts see them as errors of their own. */
export const scriptTexts = {
  noWords: 'ERR Please specify at least one argument for this redis lib call',
  badWords: 'ERR Lua redis lib command arguments must be strings or integers',
  unknownCommand: 'ERR Unknown Redis command called from script',
  wrongArity: 'ERR Wrong number of args calling Redis command from script',
  notAllowed: 'ERR This Redis command is not allowed from script',
  isReadOnly: 'ERR Write commands are not allowed from read-only scripts.',
  notPermitted: "ERR The user executing the script can't run this command or subcommand",
  keyNotPermitted:
    "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments",
} as const;

export function noSuchScript(): ReplyError {
  return new ReplyError('NOSCRIPT No matching script. Please use EVAL.');
}

export function noScriptRuns(): ReplyError {
  return new ReplyError('NOTBUSY No scripts in execution right now.');
}

export function negativeKeyCount(): ReplyError {
  return new ReplyError("ERR Number of keys can't be negative");
}

/** @param word of the first line of a script. */
export function badShebang(what: string, word: string): ReplyError {
  return new ReplyError(plain(`ERR ${what}: ${word.slice(0, TOLD_CHARACTERS_MAX)}`));
}

/** A script that is no Lua. */
export function scriptNotCompiled(text: string): ReplyError {
  return new ReplyError(plain(`ERR Error compiling script (new function): ${text}`));
}

/** A script that has failed. @param text with its code. */
export function scriptFailed(text: string): ReplyError {
  return new ReplyError(plain(text));
}

/** A script that has used up what one may: nothing of it has happened. */
export function scriptGivenUp(text: string): ReplyError {
  return new ReplyError(plain(`ERR ${text}; nothing that the script has written stays`));
}

export function declaredToWrite(): ReplyError {
  return new ReplyError('ERR Can not execute a script with write flag using *_ro command.');
}

/** What is wrong with FUNCTION and FCALL, and with the text of a library. */
export const functionTexts = {
  noMetadata: 'ERR Missing library metadata',
  badMetadata: 'ERR Invalid library metadata',
  nameTwice: 'ERR Invalid metadata value, name argument was given multiple times',
  noName: 'ERR Library name was not given',
  badName:
    'ERR Library names can only contain letters, numbers, or underscores(_) and must be at least one character long',
  noFunctions: 'ERR No functions registered',
  noLibrary: 'ERR Library not found',
  noFunction: 'ERR Function not found',
  badKeyCount: 'ERR Bad number of keys provided',
  noPattern: 'ERR library name argument was not given',
  badFlush: 'ERR FUNCTION FLUSH only supports SYNC|ASYNC option',
  badPolicy: 'ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.',
  payload: restoreTexts.payload,
  notALibrary: 'ERR given type is not a function',
  badPayload: 'ERR Failed loading library payload',
} as const;

/** Of a name that Redis would take. */
export function functionNameIsTooLong(): ReplyError {
  return new ReplyError(
    `ERR the name of a library or a function is longer than ${serverFixed.redisFunctionNameBytesMax} bytes`,
  );
}

/** @param word behind the first one of a library's first line. */
export function badLibraryMetadata(word: string): ReplyError {
  return new ReplyError(plain(`ERR Invalid metadata value given: ${word.slice(0, TOLD_CHARACTERS_MAX)}`));
}

export function noSuchEngine(name: string): ReplyError {
  return new ReplyError(plain(`ERR Engine '${name.slice(0, TOLD_CHARACTERS_MAX)}' not found`));
}

export function libraryExists(name: string): ReplyError {
  return new ReplyError(`ERR Library '${name}' already exists`);
}

/** Of a payload. */
export function restoredLibraryExists(name: string): ReplyError {
  return new ReplyError(`ERR Library ${name} already exists`);
}

/** In another library. */
export function functionExists(name: string): ReplyError {
  return new ReplyError(`ERR Function ${name} already exists`);
}

/** A library that is no Lua. */
export function libraryNotCompiled(text: string): ReplyError {
  return new ReplyError(plain(`ERR Error compiling function: ${text}`));
}

/** A library whose text has failed as it ran. @param text with its code. */
export function libraryFailed(text: string): ReplyError {
  return new ReplyError(plain(`ERR Error registering functions: ${text}`));
}

export function unknownFunctionOption(word: string, what: 'option given:' | 'argument'): ReplyError {
  return new ReplyError(plain(`ERR Unknown ${what} ${word.slice(0, TOLD_CHARACTERS_MAX)}`));
}

export function noScriptDebugger(): ReplyError {
  return new ReplyError('ERR SCRIPT DEBUG is not there, since it would hold up other clients');
}

export function badScriptDebug(): ReplyError {
  return new ReplyError('ERR Use SCRIPT DEBUG YES/SYNC/NO');
}

export function badScriptFlush(): ReplyError {
  return new ReplyError('ERR SCRIPT FLUSH only support SYNC|ASYNC option');
}

/** Of the name and of the words behind it so many characters are told. */
const TOLD_CHARACTERS_MAX = 128;

/** @param words behind the name. */
export function unknownCommand(name: string, words: Iterable<string>): ReplyError {
  let told = '';
  for (const word of words) {
    if (told.length >= TOLD_CHARACTERS_MAX) break;
    told += `'${word.slice(0, TOLD_CHARACTERS_MAX - told.length)}' `;
  }
  return new ReplyError(
    plain(`ERR unknown command '${name.slice(0, TOLD_CHARACTERS_MAX)}', with args beginning with: ${told}`),
  );
}

export function unknownSubcommand(name: string, container: string): ReplyError {
  return new ReplyError(
    plain(
      `ERR unknown subcommand '${name.slice(0, TOLD_CHARACTERS_MAX)}'. Try ${container.toUpperCase()} HELP.`,
    ),
  );
}

/** Of a subcommand that is there, with other words than it takes; of DEBUG, for one that is not there too. */
export function badSubcommand(name: string, container: string): ReplyError {
  return new ReplyError(
    plain(
      `ERR unknown subcommand or wrong number of arguments for '${name.slice(0, TOLD_CHARACTERS_MAX)}'. Try ${container.toUpperCase()} HELP.`,
    ),
  );
}

/** No user has a password, and none is asked for. */
export function noPasswordConfigured(): ReplyError {
  return new ReplyError(
    'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
  );
}

/** As Redis does it, so that what a client has sent can't end the line. */
function plain(text: string): string {
  return text.replace(/[\r\n]/g, ' ');
}

/** What is sent for what the store has refused. */
export function textOfStoreError(error: StoreError): string {
  const fixedText = TEXTS[error.code];
  if (fixedText !== undefined) return fixedText;
  const message = plain(error.message);
  switch (error.code) {
    case 'limitReached':
      return error.room === 'memory' ? OUT_OF_MEMORY : `ERR ${message}`;
    case 'readOnly':
    case 'storageFailed':
      return `MISCONF Errors writing to the log: ${message}`;
    case 'notWriter':
      return `READONLY ${message}`;
    // What clients of Redis know as an error that passes, of a call that has changed nothing.
    case 'readFailed':
      return `TRYAGAIN ${message}`;
    case 'unauthenticated':
      return `NOAUTH ${message}`;
    case 'permissionDenied':
      return `NOPERM ${message}`;
    default:
      return `ERR ${message}`;
  }
}

const TEXTS: { readonly [code in StoreErrorCode]?: string } = {
  wrongType: WRONG_TYPE,
  notAnInteger: NOT_AN_INTEGER,
  integerOverflow: INTEGER_OVERFLOW,
  notAFloat: NOT_A_FLOAT,
  notANumber: NOT_A_NUMBER,
  indexOutOfRange: INDEX_OUT_OF_RANGE,
  keyNotFound: NO_SUCH_KEY,
};

/** @returns what is sent for something thrown; `undefined`: it is a defect of ours. */
export function textOf(error: unknown): string | undefined {
  if (error instanceof ReplyError) return error.message;
  return error instanceof StoreError ? textOfStoreError(error) : undefined;
}

export function unblocked(): ReplyError {
  return new ReplyError('UNBLOCKED client unblocked via CLIENT UNBLOCK');
}
