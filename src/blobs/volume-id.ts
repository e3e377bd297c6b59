/** What tells volumes apart that stand side by side: a name that the operator gives. */
import type { Check } from '../arguments/check.ts';
import { fixed } from '../limits.ts';

export const VOLUME_ID_DEFAULT = 'vol-1';

const FORM = /^[\w.-]+$/;

export const isVolumeId: Check<string> = (given) =>
  typeof given === 'string' && FORM.test(given) && given.length <= fixed.volumeIdCharactersMax
    ? undefined
    : ` must be 1 to ${fixed.volumeIdCharactersMax} letters, digits, dots, dashes or underscores, such as ${VOLUME_ID_DEFAULT}`;
