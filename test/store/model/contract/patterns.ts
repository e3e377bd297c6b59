/** Keys by pattern. What a pattern means in every corner is tested with the glob itself. */
import { expect, it } from 'vitest';
import { refused } from '../readable.ts';
import type { OpenHarness } from '../store-harness.ts';

export function testPatterns(open: OpenHarness): void {
  it('lists the keys that match, in key order', async () => {
    const { store } = await open();
    const keys = ['*', 'user/1', 'user/2', 'user/10', 'users', 'u\u{1f40b}r', '\uffff', '\u{10000}'];
    for (const key of keys) await store.put(key, '');
    const matches = async (pattern: string) => (await store.keys(pattern)).keys;
    expect(await matches('*')).toHaveLength(8);
    expect(await matches('user/?')).toEqual(['user/1', 'user/2']);
    expect(await matches('user/*')).toEqual(['user/1', 'user/10', 'user/2']);
    expect(await matches('user/[2-9]')).toEqual(['user/2']);
    expect(await matches('user/[^2-9]*')).toEqual(['user/1', 'user/10']);
    expect(await matches('user/[!1]')).toEqual(['user/2']);
    expect(await matches('\\*')).toEqual(['*']);
    expect(await matches('u?r')).toEqual(['u\u{1f40b}r']);
    expect(await matches('u[\u{1f400}-\u{1f4ff}]r')).toEqual(['u\u{1f40b}r']);
    expect(await matches('?')).toEqual(['*', '\uffff', '\u{10000}']);
    expect(await matches('users')).toEqual(['users']);
    expect(await matches('user')).toEqual([]);
    expect(await matches('*s')).toEqual(['users']);
  });

  it('goes on page by page at one revision', async () => {
    const { store } = await open();
    for (const key of ['a1', 'a2', 'a3', 'b1']) await store.put(key, '');
    const first = await store.keys('a*', { limit: 2 });
    expect(first).toMatchObject({ keys: ['a1', 'a2'], revision: 4 });
    await store.delete('a3');
    const second = await store.keys('a*', { limit: 2, pageToken: first.nextPageToken });
    const { incarnation } = first;
    expect(second).toEqual({ keys: ['a3'], nextPageToken: '', revision: 4, incarnation });
    await refused(store.keys('b*', { pageToken: first.nextPageToken }), 'invalidArgument');
    await refused(store.scan({ prefix: 'a' }, { pageToken: first.nextPageToken }), 'invalidArgument');
  });

  it('refuses patterns that are empty, too long, unfinished or no Unicode text', async () => {
    const { store } = await open();
    for (const pattern of ['', 'a[', 'a[^', '[a-', '[]', '[^]', 'a\\', '[\\', 'x'.repeat(5000), '\ud800']) {
      await refused(store.keys(pattern), 'invalidArgument');
    }
  });
}
