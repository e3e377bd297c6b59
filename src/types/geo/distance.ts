/**
 * Distances along the surface of the earth, taken as a ball: by the haversine formula (R. W. Sinnott, "Virtues of the Haversine", 1984),
 * which stays exact for places that lie near each other. All are in metres.
 */
import type { Position } from './geohash.ts';

/** The radius that Redis reckons with. */
export const EARTH_RADIUS_M = 6372797.560856;

const RADIANS_PER_DEGREE = Math.PI / 180;

export function toRadians(degrees: number): number {
  return degrees * RADIANS_PER_DEGREE;
}

export function toDegrees(radians: number): number {
  return radians / RADIANS_PER_DEGREE;
}

export function distanceM(from: Position, to: Position): number {
  const v = Math.sin((toRadians(to.longitude) - toRadians(from.longitude)) / 2);
  if (v === 0) return distanceOfLatitudesM(from.latitude, to.latitude);
  const fromLatitude = toRadians(from.latitude);
  const toLatitude = toRadians(to.latitude);
  const u = Math.sin((toLatitude - fromLatitude) / 2);
  const a = u * u + Math.cos(fromLatitude) * Math.cos(toLatitude) * v * v;
  return 2 * EARTH_RADIUS_M * Math.asin(Math.sqrt(a));
}

/** Of two places on one meridian. */
export function distanceOfLatitudesM(from: number, to: number): number {
  return EARTH_RADIUS_M * Math.abs(toRadians(to) - toRadians(from));
}
