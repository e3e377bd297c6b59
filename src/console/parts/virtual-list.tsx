/**
 * A list of rows of one height, of which only those in sight are in the document. It is one stop for the keyboard; arrows, Page Up and
 * Down, Home and End move within it, Enter opens.
 */
import type { HTMLAttributes, JSX } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';

export const ROW_PIXELS = 30;
const ROWS_BEYOND = 8;

interface VirtualListProps {
  readonly label: string;
  readonly count: number;
  /** The row that the keyboard is at; -1: none. */
  readonly current: number;
  readonly role?: 'listbox' | 'tree';
  readonly renderRow: (index: number) => JSX.Element;
  /** What assistive technology is to know of a row. */
  readonly rowAttributes: (index: number) => HTMLAttributes<HTMLDivElement>;
  readonly onMove: (index: number) => void;
  readonly onOpen: (index: number) => void;
  /** Other keys; @returns whether it took it. */
  readonly onKey?: (key: string) => boolean;
  /** Told which rows are in sight. */
  readonly onView?: (first: number, last: number) => void;
  /** Whether rows are being read: `onView` is told again when that has ended, since what it asks for meanwhile is left out. */
  readonly reads?: boolean;
  /** How many rows were taken away at the top since the list is shown, less those that were put there: so that what is in sight stays. */
  readonly shift?: number;
}

export function VirtualList(props: VirtualListProps): JSX.Element {
  const {
    label,
    count,
    current,
    role = 'listbox',
    renderRow,
    rowAttributes,
    onView,
    reads,
    shift = 0,
  } = props;
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ first: 0, last: 0 });
  const lastShift = useRef(shift);
  const id = useId();

  function measure(): void {
    const element = box.current;
    if (element === null) return;
    const first = Math.floor(element.scrollTop / ROW_PIXELS);
    const last = Math.ceil((element.scrollTop + element.clientHeight) / ROW_PIXELS);
    setView((view) => (view.first === first && view.last === last ? view : { first, last }));
  }

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    // Who looks at the very first row sees what comes before it.
    const isAtTop = element.scrollTop === 0;
    if (!isAtTop || shift > lastShift.current) element.scrollTop -= (shift - lastShift.current) * ROW_PIXELS;
    lastShift.current = shift;
    measure();
  }, [shift, count]);

  // Also where a read has moved the window on: what was asked for meanwhile was left out.
  useLayoutEffect(() => onView?.(view.first, Math.min(view.last, count - 1)), [view, count, shift, reads]);

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null || current < 0) return;
    const top = current * ROW_PIXELS;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + ROW_PIXELS > element.scrollTop + element.clientHeight) {
      element.scrollTop = top + ROW_PIXELS - element.clientHeight;
    }
  }, [current]);

  function onKeyDown(event: KeyboardEvent): void {
    const pageRows = Math.max(1, view.last - view.first - 1);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: current + 1,
      ArrowUp: current - 1,
      PageDown: current + pageRows,
      PageUp: current - pageRows,
      Home: 0,
      End: count - 1,
    };
    const step = steps[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (props.onKey?.(event.key) === true) event.preventDefault();
    else if (step !== undefined && count > 0) {
      event.preventDefault();
      props.onMove(Math.min(count - 1, Math.max(0, step)));
    } else if (event.key === 'Enter' && current >= 0) {
      event.preventDefault();
      props.onOpen(current);
    }
  }

  const first = Math.max(0, view.first - ROWS_BEYOND);
  const last = Math.min(count - 1, view.last + ROWS_BEYOND);
  const rows: JSX.Element[] = [];
  for (let index = first; index <= last; index++) {
    rows.push(
      <div
        key={index + shift}
        id={`${id}-${index}`}
        class={index === current ? 'row current' : 'row'}
        style={{ top: `${index * ROW_PIXELS}px` }}
        {...rowAttributes(index)}
      >
        {renderRow(index)}
      </div>,
    );
  }
  return (
    <div
      ref={box}
      class="rows"
      role={role}
      aria-label={label}
      aria-activedescendant={current >= first && current <= last ? `${id}-${current}` : undefined}
      tabIndex={0}
      onScroll={measure}
      onKeyDown={onKeyDown}
    >
      <div class="rows-all" role="presentation" style={{ height: `${count * ROW_PIXELS}px` }}>
        {rows}
      </div>
    </div>
  );
}
