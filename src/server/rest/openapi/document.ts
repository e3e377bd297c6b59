/**
 * The OpenAPI document of REST: paths, parameters and bodies as the operations have them that the router knows, with what `about-*.ts` says
 * of each.
 */
import { STATUS_CODES } from 'node:http';
import { assert } from '../../../errors.ts';
import type { Operation } from '../operation.ts';
import { problemType } from '../problem.ts';
import { type AboutOperation, tagged } from './about.ts';
import { aboutKeys } from './about-keys.ts';
import { aboutStores } from './about-stores.ts';
import { schemaOfParameter } from './parameters.ts';
import { type Json, ref, schemas } from './schemas.ts';

/** All operations have this, ... */
const TOO_MUCH = 429;
/** ... those that need the store this, too, ... */
const UNAVAILABLE = 503;
/** ... and those that are not for everybody these. */
const REFUSED = [401, 403] as const;

const aboutByName: Readonly<Record<string, AboutOperation>> = { ...aboutKeys, ...aboutStores };

export function openApiDocument(operations: readonly Operation[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  const statuses = new Set<number>([TOO_MUCH, UNAVAILABLE, ...REFUSED]);
  for (const operation of operations) {
    const name = `${operation.method} ${operation.template}`;
    const about = aboutByName[name];
    assert(about !== undefined, `the OpenAPI document knows ${name}`);
    (paths[operation.template] ??= {})[operation.method.toLowerCase()] = operationObject(operation, about);
    for (const status of about.problems) statuses.add(status);
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'KelpDB',
      summary: 'A durable, watchable key-value store.',
      description:
        'Keys in paths are percent-encoded; a slash in a key is `%2F`. `HEAD` answers where `GET` does. All errors are problem details.',
      version,
      license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: { schemas, responses: problemResponses(statuses), securitySchemes },
    security: [{ token: [] }, { password: [] }, { certificate: [] }, {}],
  };
}

function operationObject({ query, template, body, needs }: Operation, about: AboutOperation): Json {
  const { operationId, summary, description, isAlwaysServed } = about;
  const described = about.body;
  assert((body === undefined) === (described === undefined), `the body of ${operationId} is described`);
  const problems = [
    ...about.problems,
    TOO_MUCH,
    ...(isAlwaysServed === true ? [] : [UNAVAILABLE]),
    ...(needs === 'open' ? [] : REFUSED),
  ];
  return {
    operationId,
    summary,
    ...(description !== undefined && { description }),
    parameters: [
      ...(template.includes('{key}') ? [keyInPath] : []),
      ...Object.entries(query).map(([name, kind]) => ({
        name,
        in: 'query',
        description: about.parameters[name],
        schema: schemaOfParameter(kind),
        ...(schemaOfParameter(kind)['type'] === 'array' && { style: 'form', explode: false }),
      })),
      ...Object.entries(about.requestHeaders ?? {}).map(([name, text]) => ({
        name,
        in: 'header',
        description: text,
        schema: { type: 'string' },
      })),
    ],
    ...(described !== undefined && {
      requestBody: {
        description: described.description,
        required: described.isOptional !== true,
        content: described.content,
      },
    }),
    ...(needs === 'open' && { security: [] }),
    responses: {
      ...about.replies,
      ...Object.fromEntries(problems.map((status) => [status, responseRef(String(status))])),
      default: responseRef('default'),
    },
  };
}

/** Nothing is needed as long as access is open. */
const securitySchemes = {
  token: { type: 'http', scheme: 'bearer', description: 'A token of `kelp token create`.' },
  password: { type: 'http', scheme: 'basic', description: 'A user and its password.' },
  certificate: {
    type: 'mutualTLS',
    description: 'A client certificate that names a user, where the server has `--tls-client-ca`.',
  },
};

const keyInPath = {
  name: 'key',
  in: 'path',
  required: true,
  description: 'The key, percent-encoded.',
  schema: { type: 'string', minLength: 1 },
};

function responseRef(name: string): Json {
  return { $ref: `#/components/responses/problem-${name}` };
}

/** Those that all problems of a status have, ... */
const headersByStatus: Readonly<Record<number, Json>> = {
  401: { 'WWW-Authenticate': { type: 'string', description: 'How to show credentials.' } },
  416: { 'Content-Range': { type: 'string', description: 'The length of the value.' } },
  503: { 'Retry-After': { type: 'integer', description: 'Seconds.' } },
};
/** ... and those that some have. */
const otherHeadersByStatus: Readonly<Record<number, Json>> = {
  415: { 'Accept-Encoding': { type: 'string' } },
  429: { 'Retry-After': { type: 'integer', description: 'Seconds.' } },
};

function problemResponses(statuses: ReadonlySet<number>): Json {
  const content = { [problemType]: { schema: ref('Problem') } };
  const responses = [...statuses].map((status) => [
    `problem-${status}`,
    tagged(
      STATUS_CODES[status] ?? 'A problem',
      headersByStatus[status] ?? {},
      content,
      otherHeadersByStatus[status],
    ),
  ]);
  return {
    ...Object.fromEntries(responses),
    'problem-default': { description: 'Any other problem.', content },
  };
}
