/** A view whose changes of access are noted, so that what is kept of them in memory follows without reading all. */
import type { View } from '../../store/views/view.ts';

export class AccessDraft {
  readonly view: View;
  /** The keys that were written or deleted. */
  readonly changedKeys: Uint8Array[] = [];

  constructor(view: View) {
    this.view = view;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.view.put(key, value);
    this.changedKeys.push(key);
  }

  delete(key: Uint8Array): void {
    this.view.delete(key);
    this.changedKeys.push(key);
  }
}
