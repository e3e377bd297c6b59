/** What the words of commands about places stand for: coordinates and units; and how distances are replied. */
import { LATITUDE_MAX, LONGITUDE_MAX, type Position } from '../../../../../types/geo/geohash.ts';
import { fixedText } from '../../../protocol/double-text.ts';
import { geoTexts, noSuchPlace, ReplyError } from '../../../replies/errors.ts';
import type { Arguments } from '../../command.ts';

const PRINTED_DIGITS = 6;

/** `longitude latitude` */
export function positionAt(args: Arguments, index: number): Position {
  const longitude = args.double(index);
  const latitude = args.double(index + 1);
  if (Math.abs(longitude) > LONGITUDE_MAX || Math.abs(latitude) > LATITUDE_MAX)
    throw noSuchPlace(fixedText(longitude, PRINTED_DIGITS), fixedText(latitude, PRINTED_DIGITS));
  return { longitude, latitude };
}

const units: readonly (readonly [word: string, metres: number])[] = [
  ['M', 1],
  ['KM', 1000],
  ['FT', 0.3048],
  ['MI', 1609.34],
];

/** @returns the metres in a unit. */
export function unitAt(args: Arguments, index: number): number {
  for (const [word, metres] of units) if (args.is(index, word)) return metres;
  throw new ReplyError(geoTexts.unit);
}

/** A double that has an error of its own. */
export function lengthAt(args: Arguments, index: number, text: string): number {
  try {
    return args.double(index);
  } catch (error) {
    if (!(error instanceof ReplyError)) throw error;
    throw new ReplyError(text);
  }
}

const DISTANCE_DIGITS = 4;
const DISTANCE_SCALE = 10 ** DISTANCE_DIGITS;

/** With four digits behind the point: ten thousandths are rounded as a whole, a half to the even one. */
export function distanceText(distance: number): string {
  const scaled = distance * DISTANCE_SCALE;
  const below = Math.floor(scaled);
  const rest = scaled - below;
  const isUp = rest > 0.5 || (rest === 0.5 && below % 2 === 1);
  const digits = String(isUp ? below + 1 : below).padStart(DISTANCE_DIGITS + 1, '0');
  return `${digits.slice(0, -DISTANCE_DIGITS)}.${digits.slice(-DISTANCE_DIGITS)}`;
}
