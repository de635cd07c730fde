import { OpenAPIHono, type RouteConfig, z } from '@hono/zod-openapi';
import { html } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import type { Route } from './route.ts';

export interface DocumentOptions {
  readonly title: string;
  readonly version: string;
  readonly description: string;
  /** Bearer tokens, by the names that routes give in `security`. */
  readonly security: Readonly<
    Record<string, { readonly bearerFormat?: string; readonly description: string }>
  >;
  /** The schemes of the routes that name none: those of who may call the app. */
  readonly callers?: readonly string[];
}

export type Described = ReturnType<typeof describeRoutes>;

/** The routes as an OpenAPI document, and as a page. A schema with an id (`meta({ id })`) is shown under that name. */
export const describeRoutes = (
  routes: readonly Route[],
  { title, version, description, security, callers }: DocumentOptions,
) => {
  const app = new OpenAPIHono();
  for (const [name, scheme] of Object.entries(security)) {
    app.openAPIRegistry.registerComponent('securitySchemes', name, {
      type: 'http',
      scheme: 'bearer',
      ...scheme,
    });
  }
  for (const route of routes)
    app.openAPIRegistry.registerPath(describe({ ...route, security: route.security ?? callers }));
  const document = app.getOpenAPI31Document({ openapi: '3.1.0', info: { title, version, description } });
  return { document, page: makeDocsPage(document), headers: DOCS_HEADERS };
};

const describe = ({ method, path, params, query, body, answer, ...route }: Route): RouteConfig => ({
  method: method === 'GET' ? 'get' : 'post',
  path: path.replace(/:(\w+)/g, '{$1}'),
  ...(route.summary !== undefined && { summary: route.summary }),
  ...(route.security !== undefined && { security: route.security.map((name) => ({ [name]: [] })) }),
  request: {
    ...(params !== undefined && { params: params as z.ZodObject }),
    ...(query !== undefined && { query: query as z.ZodObject }),
    ...(body !== undefined && { body: json(body) }),
  },
  responses: {
    200: { description: 'the answer', ...json(answer) },
    ...(route.unless !== undefined && {
      [route.unless.status]: { description: route.unless.description, ...json(answer) },
    }),
    default: {
      description: 'a problem document',
      content: { 'application/problem+json': { schema: named(problem) } },
    },
  },
});

const json = (schema: z.ZodType) => ({ content: { 'application/json': { schema: named(schema) } } });

/** By the prototype's method, since a schema that was made before the library was loaded has none of its own. */
const named = (schema: z.ZodType): z.ZodType => {
  const id = schema.meta()?.id;
  return id === undefined ? schema : z.ZodType.prototype.openapi.call(schema, id);
};

const problem = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().describe('stable; the runbook has a section for each'),
    detail: z.string(),
    requestId: z.string(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' });

/** The parts of an OpenAPI document that the page shows. */
interface Document {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string };
  readonly paths?: Readonly<Record<string, unknown>> | undefined;
  readonly components?: { readonly schemas?: Readonly<Record<string, unknown>> } | undefined;
}

interface Operation {
  readonly summary?: string;
  readonly security?: readonly Readonly<Record<string, unknown>>[];
  readonly parameters?: readonly unknown[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: unknown }>> };
  readonly responses?: Readonly<
    Record<string, { readonly description?: string; readonly content?: unknown }>
  >;
}

/** The page needs nothing but itself: no script, nothing from elsewhere. */
const DOCS_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
} as const;

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}
code,pre{font:14px/1.4 ui-monospace,monospace}pre{background:#f4f4f4;padding:.75rem;overflow:auto}
h2 code{font-size:1.1rem}summary{cursor:pointer}`;

/** The API's reference as one page without scripts, made of the OpenAPI document. */
const makeDocsPage = (document: Document): HtmlEscapedString => {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Readonly<Record<string, Operation>>).map(([method, operation]) =>
      operationSection(method.toUpperCase(), path, operation),
    ),
  );
  const { title, version, description = '' } = document.info;
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title} ${version}</title><style>${STYLE}</style></head><body>
<h1>${title} ${version}</h1><p>${description} The machine-readable form is <a href="openapi.json">openapi.json</a>.</p>
${operations}
<h2>Shapes</h2>
${Object.entries(document.components?.schemas ?? {}).map(([name, schema]) => shape(name, schema))}
</body></html>` as HtmlEscapedString;
};

const operationSection = (method: string, path: string, operation: Operation) => html`<section>
<h2><code>${method} ${path}</code></h2><p>${operation.summary ?? ''}</p>
<p>Who: ${callersOf(operation)}</p>
${operation.parameters === undefined ? '' : shape('Parameters', operation.parameters)}
${operation.requestBody === undefined ? '' : shape('Request', operation.requestBody.content)}
${Object.entries(operation.responses ?? {}).map(([status, { description, content }]) =>
  shape(`${status}: ${description ?? ''}`, content),
)}
</section>`;

const callersOf = ({ security = [] }: Operation): string =>
  security.length === 0 ? 'everybody' : security.flatMap((scheme) => Object.keys(scheme)).join(' or ');

const shape = (name: string, content: unknown) =>
  html`<details><summary>${name}</summary><pre>${JSON.stringify(content, null, 2)}</pre></details>`;
