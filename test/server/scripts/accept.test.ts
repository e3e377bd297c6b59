/** Who gets the metrics in JSON, and who Prometheus' text. */
import { expect, test } from 'vitest';
import { wantsJson } from '../../../src/server/scripts/accept.ts';

test.each([
  ['application/json', true],
  ['Application/JSON; charset=utf-8', true],
  ['application/json, text/plain, */*', true],
  ['application/json;q=0.5', true],
  ['text/html, application/json;q=0.9, */*;q=0.8', true],
  ['text/plain;q=0.5, application/json', true],
  [undefined, false],
  ['', false],
  ['*/*', false],
  ['application/*', false],
  ['text/plain', false],
  ['text/html,application/xhtml+xml,*/*;q=0.8', false],
  ['text/plain, application/json', false],
  ['application/json;q=0.3, text/plain;q=0.5', false],
  ['application/json;q=0', false],
  ['application/json;q=none', false],
  ['application/jsonp', false],
  // Prometheus 2.53 and 3.
  [
    'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    false,
  ],
  ['application/openmetrics-text;q=1, application/json;q=0.9', false],
])('%j: %s', (accept, json) => {
  expect(wantsJson(accept)).toBe(json);
});
