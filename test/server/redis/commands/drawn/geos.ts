/** Random commands of places: all over the earth, and in clusters where its map ends, where its longitudes meet, and within some metres. */
import type { SeededRandom } from '../../../../support/random.ts';
import type { DrawnCommand } from '../../support/differential.ts';
import type { Word } from '../../support/words.ts';

/** Longitude, latitude, and how many degrees around it. */
const CLUSTERS = [
  [0, 0, 0],
  [13.4, 52.5, 0.2],
  [13.4, 52.5, 0.001],
  [-179.999, -16.5, 0.001],
  [179.9, -16.5, 0.1],
  [25, 85.05, 0.001],
  [-100, 84, 1],
  [100, -84, 1],
  [60, 67, 3],
  [0, 0, 0.01],
] as const;

const LONGITUDE_MAX = 180;
const LATITUDE_MAX = 85.05112878;
/** Of sets that are long in Redis and in KelpDB, and of those that are short in both. */
const MEMBERS = { small: 12, other: 20, large: 400 } as const;
const SETS = ['small', 'small', 'other', 'large', 'large'] as const;
const TARGETS = ['target', 'target', 'result', 'text'] as const;
/** Of places at the highest coordinates, and of other scores. */
const EDGE = 'edge';

export function drawOfGeos(random: SeededRandom): DrawnCommand {
  const words = odd(random, random.pick(DRAWS)(random));
  // Distances that are stored have all their digits.
  return { words, compare: words[0] === 'ZRANGE' ? 'digits' : 'all' };
}

/** Now and then with a word too much or too few, or another one in its place. */
function odd(random: SeededRandom, words: Word[]): Word[] {
  if (!random.chance(0.06) || words[0] === 'SET') return words;
  const at = random.between(1, words.length - 1);
  if (random.chance(0.3)) words.splice(at, 1);
  else words.splice(at, random.below(2), random.pick(ODD_WORDS));
  return words;
}

const ODD_WORDS =
  'nan inf x -1 0 1.5 ANY COUNT STORE STOREDIST FROMMEMBER BYBOX byradius WITHDIST km MI 181 90 m1 string'.split(
    ' ',
  );

const DRAWS: readonly ((random: SeededRandom) => Word[])[] = [
  add,
  add,
  add,
  addMany,
  (random) => ['GEOADD', EDGE, ...edgePosition(random), `m${random.below(8)}`],
  (random) => ['ZADD', EDGE, random.pick(ODD_SCORES), `m${random.below(8)}`],
  (random) => [random.pick(['GEOPOS', 'geopos']), EDGE, 'm0', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7'],
  () => ['GEOHASH', EDGE, 'm0', 'm1', 'm2', 'm3', 'm4', 'm5', 'm6', 'm7'],
  (random) => ['GEOSEARCH', EDGE, 'FROMMEMBER', `m${random.below(8)}`, ...by(random), ...shown(random)],
  (random) => ['GEODIST', EDGE, `m${random.below(8)}`, `m${random.below(8)}`, ...unit(random, true)],
  (random) => ['GEOSEARCH', EDGE, 'FROMLONLAT', ...edgePosition(random), ...by(random), ...shown(random)],
  (random) => pointed(random, 'GEOPOS'),
  (random) => pointed(random, 'GEOHASH'),
  distance,
  distance,
  search,
  search,
  search,
  search,
  (random) => ['GEOSEARCHSTORE', random.pick(TARGETS), set(random), ...places(random), ...stored(random)],
  (random) => ['GEORADIUS', set(random), ...position(random), ...radius(random), ...options(random)],
  (random) => ['GEORADIUSBYMEMBER', ...setAndMember(random), ...radius(random), ...options(random)],
  (random) => ['GEORADIUS_RO', set(random), ...position(random), ...radius(random), ...told(random)],
  (random) => ['GEORADIUSBYMEMBER_RO', ...setAndMember(random), ...radius(random), ...told(random)],
  (random) => ['ZRANGE', random.pick([...SETS, ...TARGETS]), 0, -1, 'WITHSCORES'],
  (random) => ['ZRANGE', random.pick(['target', 'result']), 0, -1, 'WITHSCORES'],
  (random) => ['ZREM', ...setAndMember(random)],
  (random) => ['SET', random.pick(['text', 'string']), 'plain'],
];

const ODD_SCORES = [
  '0',
  '-1',
  '-0.5',
  '3.7',
  '4503599627370495',
  '9007199254740992',
  '9007199254740993',
  '1e18',
  '-1e17',
  '9223372036854775808',
  '1e19',
  '1e300',
  '-1e300',
  'inf',
  '-inf',
];

function add(random: SeededRandom): Word[] {
  const [key, member] = setAndMember(random);
  return ['GEOADD', key, ...conditions(random), ...position(random), member];
}

function addMany(random: SeededRandom): Word[] {
  const key = random.pick(SETS);
  const words: Word[] = ['geoadd', key, ...conditions(random)];
  const cluster = random.pick(CLUSTERS);
  for (let left = random.between(2, 50); left > 0; left--)
    words.push(...position(random, cluster), `m${random.below(MEMBERS[key])}`);
  return words;
}

function conditions(random: SeededRandom): Word[] {
  return ['NX', 'xx', 'CH'].filter(() => random.chance(0.1));
}

function pointed(random: SeededRandom, name: string): Word[] {
  const [key, member] = setAndMember(random);
  return [name, key, member, ...Array.from({ length: random.below(6) }, () => setAndMember(random)[1])];
}

function distance(random: SeededRandom): Word[] {
  const [key, member] = setAndMember(random);
  return ['GEODIST', key, member, `m${random.below(random.chance(0.5) ? 12 : 400)}`, ...unit(random, true)];
}

function search(random: SeededRandom): Word[] {
  return ['GEOSEARCH', set(random), ...places(random), ...told(random)];
}

function places(random: SeededRandom): Word[] {
  const from: Word[] = random.chance(0.5)
    ? ['FROMMEMBER', `m${random.below(random.chance(0.5) ? 12 : 400)}`]
    : ['FROMLONLAT', ...position(random)];
  const words = random.chance(0.1) ? [by(random), from] : [from, by(random)];
  return words.flat();
}

function by(random: SeededRandom): Word[] {
  if (random.chance(0.5)) return ['BYRADIUS', ...radius(random)];
  return ['BYBOX', size(random), size(random), ...unit(random)];
}

function radius(random: SeededRandom): Word[] {
  return [size(random), ...unit(random)];
}

function size(random: SeededRandom): Word {
  if (random.chance(0.03)) return random.pick(['0', '-1', 'inf', '1e300', '0x10']);
  const magnitude = random.pick([0.1, 10, 1000, 5000, 50_000, 1_000_000, 30_000_000]);
  return random.chance(0.5) ? magnitude : (magnitude * random.below(1000)) / 1000;
}

function unit(random: SeededRandom, isOptional = false): Word[] {
  if (isOptional && random.chance(0.5)) return [];
  return [random.pick(['m', 'm', 'km', 'ft', 'mi', 'KM'])];
}

function selected(random: SeededRandom): Word[] {
  const words: Word[] = [];
  if (random.chance(0.3)) words.push('COUNT', random.pick([1, 2, 5, 30, 1000]));
  if (words.length > 0 && random.chance(0.4)) words.push('ANY');
  if (random.chance(0.5)) words.push(random.pick(['ASC', 'DESC', 'desc']));
  return words;
}

function told(random: SeededRandom): Word[] {
  return [...selected(random), ...shown(random)];
}

/** Without an order or COUNT, where several may be at one distance but for its last digit. */
function shown(random: SeededRandom): Word[] {
  return ['WITHDIST', 'withhash', 'WITHCOORD'].filter(() => random.chance(0.5));
}

function options(random: SeededRandom): Word[] {
  if (random.chance(0.5)) return told(random);
  return [...selected(random), random.pick(['STORE', 'STOREDIST', 'storedist']), random.pick(TARGETS)];
}

function stored(random: SeededRandom): Word[] {
  return [...selected(random), ...(random.chance(0.5) ? ['STOREDIST'] : [])];
}

function set(random: SeededRandom): Word {
  return random.chance(0.03) ? random.pick(['none', 'string']) : random.pick(SETS);
}

function setAndMember(random: SeededRandom): [Word, Word] {
  const key = random.pick(SETS);
  return [random.chance(0.03) ? random.pick(['none', 'string']) : key, `m${random.below(MEMBERS[key] + 1)}`];
}

function position(random: SeededRandom, cluster: readonly number[] = random.pick(CLUSTERS)): Word[] {
  const [longitude = 0, latitude = 0, around = 0] = cluster;
  if (around === 0) return [between(random, LONGITUDE_MAX - 0.001), between(random, LATITUDE_MAX - 0.001)];
  const clamp = (degrees: number, max: number): number => Math.max(-max, Math.min(max - 0.000_01, degrees));
  return [
    clamp(longitude + between(random, around), LONGITUDE_MAX),
    clamp(latitude + between(random, around), LATITUDE_MAX),
  ];
}

function edgePosition(random: SeededRandom): Word[] {
  const at = (max: number): Word => random.pick([max, -max, 0, between(random, max), max - 0.000_001]);
  return [at(LONGITUDE_MAX), at(LATITUDE_MAX)];
}

function between(random: SeededRandom, max: number): number {
  return ((random.uint32() + random.uint32() / 2 ** 32) / 2 ** 31 - 1) * max;
}
