/** One parameter of CONFIG: how it is read, and how it is set where it can be. */

export interface Setting {
  readonly name: string;
  readonly read: () => string;
  /**
   * Takes a text apart without changing anything. @returns what puts it into effect, or what is wrong with the text. Left out: it
   * can only be given at the start.
   */
  readonly parse?: (text: string) => (() => void) | string;
}

/** A parameter that tells what is so. */
export function told(name: string, read: () => string | number): Setting {
  return { name, read: () => String(read()) };
}

/** A parameter that is a whole number. */
export function wholeNumber(
  name: string,
  { min, max }: { readonly min: number; readonly max: number },
  read: () => number,
  write: (value: number) => void,
): Setting {
  return {
    name,
    read: () => String(read()),
    parse: (text) => {
      if (!/^-?\d{1,19}$/.test(text)) return "argument couldn't be parsed into an integer";
      const value = Number(text);
      if (value < min || value > max) return `argument must be between ${min} and ${max} inclusive`;
      return () => write(value);
    },
  };
}
