import createClient, { type Client, type Middleware } from 'openapi-fetch';
import type { paths as EdgePaths } from './gen/edge.d.ts';
import type { paths as HqPaths } from './gen/hq.d.ts';
import { isProblem, Refused, unreachable } from './problem.ts';

export type EdgeClient = Client<EdgePaths>;
export type HqClient = Client<HqPaths>;

// Every failure becomes a Refused, so that callers have one thing to catch.
const refuse: Middleware = {
  async onResponse({ response }) {
    if (response.ok) return undefined;
    const body: unknown = await response.json().catch(() => undefined);
    if (isProblem(body)) throw new Refused(body);
    throw new Refused({ code: unreachable, status: response.status, title: response.statusText });
  },
  onError({ error }) {
    if (error instanceof Refused) return error;
    return new Refused({ code: unreachable, status: 0, title: 'No answer', detail: String(error) });
  },
};

/** edgeClient talks to the agent that served this page. Calls throw Refused. */
export function edgeClient(): EdgeClient {
  const client = createClient<EdgePaths>({ baseUrl: location.origin, credentials: 'same-origin' });
  client.use(refuse);
  return client;
}

/**
 * hqClient talks to the HQ that served this page. `headers` is asked before each
 * call, for the token of the session. Calls throw Refused.
 */
export function hqClient(headers: () => Record<string, string> = () => ({})): HqClient {
  const client = createClient<HqPaths>({ baseUrl: location.origin, credentials: 'same-origin' });
  client.use(refuse, {
    onRequest({ request }) {
      for (const [name, value] of Object.entries(headers())) request.headers.set(name, value);
      return request;
    },
  });
  return client;
}

/** done returns the body of a call that went well; the client throws for all others. */
export async function done<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T;
}
