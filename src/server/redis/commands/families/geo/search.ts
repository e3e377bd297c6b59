/** Searches by place: within a radius or a box, around a position or a member; told, or stored as a sorted set. */
import { serverFixed } from '../../../../../limits.ts';
import type { ReadView, View } from '../../../../../store/views/view.ts';
import { type FoundPlace, GeoSearch } from '../../../../../types/geo/search.ts';
import { SortedSetEdit } from '../../../../../types/sorted-set/sorted-set-edit.ts';
import { SortedSet } from '../../../../../types/sorted-set/sorted-set.ts';
import { finishStored } from '../../../../../types/sorted-set/span-changes.ts';
import {
  type Arguments,
  type Command,
  type CommandCall,
  holding,
  type KeyUse,
  type Reply,
  type Slice,
} from '../../command.ts';
import { type SearchForm, type SearchWords, searchWords } from './search-words.ts';
import { distanceText } from './words.ts';

/** Of a command that only tells. */
function telling(form: SearchForm): (view: ReadView, call: CommandCall) => Slice | undefined {
  return (view, call) => {
    const set = SortedSet.read(view, call.args.key(1));
    return reply(view, call, set, searchWords(view, call.args, form, set));
  };
}

/** Of a command that tells, or stores where its words say so. */
function storing(form: SearchForm): (view: View, call: CommandCall) => Slice | undefined {
  const sourceAt = form.by === 'words' ? 2 : 1;
  const event = form.by === 'words' ? 'geosearchstore' : 'georadiusstore';
  return (view, call) => {
    const set = SortedSet.read(view, call.args.key(sourceAt));
    const words = searchWords(view, call.args, form, set);
    if (words.storeAt === 0) return reply(view, call, set, words);
    store(view, call, set, words, event);
    return undefined;
  };
}

/** Searches, sorts, then tells: one piece after the other; what is small is done in one. */
function reply(
  view: ReadView,
  call: CommandCall,
  set: SortedSet | undefined,
  words: SearchWords,
): Slice | undefined {
  if (set === undefined || words.area === undefined) {
    call.reply.array(0);
    return undefined;
  }
  const { elementsPerSlice } = serverFixed;
  const search = new GeoSearch(set, words.area, words.order, words.limit);
  const { unitM } = words.area;
  const gather: Slice = (state, target) =>
    search.step(state, elementsPerSlice) ? gather : sort(state, target);
  const sort: Slice = (state, target) => {
    if (search.sort(elementsPerSlice)) return sort;
    target.array(search.count);
    return tell(state, target);
  };
  const tell: Slice = (_, target) =>
    search.next(elementsPerSlice, (place) => replyPlace(target, place, words, unitM)) ? tell : undefined;
  holding(() => search.heldBytes, [gather, sort, tell]);
  return gather(view, call.reply);
}

function replyPlace(
  reply: Reply,
  { member, score, position, distanceM }: FoundPlace,
  { withDistance, withHash, withCoordinates }: SearchWords,
  unitM: number,
): void {
  const more = Number(withDistance) + Number(withHash) + Number(withCoordinates);
  if (more > 0) reply.array(1 + more);
  reply.bulk(member);
  if (withDistance) reply.text(distanceText(distanceM / unitM));
  if (withHash) reply.integer(Math.trunc(score));
  if (!withCoordinates) return;
  reply.array(2);
  reply.coordinate(position.longitude);
  reply.coordinate(position.latitude);
}

/** What is found takes the place of whatever the key holds. */
function store(
  view: View,
  call: CommandCall,
  set: SortedSet | undefined,
  { area, order, limit, storeAt, storesDistances }: SearchWords,
  event: string,
): void {
  const key = call.args.key(storeAt);
  const found: FoundPlace[] = [];
  if (set !== undefined && area !== undefined) {
    const search = new GeoSearch(set, area, order, limit);
    // A budget that is spent ends it by an error.
    while (search.step(view, Infinity));
    search.sort(Infinity);
    search.next(Infinity, (place) => found.push(place));
  }
  const edit = new SortedSetEdit(view, key, true);
  for (const { member, score, distanceM } of found)
    edit.set(member, storesDistances ? distanceM / (area?.unitM ?? 1) : score);
  const { count, isDeleted } = finishStored(view, key, edit);
  call.reply.integer(count);
  if (count > 0) call.notify('z', event, key);
  else if (isDeleted) call.notify('g', 'del', key);
}

/** The set itself, and what STORE or STOREDIST may write: of several it is the last one. */
function findKeys(args: Arguments, tell: (index: number, use: KeyUse) => void): void {
  tell(1, 'read');
  for (let index = FIRST_OPTION; index < args.count - 1; index++)
    if (args.is(index, 'STORE') || args.is(index, 'STOREDIST')) tell(++index, 'write');
}

/** Of GEORADIUSBYMEMBER; in GEORADIUS a unit stands there. */
const FIRST_OPTION = 5;

const group = 'geo';
const complexity = 'O(m + k log k) for m members in the up to nine cells around, k found';
const read = {
  group,
  complexity,
  flags: ['readonly'],
  keys: [{ first: 1, last: 1, step: 1, use: 'read' }],
  categories: ['read', 'geo', 'slow'],
} as const;
const write = { group, complexity, categories: ['write', 'geo', 'slow'] } as const;
const FROM = '<FROMMEMBER member|FROMLONLAT longitude latitude>';
const BY = '<BYRADIUS radius <M|KM|FT|MI>|BYBOX width height <M|KM|FT|MI>>';
const RADIUS = 'radius <M|KM|FT|MI>';
const TOLD = '[WITHCOORD] [WITHDIST] [WITHHASH]';
const SELECTED = '[COUNT count [ANY]] [ASC|DESC]';
const STORE = '[STORE key] [STOREDIST key]';

export const geoSearchCommands: readonly Command[] = [
  {
    ...read,
    name: 'geosearch',
    arity: -7,
    summary: 'Finds the places of a sorted set within a radius or a box',
    since: '6.2.0',
    syntax: `key ${FROM} ${BY} [ASC|DESC] [COUNT count [ANY]] ${TOLD}`,
    read: telling({ by: 'words', hasDestination: false }),
  },
  {
    ...write,
    name: 'geosearchstore',
    arity: -8,
    flags: ['write', 'denyoom'],
    keys: [
      { first: 1, last: 1, step: 1, use: 'write' },
      { first: 2, last: 2, step: 1, use: 'read' },
    ],
    summary: 'Stores the places within a radius or a box, or their distances',
    since: '6.2.0',
    syntax: `destination source ${FROM} ${BY} ${SELECTED} [STOREDIST]`,
    write: storing({ by: 'words', hasDestination: true }),
  },
  {
    ...write,
    name: 'georadius',
    arity: -6,
    flags: ['write', 'denyoom', 'movablekeys'],
    keys: { find: findKeys, told: [1, 1, 1] },
    summary: 'Finds the places within a radius around a position, and stores them if asked',
    since: '3.2.0',
    syntax: `key longitude latitude ${RADIUS} ${TOLD} ${SELECTED} ${STORE}`,
    write: storing({ by: 'position', hasStore: true }),
  },
  {
    ...write,
    name: 'georadiusbymember',
    arity: -5,
    flags: ['write', 'denyoom', 'movablekeys'],
    keys: { find: findKeys, told: [1, 1, 1] },
    summary: 'Finds the places within a radius around one of them, and stores them if asked',
    since: '3.2.0',
    syntax: `key member ${RADIUS} ${TOLD} ${SELECTED} ${STORE}`,
    write: storing({ by: 'member', hasStore: true }),
  },
  {
    ...read,
    name: 'georadius_ro',
    arity: -6,
    summary: 'Finds the places within a radius around a position',
    since: '3.2.10',
    syntax: `key longitude latitude ${RADIUS} ${TOLD} ${SELECTED}`,
    read: telling({ by: 'position', hasStore: false }),
  },
  {
    ...read,
    name: 'georadiusbymember_ro',
    arity: -5,
    summary: 'Finds the places within a radius around one of them',
    since: '3.2.10',
    syntax: `key member ${RADIUS} ${TOLD} ${SELECTED}`,
    read: telling({ by: 'member', hasStore: false }),
  },
];
