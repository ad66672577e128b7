import { Speech } from '@tallystick/kit/i18n/speech.svelte.ts';
import { en } from './words/en.ts';

/** Everything this page says. Other languages are fetched when somebody chooses them. */
export const speech = new Speech({ en, tr: () => import('./words/tr.ts'), pl: () => import('./words/pl.ts') });

/** word looks a word of the API up; one that is not known is shown as it is. */
export function word(words: Record<string, string>, key: string): string {
  return words[key] ?? key.replaceAll('_', ' ');
}
