/** What the sources of the configuration have in common: the options by name, and what one source says of one of them. */
import { nearestName } from '../../arguments/nearest-name.ts';
import { assert } from '../../errors.ts';
import { OptionError } from './option-values.ts';
import { type ServerOption, serverOptions } from './server-options.ts';

/** What one source says about one option. */
export interface Setting {
  readonly text: string;
  /** As the operator wrote its name: `--data-dir`, `KELP_DATA_DIR`, `kelp.yaml: data-dir`. */
  readonly source: string;
}

export const optionNames = serverOptions.map((option) => option.name);

export function optionNamed(name: string): ServerOption {
  const option = serverOptions.find((each) => each.name === name);
  assert(option !== undefined, `no option ${name}`);
  return option;
}

/** @param name what is compared with the known names. */
export function unknownName(
  written: string,
  kind: string,
  known: readonly string[],
  name = written,
): OptionError {
  const nearest = nearestName(name, known);
  const advice =
    nearest === undefined ? 'kelp serve --help and kelp.example.yaml list them' : `did you mean ${nearest}?`;
  return new OptionError(`${written}: unknown ${kind}; ${advice}`);
}
