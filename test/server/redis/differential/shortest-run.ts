/** The least that leads to a difference: the last pipelines of a run from empty servers, and of these what can't be left out. */
import type { DrawnPipeline } from './drawn-pipelines.ts';
import type { Difference, TwoServers } from './two-servers.ts';

export interface ShownRun {
  readonly pipelines: readonly DrawnPipeline[];
  readonly difference: Difference;
}

/** How often the servers are begun again for it. */
const ATTEMPTS_MAX = 600;

/** @returns nothing if a run of all of them shows no difference either: it hangs on more than the commands. */
export async function shortestRun(
  servers: TwoServers,
  pipelines: readonly DrawnPipeline[],
): Promise<ShownRun | undefined> {
  let attemptsLeft = ATTEMPTS_MAX;
  const tried = async (tried: readonly DrawnPipeline[]): Promise<ShownRun | undefined> => {
    await servers.begin();
    for (const [index, pipeline] of tried.entries()) {
      const difference = await servers.run(pipeline);
      if (difference !== undefined) {
        const last = { ...pipeline, commands: pipeline.commands.slice(0, difference.index + 1) };
        return { pipelines: [...tried.slice(0, index), last], difference };
      }
    }
    return undefined;
  };

  let shortest: ShownRun | undefined;
  for (let count = 1; shortest === undefined; count *= 4) {
    shortest = await tried(pipelines.slice(-count));
    if (count >= pipelines.length) break;
  }
  if (shortest === undefined) return undefined;
  let size = Math.ceil(countOf(shortest) / 2);
  while (size >= 1) {
    let isShorter = false;
    for (let from = 0; from < countOf(shortest);) {
      const shorter: ShownRun | undefined = await tried(without(shortest.pipelines, from, size));
      if (shorter === undefined) from += size;
      else [shortest, isShorter] = [shorter, true];
      if (--attemptsLeft === 0) return shortest;
    }
    if (size === 1 && !isShorter) break;
    size = Math.ceil(size / 2);
  }
  return shortest;
}

function countOf({ pipelines }: ShownRun): number {
  return pipelines.reduce((count, { commands }) => count + commands.length, 0);
}

/** Without the commands of these numbers. */
function without(pipelines: readonly DrawnPipeline[], from: number, count: number): DrawnPipeline[] {
  let number = 0;
  return pipelines
    .map(({ client, commands }) => ({
      client,
      commands: commands.filter(() => {
        const isOut = number >= from && number < from + count;
        number++;
        return !isOut;
      }),
    }))
    .filter(({ commands }) => commands.length > 0);
}
