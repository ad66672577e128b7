import type { Client } from 'openapi-fetch';
import type { paths as EdgePaths } from './gen/edge.d.ts';
import type { paths as HqPaths } from './gen/hq.d.ts';
import { isProblem, Refused, unreachable } from './problem.ts';

// The calls have the types of openapi-fetch, made from the OpenAPI documents. What
// runs is these few lines, since each page pays for every kilobyte.
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
export type EdgeClient = Pick<Client<EdgePaths>, Method>;
export type HqClient = Pick<Client<HqPaths>, Method>;

/** What a call is made of, as openapi-fetch has it. */
interface Init {
  params?: {
    path?: Record<string, unknown>;
    query?: Record<string, unknown>;
    header?: Record<string, unknown>;
  };
  body?: unknown;
  signal?: AbortSignal;
  /** 'text' leaves the answer as it is written; else JSON is parsed. */
  parseAs?: 'text' | 'json';
}

/** Send sends a request and resolves with the answer. */
export type Send = (request: Request) => Promise<Response>;

function requestOf(method: Method, base: string, path: string, init: Init): Request {
  const { path: places = {}, query = {}, header = {} } = init.params ?? {};
  const url = new URL(
    base + path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(places[name]))),
    location.origin,
  );
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined) url.searchParams.append(name, String(one));
    }
  }
  const all = new Headers();
  for (const [name, value] of Object.entries(header)) if (value !== undefined) all.set(name, String(value));
  if (init.body !== undefined) all.set('Content-Type', 'application/json');
  return new Request(url, {
    method,
    headers: all,
    body: init.body === undefined ? null : JSON.stringify(init.body),
    credentials: 'same-origin',
    signal: init.signal ?? null,
  });
}

/** answerOf is what an answer carries; every failure becomes a Refused, so that callers have one thing to catch. */
async function answerOf(
  send: Send,
  request: Request,
  written: boolean,
): Promise<{ data: unknown; response: Response }> {
  let response: Response;
  let text: string;
  try {
    response = await send(request);
    text = await response.text();
  } catch (err) {
    if (request.signal.aborted) throw err;
    throw new Refused({ code: unreachable, status: 0, title: 'No answer', detail: String(err) });
  }
  const json = /\bjson\b/.test(response.headers.get('Content-Type') ?? '');
  if (response.ok && written) return { data: text, response };
  const body: unknown = json && text !== '' ? JSON.parse(text) : text === '' ? undefined : text;
  if (response.ok) return { data: body, response };
  if (isProblem(body)) throw new Refused(body);
  throw new Refused({ code: unreachable, status: response.status, title: response.statusText });
}

function client(base: string, send: Send): unknown {
  const call =
    (method: Method) =>
    (path: string, init: Init = {}) =>
      answerOf(send, requestOf(method, base, path, init), init.parseAs === 'text');
  return {
    GET: call('GET'),
    POST: call('POST'),
    PUT: call('PUT'),
    PATCH: call('PATCH'),
    DELETE: call('DELETE'),
  };
}

/** How long a page waits for an answer, in milliseconds; the agent itself gives up after ten seconds. */
const patience = 12_000;

/**
 * edgeClient talks to the agent that served this page. Calls throw Refused. A call
 * that finds the page's session over renews it at `page` and is sent once more.
 */
export function edgeClient(page: string): EdgeClient {
  const patient = (request: Request) => fetch(request, { signal: AbortSignal.timeout(patience) });
  const send: Send = async (request) => {
    const again = request.clone();
    const answer = await patient(request);
    if (answer.status !== 401) return answer;
    const body: unknown = await answer
      .clone()
      .json()
      .catch(() => undefined);
    if (!isProblem(body) || body.code !== 'unauthenticated') return answer;
    await patient(new Request(page, { cache: 'no-store' }));
    return patient(again);
  };
  return client('', send) as EdgeClient;
}

/** Where HQ's API begins. */
export const hqBase = '/api/v1';

/**
 * hqClient talks to the HQ that served this page. `send` is what sends a request;
 * without it each is sent once. Calls throw Refused, or what the caller's own signal
 * was ended with.
 */
export function hqClient(
  send: Send = (request) => fetch(request, { signal: AbortSignal.timeout(patience) }),
): HqClient {
  return client(hqBase, send) as HqClient;
}

/** done returns the body of a call that went well; the client throws for all others. */
export async function done<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T;
}
