import { Refused } from '@tallystick/kit/api/problem.ts';
import { Speech } from '@tallystick/kit/i18n/speech.svelte.ts';
import en from './words/en.ts';

/** Everything this page says. Turkish and Polish are fetched when somebody chooses them. */
export const speech = new Speech({
  en,
  tr: () => import('./words/tr.ts'),
  pl: () => import('./words/pl.ts'),
});

/** say is the sentence for whatever a call threw. */
export function say(err: unknown): string {
  return (err instanceof Refused ? speech.m.problems[err.code] : undefined) ?? speech.m.failed;
}

/** wrongFields says what is wrong with each field of a form. */
export function wrongFields(err: unknown): Record<string, string> {
  const fields = err instanceof Refused ? (err.problem.fields ?? {}) : {};
  return Object.fromEntries(
    Object.keys(fields).map((pointer) => {
      const name = pointer.slice(1);
      return [name, speech.m.wrong[name] ?? speech.m.problems['invalid_field']!];
    }),
  );
}
