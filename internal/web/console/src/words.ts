import { Speech } from '@tallystick/kit/i18n/speech.svelte.ts';
import { en } from './words/en.ts';
import { pl } from './words/pl.ts';
import { tr } from './words/tr.ts';

/** Everything this page says. */
export const speech = new Speech({ en, tr, pl });

/** word looks a word of the API up; one that is not known is shown as it is. */
export function word(words: Record<string, string>, key: string): string {
  return words[key] ?? key.replaceAll('_', ' ');
}
