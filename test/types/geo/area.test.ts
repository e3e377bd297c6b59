/** Places as scores, and the cells of an area: known values, and places by chance against a look at each of them. */
import { expect, test } from 'vitest';
import { type Area, cellsOfArea, distanceWithinM } from '../../../src/types/geo/area.ts';
import { distanceM } from '../../../src/types/geo/distance.ts';
import {
  geohashText,
  LATITUDE_MAX,
  type Position,
  positionOfScore,
  scoreOfPosition,
} from '../../../src/types/geo/geohash.ts';
import { SeededRandom } from '../../support/random.ts';

const PALERMO: Position = { longitude: 13.361389, latitude: 38.115556 };
const CATANIA: Position = { longitude: 15.087269, latitude: 37.502669 };

test('a place has the score, the geohash and the distance that are known of it', () => {
  expect(scoreOfPosition(PALERMO)).toBe(3479099956230698);
  expect(scoreOfPosition(CATANIA)).toBe(3479447370796909);
  expect(geohashText(scoreOfPosition(PALERMO))).toBe('sqc8b49rny0');
  expect(distanceM(PALERMO, CATANIA)).toBeCloseTo(166_274.26, 2);
});

test('a score is a place within a metre of the one that it was made of, and of it again the same score', () => {
  const random = new SeededRandom(1);
  for (let left = 1000; left > 0; left--) {
    const position = drawPosition(random, LATITUDE_MAX);
    const score = scoreOfPosition(position);
    const middle = positionOfScore(score);
    expect(distanceM(position, middle)).toBeLessThan(1);
    expect(scoreOfPosition(middle)).toBe(score);
  }
});

test('the cells of an area have every place within it, and none twice', () => {
  const random = new SeededRandom(2);
  for (let left = 400; left > 0; left--) {
    const area = drawArea(random);
    const cells = cellsOfArea(area);
    expect(cells.length).toBeLessThanOrEqual(9);
    let within = 0;
    for (let placeLeft = 100; placeLeft > 0; placeLeft--) {
      const near = drawNear(random, area.center);
      const score = scoreOfPosition(near);
      const holding = cells.filter(({ min, end }) => score >= min && score < end).length;
      expect(holding).toBeLessThanOrEqual(1);
      if (distanceWithinM(area, positionOfScore(score)) === undefined) continue;
      within++;
      expect([area, near, holding]).toEqual([area, near, 1]);
    }
    expect(within).toBeGreaterThan(0);
  }
});

/** Where the nine cells hold any area: away from the poles, and below a thousand kilometres. */
function drawArea(random: SeededRandom): Area {
  const center = drawPosition(random, 60);
  const length = (): number => random.between(1, 1000);
  return random.chance(0.5)
    ? { center, extent: { by: 'radius', radius: length() }, unitM: 1000 }
    : { center, extent: { by: 'box', width: length(), height: length() }, unitM: 1000 };
}

function drawPosition(random: SeededRandom, latitudeMax: number): Position {
  return { longitude: drawAround(random, 180), latitude: drawAround(random, latitudeMax) };
}

/** Some metres to some hundred kilometres away, round the earth too. */
function drawNear(random: SeededRandom, { longitude, latitude }: Position): Position {
  const degrees = random.pick([0.001, 0.01, 0.1, 1, 5]);
  const east = longitude + drawAround(random, degrees);
  return {
    longitude: east > 180 ? east - 360 : east < -180 ? east + 360 : east,
    latitude: latitude + drawAround(random, degrees),
  };
}

function drawAround(random: SeededRandom, max: number): number {
  return (random.uint32() / 2 ** 31 - 1) * max;
}
