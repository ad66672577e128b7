import { isProblem, Refused } from '@tallystick/kit/api/problem.ts';
import { hqBase } from '@tallystick/kit/api/client.ts';
import { patient } from './hq.ts';
import { given, orderOf, type Narrowed } from './list.ts';

/** saveFile has the browser save what is already here as a file. */
export function saveFile(name: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser may still be reading: there is no telling when it has done so.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** download saves a list as a file; `progress` hears how many bytes have come. */
export async function download(
  list: string,
  format: 'csv' | 'xlsx',
  filters: Narrowed,
  sort: string | undefined,
  progress: (bytes: number) => void,
): Promise<string> {
  const query = new URLSearchParams({ ...given({ ...filters, order: orderOf(sort) }), format });
  if (format === 'csv') query.set('mark', 'true');
  return fetchFile(`/lists/${list}/file?${query}`, `${list}.${format}`, progress);
}

/** fetchFile saves what head office answers as a file, under its own name or `called`. */
export async function fetchFile(
  path: string,
  called: string,
  progress: (bytes: number) => void = () => undefined,
): Promise<string> {
  const answer = await patient(new Request(`${location.origin}${hqBase}${path}`, { credentials: 'same-origin' }));
  if (!answer.ok || !answer.body) {
    const body: unknown = await answer.json().catch(() => undefined);
    throw new Refused(isProblem(body) ? body : { code: 'internal', status: answer.status, title: answer.statusText });
  }
  const name = /filename="?([^";]+)/.exec(answer.headers.get('Content-Disposition') ?? '')?.[1] ?? called;
  const parts: BlobPart[] = [];
  let bytes = 0;
  const reader = answer.body.getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    parts.push(piece.value);
    bytes += piece.value.length;
    progress(bytes);
  }
  saveFile(name, new Blob(parts, { type: answer.headers.get('Content-Type') ?? '' }));
  return name;
}
