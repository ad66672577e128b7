import { hqClient } from '@tallystick/kit/api/client.ts';
import { Refused } from '@tallystick/kit/api/problem.ts';
import { newKey } from '@tallystick/kit/key.ts';
import { reach, session } from './session.svelte.ts';

const longestWait = 5_000;

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}

/**
 * patient sends a request until head office has answered it. While nobody answers it is
 * sent again, with the same key, so that it happens once; when the session is over it
 * waits until somebody has signed in.
 */
export async function patient(request: Request): Promise<Response> {
  request.headers.set('X-Tallystick-Console', '1');
  if (request.method !== 'GET' && !request.headers.has('Idempotency-Key'))
    request.headers.set('Idempotency-Key', newKey());
  for (let wait = 400; ; wait = Math.min(wait * 2, longestWait)) {
    let answer: Response | undefined;
    try {
      answer = await fetch(request.clone());
    } catch {
      request.signal.throwIfAborted();
    }
    if (answer?.status === 401 && !(request.method === 'POST' && request.url.endsWith('/console/session'))) {
      await session.again();
      continue;
    }
    if (answer && answer.status !== 502 && answer.status !== 503 && answer.status !== 504) {
      reach.down = false;
      return answer;
    }
    reach.down = true;
    await pause(wait, request.signal);
  }
}

/** hq is head office's API. Calls throw Refused. */
export const hq = hqClient(patient);

/** once are the parameters of a write; patient makes the key. */
export const once = { header: {} as { 'Idempotency-Key': string } };

/** why says in words why something failed. */
export function why(error: unknown): string {
  if (!(error instanceof Refused)) return String(error);
  const fields = Object.entries(error.problem.fields ?? {}).map(([at, what]) => `${at.replace(/^\//, '')} ${what}`);
  return [error.problem.detail ?? error.problem.title, ...fields].join(' · ');
}

/** orNone is what was asked for, or undefined when head office has no such thing. */
export async function orNone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Refused && error.problem.status === 404) return undefined;
    throw error;
  }
}

/** aborted tells whether a call ended because nobody wants its answer any more. */
export function aborted(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
