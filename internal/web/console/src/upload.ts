import type { components } from '@tallystick/kit/api/gen/hq.d.ts';
import { hqBase } from '@tallystick/kit/api/client.ts';
import { isProblem, Refused, unreachable } from '@tallystick/kit/api/problem.ts';
import { session } from './session.svelte.ts';

export type Picture = components['schemas']['BrandingPicture'];

/** What head office takes at most, in bytes. */
export const mostBytes = 5 * 1024 * 1024;

/**
 * upload sends a picture and tells how much of it has gone, 0 to 1. When the session is
 * over it waits until somebody has signed in. It throws Refused.
 */
export async function upload(file: File, progress: (share: number) => void): Promise<Picture> {
  for (;;) {
    const { status, text } = await send(file, progress);
    if (status === 401) {
      await session.again();
      continue;
    }
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      body = undefined;
    }
    if (status === 201) return body as Picture;
    throw new Refused(isProblem(body) ? body : { code: unreachable, status, title: 'No answer' });
  }
}

/** send is an XMLHttpRequest, since fetch does not say how much of a body has gone. */
function send(file: File, progress: (share: number) => void): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('POST', `${hqBase}/branding/pictures`);
    request.setRequestHeader('Content-Type', file.type);
    request.setRequestHeader('X-Tallystick-Console', '1');
    request.upload.onprogress = (e) => progress(e.lengthComputable ? e.loaded / e.total : 0);
    request.onloadend = () => resolve({ status: request.status, text: request.responseText });
    request.send(file);
  });
}
