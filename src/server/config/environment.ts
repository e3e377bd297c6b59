/** The options that the environment gives: by the server's own names, and by those that other programs use too. */
import { configOption, environmentName, serverOptions } from './server-options.ts';
import { LINKED_PORT, isServiceLink } from './service-links.ts';
import { type Setting, optionNames, unknownName } from './settings.ts';

export function readEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  others: readonly string[],
): Map<string, Setting> {
  const settings = new Map<string, Setting>();
  const optionByVariable = new Map(
    [...optionNames, configOption.name].map((name) => [environmentName(name), name]),
  );
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('KELP_') || text === undefined) continue;
    const name = optionByVariable.get(variable);
    if (name !== undefined) {
      settings.set(name, { text, source: variable });
    } else if (!others.includes(variable) && !isServiceLink(variable, text)) {
      throw unknownName(variable, 'environment variable', [...optionByVariable.keys()]);
    }
  }
  return settings;
}

/** By their plain names; an empty one is not set, and neither is a `PORT` that links to a service. */
export function readPlainEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Map<string, Setting> {
  const settings = new Map<string, Setting>();
  for (const { name, plainVariable } of serverOptions) {
    const text = plainVariable === undefined ? undefined : environment[plainVariable];
    if (plainVariable === undefined || text === undefined || text === '') continue;
    if (plainVariable === 'PORT' && LINKED_PORT.test(text)) continue;
    settings.set(name, { text, source: plainVariable });
  }
  return settings;
}
