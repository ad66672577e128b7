import type { Locale } from '@tallystick/kit/i18n/catalog.ts';
import { Speech } from '@tallystick/kit/i18n/speech.svelte.ts';
import type { ProblemDocument } from '@tallystick/kit/api/problem.ts';
import en from './words/en.ts';

/** Everything this page says. Turkish and Polish are fetched when somebody chooses them. */
export const speech = new Speech({
  en,
  tr: () => import('./words/tr.ts'),
  pl: () => import('./words/pl.ts'),
});

const files: Record<Locale, () => Promise<{ default: Record<string, string> }>> = {
  en: () => import('./words/problems.en.ts'),
  tr: () => import('./words/problems.tr.ts'),
  pl: () => import('./words/problems.pl.ts'),
};
const sentences: Partial<Record<Locale, Record<string, string>>> = $state({});

/** loadProblems fetches the sentences for problems in the chosen language. */
export async function loadProblems(locale: Locale): Promise<void> {
  if (sentences[locale]) return;
  try {
    sentences[locale] = (await files[locale]()).default;
  } catch {
    // Until they can be fetched the agent's own sentence is shown.
  }
}

/** sayProblem is the sentence for a problem: ours, else what the agent says, else a last resort. */
export function sayProblem(problem: ProblemDocument): string {
  return sentences[speech.locale]?.[problem.code] ?? (problem.say || speech.m.refused);
}
