/** What an operation is said to do, which its table does not know. */
import type { Json } from './schemas.ts';

export interface AboutOperation {
  readonly operationId: string;
  /** A sentence. */
  readonly summary: string;
  readonly description?: string;
  /** By the names of its query. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly requestHeaders?: Readonly<Record<string, string>>;
  readonly body?: { readonly description: string; readonly content: Json; readonly isOptional?: boolean };
  /** By status. */
  readonly replies: Readonly<Record<number, Reply>>;
  /** The statuses of its problems, besides those that all have. */
  readonly problems: readonly number[];
  /** While the server starts and stops, too. */
  readonly isAlwaysServed?: boolean;
}

interface Reply {
  readonly description: string;
  readonly headers?: Json;
  readonly content?: Json;
}

export const binary: Json = { 'application/octet-stream': {} };

export function json(schema: Json, example: unknown): Json {
  return { 'application/json': { schema, example } };
}

/**
 * @param schemaByHeader of the headers that it has.
 * @param schemaByOther of those that it may have.
 */
export function tagged(
  description: string,
  schemaByHeader: Json,
  content?: Json,
  schemaByOther?: Json,
): Reply {
  const headers = { ...headersOf(schemaByHeader, true), ...headersOf(schemaByOther ?? {}, false) };
  return {
    description,
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(content !== undefined && { content }),
  };
}

function headersOf(schemaByHeader: Json, required: boolean): Json {
  return Object.fromEntries(
    Object.entries(schemaByHeader).map(([name, schema]) => [name, { schema, required }]),
  );
}
