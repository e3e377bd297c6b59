/** Checks of numbers that count something. */
import { fixed } from '../limits.ts';
import { numberThat, wholeNumber } from './check.ts';

/** A revision, a lease id, a number of items; 0 where it may be left out. */
export const count = wholeNumber(0, fixed.integerMax);

/** How much of something, where what is not whole does no harm. */
export const amount = numberThat((number) => number >= 0, 'a number from 0 on');
