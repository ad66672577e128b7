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

/** How long the page waits for an answer of the agent, in milliseconds; the agent itself gives up after ten seconds. */
const patience = 12_000;

/** renewSession fetches the page anew, for the session that comes with it. */
async function renewSession(page: string): Promise<void> {
  await fetch(page, { cache: 'no-store', signal: AbortSignal.timeout(patience) });
}

/**
 * edgeClient talks to the agent that served this page. Calls throw Refused. A call
 * that finds the page's session over renews it at `page` and is sent once more.
 */
export function edgeClient(page: string): EdgeClient {
  const client = createClient<EdgePaths>({
    baseUrl: location.origin,
    credentials: 'same-origin',
    async fetch(request) {
      const again = request.clone();
      const answer = await fetch(request, { signal: AbortSignal.timeout(patience) });
      if (answer.status !== 401) return answer;
      const body: unknown = await answer
        .clone()
        .json()
        .catch(() => undefined);
      if (!isProblem(body) || body.code !== 'unauthenticated') return answer;
      await renewSession(page);
      return fetch(again, { signal: AbortSignal.timeout(patience) });
    },
  });
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
