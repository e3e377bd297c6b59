/** Names with what stands for them now, in a row that wraps. */
import type { ComponentChildren, JSX } from 'preact';

export function Fact({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
