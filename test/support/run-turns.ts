/** Drives what is simulated: one step in each turn of the event loop, so that promises that a step settles are heard before the next. */

/**
 * Steps until `isDone`, which is asked before each step. Rejects with what either throws.
 * @param turnsPerLoop steps that are asked for at once.
 */
export function runTurns(isDone: () => boolean, step: () => void, turnsPerLoop: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    const turn = (): void => {
      if (isOver) return;
      try {
        isOver = isDone();
        if (isOver) resolve();
        else step();
      } catch (error) {
        isOver = true;
        reject(error);
      }
    };
    const turns = (): void => {
      for (let count = 0; count < turnsPerLoop; count++) setImmediate(turn);
      setImmediate(() => void (isOver || turns()));
    };
    turns();
  });
}
