/** The names of the files of a base. */
export const MANIFEST_NAME = 'manifest';
export const NEW_MANIFEST_NAME = 'manifest.new';

const NUMBER_DIGITS = 16;
const pattern = /^\d{16}\.(?:run|notes)$/;

export function runName(number: number): string {
  return `${String(number).padStart(NUMBER_DIGITS, '0')}.run`;
}

export function notesName(number: number): string {
  return `${String(number).padStart(NUMBER_DIGITS, '0')}.notes`;
}

/** Whether a base gives such names. */
export function isNumberedName(name: string): boolean {
  return pattern.test(name);
}

export function numberOf(name: string): number {
  return Number(name.slice(0, NUMBER_DIGITS));
}
