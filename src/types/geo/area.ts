/**
 * The area that a search is about, a circle or a box around a position, and the cells whose scores cover it: at most nine, in the order
 * in which Redis looks at them.
 *
 *     the cell of the centre, then those to the north, south, east, west, north-east, north-west, south-east, south-west of it
 *
 * The grid is as fine as lets these nine hold the area, by its radius and latitude; where they do not, one step coarser. Those that the
 * area does not reach are left out. Cells go round the earth in both directions: to the east of the last one lies the first. Beyond the
 * poles' limits, and for areas of thousands of kilometres there, the nine may not hold everything; the results of Redis lack it as well.
 */
import { distanceM, distanceOfLatitudesM, EARTH_RADIUS_M, toDegrees, toRadians } from './distance.ts';
import {
  type Bounds,
  boundsOfCell,
  cellOf,
  LATITUDE_MAX,
  type Position,
  scoresOfCell,
  STEPS_MAX,
} from './geohash.ts';

/** Lengths are in the unit of the search. */
export type Extent =
  | { readonly by: 'radius'; readonly radius: number }
  | { readonly by: 'box'; readonly width: number; readonly height: number };

export interface Area {
  readonly center: Position;
  readonly extent: Extent;
  /** Metres in the unit. */
  readonly unitM: number;
}

/** Scores from `min` to `end`, exclusive. */
export interface CellScores {
  readonly min: number;
  readonly end: number;
}

/** How far a position that lies within is from the centre, in metres; `undefined`: it does not. */
export function distanceWithinM({ center, extent, unitM }: Area, position: Position): number | undefined {
  if (extent.by === 'radius') {
    const distance = distanceM(center, position);
    return distance > extent.radius * unitM ? undefined : distance;
  }
  if (distanceOfLatitudesM(position.latitude, center.latitude) > (extent.height * unitM) / 2)
    return undefined;
  const alongLatitude = distanceM(position, { longitude: center.longitude, latitude: position.latitude });
  if (alongLatitude > (extent.width * unitM) / 2) return undefined;
  return distanceM(center, position);
}

export function cellsOfArea(area: Area): readonly CellScores[] {
  const bounds = boundsOf(area);
  let steps = stepsFor(radiusM(area), area.center.latitude);
  if (steps > 1 && !reaches(area.center, steps, bounds)) steps--;
  const { x, y } = cellOf(area.center, steps, LATITUDE_MAX);
  const center = boundsOfCell(x, y, steps);
  // A grid of four cells is searched whole.
  const isCoarse = steps < 2;
  const hasSouth = isCoarse || !(center.south < bounds.south);
  const hasNorth = isCoarse || !(center.north > bounds.north);
  const hasWest = isCoarse || !(center.west < bounds.west);
  const hasEast = isCoarse || !(center.east > bounds.east);
  const east = around(x + 1, steps);
  const west = around(x - 1, steps);
  const north = around(y + 1, steps);
  const south = around(y - 1, steps);
  const neighbours: readonly (readonly [isReached: boolean, x: number, y: number])[] = [
    [hasNorth, x, north],
    [hasSouth, x, south],
    [hasEast, east, y],
    [hasWest, west, y],
    [hasNorth && hasEast, east, north],
    [hasNorth && hasWest, west, north],
    [hasSouth && hasEast, east, south],
    [hasSouth && hasWest, west, south],
  ];
  const cells = [scoresOfCell(x, y, steps)];
  for (const [isReached, cellX, cellY] of neighbours) {
    if (!isReached) continue;
    const cell = scoresOfCell(cellX, cellY, steps);
    // In a grid of four cells the one to the north is the one to the south.
    if (!cells.some(({ min }) => min === cell.min)) cells.push(cell);
  }
  return cells;
}

/** Half of the earth's way round, on the map of the web. */
const HALF_ROUND_M = 20037726.37;

/** How fine a grid is for an area of a radius, which may be infinite. */
function stepsFor(radius: number, latitude: number): number {
  if (radius === 0) return STEPS_MAX;
  let steps = -1;
  for (let reached = radius; reached < HALF_ROUND_M; reached *= 2) steps++;
  // Towards the poles a cell is narrower.
  if (Math.abs(latitude) > 66) steps--;
  if (Math.abs(latitude) > 80) steps--;
  return Math.max(1, Math.min(STEPS_MAX, steps));
}

/** Of a box: from its middle to a corner. */
function radiusM({ extent, unitM }: Area): number {
  if (extent.by === 'radius') return extent.radius * unitM;
  const { width, height } = extent;
  return Math.sqrt((width / 2) * (width / 2) + (height / 2) * (height / 2)) * unitM;
}

/** A box of degrees around an area; it is as wide as the area is where that is nearest to a pole. */
function boundsOf({ center, extent, unitM }: Area): Bounds {
  const { longitude, latitude } = center;
  const heightM = unitM * (extent.by === 'radius' ? extent.radius : extent.height / 2);
  const widthM = unitM * (extent.by === 'radius' ? extent.radius : extent.width / 2);
  const latitudes = toDegrees(heightM / EARTH_RADIUS_M);
  const poleward = latitude < 0 ? latitude - latitudes : latitude + latitudes;
  const longitudes = toDegrees(widthM / EARTH_RADIUS_M / Math.cos(toRadians(poleward)));
  return {
    west: longitude - longitudes,
    east: longitude + longitudes,
    south: latitude - latitudes,
    north: latitude + latitudes,
  };
}

/** Whether the four cells beside that of a position lie so far out as bounds do. */
function reaches(center: Position, steps: number, bounds: Bounds): boolean {
  const { x, y } = cellOf(center, steps, LATITUDE_MAX);
  const { north } = boundsOfCell(x, around(y + 1, steps), steps);
  const { south } = boundsOfCell(x, around(y - 1, steps), steps);
  const { east } = boundsOfCell(around(x + 1, steps), y, steps);
  const { west } = boundsOfCell(around(x - 1, steps), y, steps);
  return !(north < bounds.north || south > bounds.south || east < bounds.east || west > bounds.west);
}

/** A line of the grid, counted round the earth. */
function around(line: number, steps: number): number {
  return line & (2 ** steps - 1);
}
