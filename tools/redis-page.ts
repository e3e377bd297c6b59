/** The text of `docs/redis.md`: how to serve clients of Redis, what differs, and every command. */
import { type Options, format, resolveConfig } from 'prettier';
import { fixed, serverDefaults, serverFixed } from '../src/limits.ts';
import { commandFacts } from '../src/server/redis/all-commands.ts';
import type { CommandFacts, Group } from '../src/server/redis/commands/command.ts';
import { REDIS_VERSION } from '../src/server/redis/info/info.ts';
import { DATABASE_COUNT } from '../src/types/databases/database-keys.ts';
import { absentCommands } from './redis-absent.ts';
import { allRedisBounds } from './redis-bounds.ts';

export const REDIS_PAGE = 'docs/redis.md';

const KIB = 1024;
const MIB = 1024 * KIB;

const opening = `# Redis clients

KelpDB speaks the protocol of Redis, RESP2 and RESP3, with the commands and replies of Redis ${REDIS_VERSION}:

\`\`\`sh
kelp serve --redis-listen 127.0.0.1:6379
redis-cli set greeting hello
\`\`\`

\`redis-tls\` in the configuration says whether that port has TLS. A client logs in with \`AUTH user password\`, or with a token in the
place of the password; the users are those of all doors, which [access.md](access.md#clients-of-redis) tells of with what clients do that
have a password alone. Keys of database 0 are the keys of gRPC, REST and the
shell: what one door writes the others read. The databases 1 to ${DATABASE_COUNT - 1} are for Redis clients alone.

Made by \`npm run generate\` from the table that the server itself runs.

## Libraries that are tried

The tests run these unchanged, from npm: the clients ioredis and node-redis, in both versions of the protocol and with node-redis' client-side
cache; BullMQ (queues, priorities, delayed and repeated jobs, flows, limits of rate, jobs of workers that died, and all of it over a
\`kill -9\` of the server); redlock; rate-limiter-flexible; connect-redis under express-session. So are \`redis-cli\` and \`redis-benchmark\`.

BullMQ asks for \`noeviction\`, which is so here, and for durable writes, which \`--fsync always\` makes: a job whose end its worker has heard
of stays ended when the server is killed, and one that was under way is done again.

## What differs from Redis

- **Durability.** A reply to a write means that it is on disk, with \`--fsync always\`, which is the default; the other policies of
  \`--fsync\` are nearer to \`appendfsync everysec\` and \`no\`. \`SAVE\` and \`BGSAVE\` write a snapshot, which only makes the next start shorter.
- **Reads** see what is durable, and behind writes of their own connection these too. A message of pub/sub, and a keyspace event, comes
  when what was written before it is durable: who reads then finds it.
- **Memory.** \`maxmemory\` is \`--memory-limit\`; \`maxmemory-policy\` is \`--memory-policy\`: \`noeviction\`, or with the engine memory \`volatile-ttl\` and \`volatile-random\`, which evict keys that have
  a time to live ([how](production.md#when-memory-is-full)). Policies by use (\`-lru\`, \`-lfu\`) are refused, since reads note nothing, and so are \`allkeys-…\`. Writes beyond the limit get \`-OOM\`: with an engine on disk when they have waited in vain
  for a checkpoint to make room ([engines](engines.md#memory)). History takes memory too.
- **A failing disk.** With an engine on disk a command whose read of a file fails gets \`-TRYAGAIN\`, and has changed nothing. After a failed
  write of the log, writes get \`-MISCONF\`.
- **Limits.** A key, a field or a member has 1 to ${fixed.keyBytesMax} bytes: the empty key of Redis is refused. A value has up to \`value-bytes-max\`.
  One command does [a bounded amount of work](#how-much-one-command-may-do); what would do more is refused before it has changed
  anything, with an error that names the limit.
- **Expired keys** are gone at their deadline; \`expired\` events come with their deletion, or with the write in their place.
- **Fields with a time to live** (\`HEXPIRE\` and its kin, \`HGETEX\`, \`HSETEX\`, \`HGETDEL\`) are those of Redis 7.4 and 8.0, beside the commands of
  ${REDIS_VERSION}. A field is gone at its deadline, to the millisecond: no command shows it, and what writes finds it absent. It is removed soon after,
  up to ${fixed.expiredElementsMax} of one hash together, as one revision with the event \`hexpired\`, and \`del\` with the last one; that breaks a \`WATCH\` of the hash. Until
  then \`HLEN\` counts it, as in Redis, and a hash of which nothing else is left is there for \`EXISTS\` and \`TYPE\`. \`HSET\` takes a field's time away, \`HINCRBY\` and
  \`HINCRBYFLOAT\` keep it; \`RENAME\`, \`MOVE\`, \`COPY\` and \`SWAPDB\` take it along. \`DUMP\` refuses a hash while a field has one, since the form of Redis 7.0 has no
  place for it. Once a hash has had such a field, each field has an entry of its own, and \`HGETALL\`, \`HKEYS\`, \`HVALS\` and \`HRANDFIELD\` look at all fields twice,
  to count those to be shown. gRPC and REST see the fields, not their times, and set fields without one.
- **\`FLUSHALL\`** and \`FLUSHDB\` of more than ${fixed.deletePartKeysMax} keys are several transactions, one behind the other; within \`EXEC\` they are part of its one.
- **A transaction that leaves all as it was** (\`MULTI\`, \`SET m 1\`, \`DEL m\`, \`EXEC\` where there was no \`m\`) has no revision, so that
  watches by other doors don't see it. It breaks a \`WATCH\` of its keys and has its keyspace events, as in Redis; one that came by
  another door does neither.
- **Times to live** end after 100 years at the latest: a longer one is cut.
- **Keyspace events** cover changes by all doors. What gRPC or REST has done to a collection is told as \`hset\`, \`sadd\`, \`zadd\` or \`lset\`.
  \`e\` has those of a [memory policy](production.md#when-memory-is-full), \`m\` none. \`--redis-notify-keyspace-events\` asks for them from the start. \`new\` (class \`n\`) of a key that the same
  transaction removes again is not told. The messages of a transaction come behind its events.
- **Streams.** What is trimmed with \`~\` goes by hundreds of entries, or all of it; without \`LIMIT\` at most ${fixed.streamTrimmedMax} at a time. One
  \`XADD\` trims at most ${fixed.streamTrimmedMax} entries, without \`~\` too, unless more go than stay, and what stays is little: the next ones go on with
  it. \`XTRIM\` of more is several transactions; within \`EXEC\` and scripts it is refused where it is too much for one. \`XREADGROUP\` and
  \`XAUTOCLAIM\` tell at most ${fixed.streamDeliveredMax} entries of a stream at a time, and fewer long ones: what is behind them comes with the next call.
  Where \`XREADGROUP\` names many streams with much to tell, new entries of the last ones come with the next call, too.
  \`XACK\`, and what else changes a group, breaks a \`WATCH\` of the stream. \`XGROUP DESTROY\` and \`XGROUP DELCONSUMER\` of a group
  or a consumer with more than ${fixed.streamPendingRemovedMax} entries pending are several transactions. Counts of entries (\`ENTRIESADDED\`, \`ENTRIESREAD\`, \`RETRYCOUNT\`) end at 2^53 - 1. The names of groups and consumers are as
  long as members may be. \`XINFO STREAM\` tells nodes of a tree as if each had 100 entries.
- **\`CONFIG SET\`** changes \`notify-keyspace-events\`, \`maxmemory-policy\`, \`timeout\`, \`tracking-table-max-keys\`, \`acllog-max-len\`, \`slowlog-log-slower-than\` and \`slowlog-max-len\`, until the server stops; the
  rest is for options at the start, and refused unless it is so already.
- **Users** (\`ACL\`) are those of all doors, and what they may do lies in roles over keys: [access.md](access.md#users-by-acl) has the rules of
  \`ACL SETUSER\` that can be kept so. Others are refused with an error that says why, and nothing is changed then. Passwords are never
  told: \`(hidden)\` stands for one. \`ACL LOG\` keeps ${serverFixed.redisDeniedLogLengthDefault} lines in memory (\`acllog-max-len\`, up to ${serverFixed.redisDeniedLogLengthMax}).
- **Pub/sub.** A client listens to at most ${serverFixed.redisSubscriptionsMax} names; all clients have ${serverFixed.redisPatternsMax} patterns together. One that has
  ${serverFixed.redisPubsubUnsentBytesMax / KIB / KIB} MiB of messages unread is broken off. Channels are for every user who is logged in; there are
  no rights to single ones. Keyspace events tell names of keys: they are for users who may read all keys. Others are refused
  \`SUBSCRIBE\` and \`PSUBSCRIBE\` to \`__keyspace@…\` and \`__keyevent@…\`, and a pattern as wide as \`*\` gets them no events.
- **Client-side caching** (\`CLIENT TRACKING\`) is told of changes by all doors, by deadlines and by ends of leases, once they are visible: behind
  the replies that the client may have cached, and before any that shows something else. What one client is told in a turn comes
  as one message with several keys. A key whose change the client's own reply has shown already is not told; one that the same
  transaction has read and written is. \`NOLOOP\` goes on tracking a key that the client itself has written, and tells
  of what a command has done that had to wait for a key (\`BLPOP\`). \`tracking-table-max-keys\` counts keys, which take ${serverFixed.redisTrackedBytesMax / MIB} MiB at most
  with the clients of each; beyond it keys by chance are told as changed. A transaction for which more than
  ${serverFixed.redisInvalidationVisitsMax} keys, prefixes and clients are to be looked at is told as all keys (null); so is what a client is owed when there is too much of that,
  and a call that reads more than ${serverFixed.redisTrackedKeysPerCallMax} keys, behind its reply. All clients have ${serverFixed.redisTrackedPrefixesMax} prefixes together. \`BCAST\`
  tells names of keys: it is for users who may read all keys. \`REDIRECT\` goes to a client of the same user. \`SORT_RO\` with \`BY\` or \`GET\` has
  its first key tracked alone, as in Redis. While any client tracks, each write is listened to, and pipelines of plain writes take the longer
  way, as with keyspace events.
- **Slow clients.** One that has to log in and does not within ${serverDefaults.handshakeTimeoutMs / 1000} s is closed (\`--handshake-timeout\`), and so is one whose command
  is not whole after ${serverDefaults.requestTimeoutMs / 1000} s (\`--request-timeout\`). Nothing more is read of one that leaves ${serverFixed.redisUnreadBytesPaused / MIB} MiB of replies unread, and it is closed after
  ${serverFixed.redisUnreadMs / 1000} s in which it has read nothing. Replies that gather before they tell (searches by place, \`ZUNION\`, \`ZINTER\`, \`ZDIFF\`, \`SORT\`) hold ${serverFixed.redisHeldBytesMax / MIB} MiB
  for all clients together; beyond it such a command gets an error in its place. Idle clients stay. What a user may do in a second
  ([operations.md](operations.md#limits-by-user-and-address)) holds a client up, and refuses nothing.
- **Transactions** have at most ${serverFixed.redisQueuedCommandsMax} commands and ${serverFixed.redisQueuedBytesMax / MIB} MiB. Credentials in one (\`AUTH\`, \`HELLO\`) are checked as they are queued, and told by \`EXEC\`.
- **Scripts** (\`EVAL\`, [0036](decisions/0036-lua-of-redis.md)) are Lua 5.1 as in Redis, with its libraries. A script is one transaction, and one revision. One that fails keeps
  what it has written before, as in Redis. One that takes more than it may is given up as a whole, with an error that names the limit, and has changed nothing:
  ${serverFixed.luaStepsMax} steps (a turn of a loop, a call, some bytes of a string that is searched), ${serverFixed.luaBytesMax / MIB} MiB of new strings and tables, and of its calls together as much as
  [one command](#how-much-one-command-may-do). So \`SCRIPT KILL\` has nothing to do, and answers \`-NOTBUSY\`; there is no \`lua-time-limit\`, and no debugger.
  A script has at most ${serverFixed.luaSourceBytesMax / KIB} KiB of text, since a long one holds the server up as it is compiled: what is constant is sent as \`ARGV\` instead.
  The server keeps ${serverFixed.redisScriptsMax} scripts of ${serverFixed.redisScriptBytesMax / MIB} MiB with what they were compiled to, beyond which those go that were used longest ago, and those of \`SCRIPT LOAD\` last; a client gets \`-NOSCRIPT\` then and sends the
  script again, as after a restart. Keys that are not declared may be used; each call is checked for what the user may do. \`TIME\` stands still within a script. \`FLUSHALL\`
  is a part of its transaction. \`MONITOR\` and \`SLOWLOG\` show the script, not its calls. \`redis.log\` writes to the log of the server.
  What Lua leaves open may come out otherwise: the length of a table with nil in it, the order of \`pairs\`, and the sign of a 0 where a function has both 0 and -0.
- **Functions** (\`FUNCTION\`, \`FCALL\`) run as scripts do, each call as one transaction. Their libraries lie in the store: they are durable before
  \`FUNCTION LOAD\` is answered, there after a restart and in backups, and those of every node of a cluster; a call runs what is loaded at its own revision, whichever connection or node
  has loaded it. \`FLUSHALL\` leaves them, as in Redis. A store has ${serverFixed.redisLibrariesMax} libraries of ${serverFixed.redisFunctionsMax} functions and ${serverFixed.redisLibraryBytesMax / MIB} MiB of texts, names and descriptions at most, and one has ${serverFixed.luaSourceBytesMax / KIB} KiB; a
  name has at most ${serverFixed.redisFunctionNameBytesMax} bytes. The text of a library runs once to register its functions, as in Redis with nothing but \`redis.register_function\`, \`redis.log\` and
  what Lua has without its libraries. What it keeps in variables of its own stays from call to call, but is not kept in the store: it is as at first after a restart,
  on another node, as soon as calls have taken ${serverFixed.redisLibraryStateBytesMax / MIB} MiB of strings and tables together, with what they are called with, and where libraries
  take more than ${serverFixed.redisScriptBytesMax / MIB} MiB as they load. One may take ${serverFixed.redisLibraryLoadBytesMax / MIB} MiB for that, and ${serverFixed.redisLibraryLoadStepsMax} steps. \`FUNCTION DUMP\` and \`FUNCTION RESTORE\` move libraries both ways between a
  Redis 7.0 and KelpDB. A function does what its caller may do, so libraries are changed by users who may read and write all keys; any user may list and call them.
  \`FUNCTION LIST\` is in the order of names. A name that one library registers in upper and in lower case is refused; Redis takes it, and fails as it goes.
- **\`MONITOR\`** is for ${serverFixed.redisMonitorsMax} clients, and shows ${serverFixed.redisMonitorLineBytesMax / KIB} KiB of a command. \`DEBUG SLEEP\` holds up its own connection alone.
- **Searches by place** (\`GEOSEARCH\`, \`GEORADIUS\`, …) find at most ${fixed.foundPlacesMax} members, unless \`COUNT\` asks for ${fixed.nearestPlacesMax} or fewer. Which of several at one
  distance are the last that a \`COUNT\` takes may be others than in Redis, and a distance that \`STOREDIST\` keeps may differ in the last of its 17 digits.
- **\`DUMP\`** gives what Redis 7.0 restores, in the plainest form: other bytes than Redis itself. **\`RESTORE\`** takes what Redis up to 7.0 dumps of
  all types but those of modules, streams with their groups, too. So keys move both ways. Bloom filters have no such form, and are refused.
- **\`SWAPDB\`** moves each key, in one transaction: two databases of more than ${fixed.txnChangesMax / 2} keys together are refused.
- **\`LATENCY\`** answers as where \`latency-monitor-threshold\` is 0 and \`latency-tracking\` is \`no\`: [metrics](metrics.md) have histograms.
- **\`COMMAND DOCS\`** tells no history, and \`COMMAND INFO\` no tips. \`CLIENT LIST\` has 0 for buffers that are not there.
- **\`INFO\`** leaves out what is not counted: \`keyspace_hits\` and \`keyspace_misses\`, and whether a snapshot is being written.
  \`avg_ttl\` is the average of all keys with a deadline, not of some.
- **\`ROLE\`** and \`INFO replication\` tell the revision as the offset. \`WAIT\` is answered at once: with 0, and in [a cluster](#in-a-cluster)
  with 1 for the shared log, which has each write on a majority of its members before the reply goes out.
`;

const inCluster = `## In a cluster

A client may connect to any node; it needs no support of Redis Cluster, and there are no slots.

- **At the writer** replies that tell what was read go out once the shared log has said, after the read, that the node still is the
  writer: one question for all connections that wait, and none for replies to changes. So no reply is stale, whatever becomes of the
  node. When the question fails, the client gets \`-CLUSTERDOWN\` and the connection is closed.
- **At a follower** a connection is prepared there (\`HELLO\`, \`AUTH\`, \`SELECT\`, \`CLIENT SETNAME\`, \`PING\`, …), and so is answered what is about
  the node itself (\`INFO\`, \`ROLE\`, \`CONFIG\`, \`SLOWLOG\`, \`MONITOR\`, \`SHUTDOWN\`, …). With the first command of another kind it is passed on to
  the writer, over a connection of its own, and stays there: keys, transactions, \`WATCH\`, commands that block and pub/sub are those of
  the writer, and from then on \`INFO\` and \`CLIENT LIST\` are, too. The writer is shown the same login and sees the address of the
  follower. A client that is known by its certificate alone is refused with \`-NOPERM\`, since the writer can't be shown that.
- **When the writer goes or changes** its connections and those that were passed on to it are closed. What was not answered may have
  taken effect. Clients connect again by themselves. While a follower knows no writer, or does not
  reach the one that it knows, a command that is for it waits, somewhat longer than it takes another node to take over; then it gets
  \`-CLUSTERDOWN\`, and the connection is closed.
- **\`READONLY\`** makes the reads of a connection those of the follower that it is at, from its visible state: they ask no other node, go on without a
  writer, and may be behind. It has to come before the first command that would be passed on. Writes, and commands that wait to take something (\`BLPOP\`, \`XREADGROUP\`), get
  \`-READONLY You can't write against a read only replica.\` \`MULTI\` and \`WATCH\` are of the node's own state, too. Commands of pub/sub take the
  connection to the writer all the same, since messages are there; within \`MULTI\` and behind \`WATCH\` they are refused. \`CLIENT TRACKING\` behind
  \`READONLY\` tracks reads of the node's own state, in RESP3 and without \`REDIRECT\`; a command that is for the writer is refused meanwhile. \`READWRITE\` and
  \`RESET\` end it. At the writer both are answered and change nothing; where there is no cluster they are refused, as
  by a Redis without clusters.
- **At a server that follows another one without a shared log** (\`kelp serve --follow\`) nothing is passed on: reads are as behind \`READONLY\`,
  and what would go to the writer, pub/sub too, gets that error.
- **\`INFO replication\`** and \`ROLE\` of a follower tell \`slave\`, the writer's address and whether it is known; of the writer, how many
  followers it has heard of, without a list of them. \`HELLO\` tells \`replica\` at a follower.
`;

const bounds = `## How much one command may do

A command, and a transaction as a whole, does a bounded amount of work, so that other clients have their turns; Redis does whatever it
is asked, while all others wait. What would be more gets an error that names the limit, and has changed nothing. Reads whose replies are
long (\`MGET\`, \`HGETALL\`, \`SMEMBERS\`, \`LRANGE\`, \`SUNION\`, \`ZUNION\`, \`SORT\`, \`KEYS\`, …) are made in pieces of one state and may
be of any length that the table below does not bound, but not within \`EXEC\`, which is one piece. There all commands together look at ${fixed.requestVisitsMax} keys and elements, of which
a long one counts as several, and read ${fixed.requestBytesMax / MIB} MiB of values, as one command outside does. What one transaction writes has
\`txn-bytes-max\` bytes at most.

With elements of some ten bytes that comes to:

${[line(['commands', 'at most']), line(['---', '---']), ...allRedisBounds.map(({ calls, atMost, of }) => line([calls, `${atMost} ${of}`]))].join('\n')}

A command that changes ${fixed.txnChangesMax} keys, fields or members takes 0.2 to 0.5 s, in which others wait: it happens as a whole. \`FLUSHDB\` and
\`FLUSHALL\` outside of \`EXEC\` don't.
`;

const takes = `What a command takes is told for values and elements of a few bytes, with \`n\` the elements of a collection where nothing else is
said. \`O(log n)\` is a search in the order of all keys and elements of the store, which is one tree. Into that order comes what is new,
and out of it goes what is deleted, by such a search too: of commands that do nothing else there (\`SET\`, \`SADD\`, \`DEL\`) it is left
out.
`;

const titles: Readonly<Record<Group, string>> = {
  string: 'Strings',
  bitmap: 'Bitmaps',
  generic: 'Keys',
  hash: 'Hashes',
  list: 'Lists',
  set: 'Sets',
  'sorted-set': 'Sorted sets',
  stream: 'Streams',
  hyperloglog: 'HyperLogLog',
  geo: 'Places on the earth',
  bf: 'Bloom filters',
  transactions: 'Transactions',
  scripting: 'Scripts',
  pubsub: 'Pub/sub',
  connection: 'Connections',
  cluster: 'Clusters',
  server: 'The server',
};

export async function redisPage(): Promise<string> {
  const groups = Object.entries(titles).flatMap(([group, title]) => {
    const rows = commandFacts.filter((facts) => facts.group === group);
    return rows.length === 0 ? [] : [`### ${title}\n\n${tableOf(rows)}`];
  });
  const text = [opening, inCluster, bounds, '## Commands\n', takes, ...groups, absentSection()].join('\n');
  const options: Options = { ...(await resolveConfig(REDIS_PAGE)), parser: 'markdown' };
  return format(text, options);
}

function tableOf(rows: readonly CommandFacts[]): string {
  const lines = rows
    .map(({ name, syntax, summary, complexity }) => ({
      call: `${name.replace('|', ' ').toUpperCase()} ${syntax}`.trimEnd(),
      summary,
      complexity,
    }))
    .sort((a, b) => (a.call < b.call ? -1 : 1))
    .map(({ call, summary, complexity }) => line([code(call), summary, complexity]));
  return `${[line(['command', 'what it does', 'takes']), line(['---', '---', '---']), ...lines].join('\n')}\n`;
}

function absentSection(): string {
  const rows = absentCommands.map(({ names, state, note }) => {
    const told = names.filter((name) => !commandFacts.some((facts) => facts.name === name));
    const commands = told.filter((name) => !told.some((other) => other.startsWith(`${name}|`)));
    return line([commands.map((name) => code(name.replace('|', ' ').toUpperCase())).join(', '), state, note]);
  });
  return `## Not there

A client that calls one of these gets the error of Redis for a command, or a subcommand, that it does not know.

${[line(['commands', 'comes', 'what it is, or what stands for it']), line(['---', '---', '---']), ...rows].join('\n')}
`;
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.trim()).join(' | ')} |`;
}

/** In a table a bar stands for itself only behind a backslash. */
function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}
