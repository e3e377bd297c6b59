/** The engines that can be measured. */
import type { Engine } from '../../src/engine/engine.ts';
import { MemoryEngine } from '../../src/engine/memory/memory-engine.ts';

/** `default`: the one that `openStore` takes by itself. */
export type EngineName = 'default' | 'memory';

export const engineMakers: { readonly [name in EngineName]: (() => Engine) | undefined } = {
  default: undefined,
  memory: () => new MemoryEngine(),
};

export function isEngineName(name: string): name is EngineName {
  return Object.hasOwn(engineMakers, name);
}
