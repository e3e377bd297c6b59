/**
 * Keeps `concurrency` operations under way until `count` of them are done: as soon as one ends, its lane begins the
 * next. That is how callers who wait for their answers behave, and what group commit is made for.
 */
export async function underWay(
  concurrency: number,
  count: number,
  operation: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await operation(next++);
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, lane));
}
