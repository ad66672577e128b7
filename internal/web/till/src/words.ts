import { Speech } from '@tallystick/kit/i18n/speech.svelte.ts';
import type { ProblemDocument } from '@tallystick/kit/api/problem.ts';
import en from './words/en.ts';

/** Everything this page says. Turkish and Polish are fetched when somebody chooses them. */
export const speech = new Speech({
  en,
  tr: () => import('./words/tr.ts'),
  pl: () => import('./words/pl.ts'),
});

/** sayProblem is the sentence for a problem: ours, else what the agent says, else a last resort. */
export function sayProblem(problem: ProblemDocument): string {
  const sentences: Record<string, string> = speech.m.problems;
  return sentences[problem.code] ?? problem.say ?? speech.m.problems.other;
}
