/** Places on the earth, as members of sorted sets: added, told, measured. Searches have a file of their own. */
import type { ReadView, View } from '../../../../../store/views/view.ts';
import { distanceM } from '../../../../../types/geo/distance.ts';
import { geohashText, positionOfScore, scoreOfPosition } from '../../../../../types/geo/geohash.ts';
import { putScore } from '../../../../../types/sorted-set/put-score.ts';
import { SortedSetEdit } from '../../../../../types/sorted-set/sorted-set-edit.ts';
import { SortedSet } from '../../../../../types/sorted-set/sorted-set.ts';
import { syntaxError } from '../../../replies/errors.ts';
import type { Command, CommandCall, Reply } from '../../command.ts';
import { distanceText, positionAt, unitAt } from './words.ts';

/** `key [NX|XX] [CH] longitude latitude member [longitude latitude member ...]` */
function geoadd(view: View, call: CommandCall): void {
  const { args, reply } = call;
  let isOnlyNew = false;
  let isOnlyExisting = false;
  let countsUpdates = false;
  let first = 2;
  for (; first < args.count; first++) {
    if (args.is(first, 'NX')) isOnlyNew = true;
    else if (args.is(first, 'XX')) isOnlyExisting = true;
    else if (args.is(first, 'CH')) countsUpdates = true;
    else break;
  }
  const wordCount = args.count - first;
  if (wordCount === 0 || wordCount % 3 !== 0 || (isOnlyNew && isOnlyExisting)) throw syntaxError();
  const scores = new Float64Array(wordCount / 3);
  // Every position is read before anything is looked up.
  for (let index = 0; index < scores.length; index++)
    scores[index] = scoreOfPosition(positionAt(args, first + 3 * index));
  const rules = {
    isOnlyNew,
    isOnlyExisting,
    isOnlyHigher: false,
    isOnlyLower: false,
    isIncrement: false,
  };
  const key = args.key(1);
  const edit = new SortedSetEdit(view, key);
  let addedCount = 0;
  let updatedCount = 0;
  for (const [index, score] of scores.entries()) {
    const result = putScore(edit, args.bytes(first + 3 * index + 2), score, rules);
    if (result === 'added') addedCount++;
    else if (result === 'updated') updatedCount++;
  }
  reply.integer(countsUpdates ? addedCount + updatedCount : addedCount);
  if (edit.finish()) call.notify('z', 'zadd', key);
}

function geodist(view: ReadView, { args, reply }: CommandCall): void {
  if (args.count > 5) throw syntaxError();
  const unitM = args.count === 5 ? unitAt(args, 4) : 1;
  const set = SortedSet.read(view, args.key(1));
  const from = set?.score(view, args.bytes(2));
  const to = set?.score(view, args.bytes(3));
  if (from === undefined || to === undefined) reply.nil();
  else reply.text(distanceText(distanceM(positionOfScore(from), positionOfScore(to)) / unitM));
}

/** An array with what is written of the score of each member that is asked for. */
function replyMembers(
  view: ReadView,
  { args, reply }: CommandCall,
  write: (reply: Reply, score: number | undefined) => void,
): void {
  const set = SortedSet.read(view, args.key(1));
  reply.array(args.count - 2);
  for (let index = 2; index < args.count; index++) write(reply, set?.score(view, args.bytes(index)));
}

function writeGeohash(reply: Reply, score: number | undefined): void {
  if (score === undefined) reply.nil();
  else reply.text(geohashText(score));
}

function writePosition(reply: Reply, score: number | undefined): void {
  if (score === undefined) {
    reply.nilArray();
    return;
  }
  const { longitude, latitude } = positionOfScore(score);
  reply.array(2);
  reply.coordinate(longitude);
  reply.coordinate(latitude);
}

const group = 'geo';
const read = {
  group,
  flags: ['readonly'],
  keys: [{ first: 1, last: 1, step: 1, use: 'read' }],
  categories: ['read', 'geo', 'slow'],
} as const;

export const geoCommands: readonly Command[] = [
  {
    group,
    name: 'geoadd',
    arity: -5,
    flags: ['write', 'denyoom'],
    keys: [{ first: 1, last: 1, step: 1, use: 'write' }],
    categories: ['write', 'geo', 'slow'],
    summary: 'Puts places into a sorted set, or gives those that it has other coordinates',
    since: '3.2.0',
    complexity: 'O(log n) per member',
    syntax: 'key [NX|XX] [CH] longitude latitude member [longitude latitude member ...]',
    write: geoadd,
  },
  {
    ...read,
    name: 'geodist',
    arity: -4,
    summary: 'Measures how far two places are from each other',
    since: '3.2.0',
    complexity: 'O(1)',
    syntax: 'key member1 member2 [M|KM|FT|MI]',
    read: geodist,
  },
  {
    ...read,
    name: 'geohash',
    arity: -2,
    summary: 'Tells places as geohashes of 11 characters',
    since: '3.2.0',
    complexity: 'O(1) per member',
    syntax: 'key member [member ...]',
    read: (view, call) => replyMembers(view, call, writeGeohash),
  },
  {
    ...read,
    name: 'geopos',
    arity: -2,
    summary: 'Tells the coordinates of places, to the middle of the 0.6 m that are kept',
    since: '3.2.0',
    complexity: 'O(1) per member',
    syntax: 'key member [member ...]',
    read: (view, call) => replyMembers(view, call, writePosition),
  },
];
