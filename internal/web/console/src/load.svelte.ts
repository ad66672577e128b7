import { untrack } from 'svelte';
import { aborted, why } from './hq.ts';
import { live, type Topic } from './live.svelte.ts';

/**
 * Loaded is something read from head office: read anew when what `ask` looks at changes,
 * and, in the background, when head office says that one of the topics has.
 */
export class Loaded<T> {
  value: T | undefined = $state.raw();
  error: string | undefined = $state();
  loading = $state(false);
  #again = $state(0);

  constructor(ask: (signal: AbortSignal) => Promise<T>, topics: readonly Topic[] = []) {
    $effect(() => {
      void live.at(topics);
      void this.#again;
      const stop = new AbortController();
      this.loading = true;
      ask(stop.signal).then(
        (value) => {
          this.value = value;
          this.error = undefined;
          this.loading = false;
        },
        (error: unknown) => {
          if (aborted(error) || stop.signal.aborted) return;
          this.error = why(error);
          this.loading = false;
        },
      );
      return () => untrack(() => stop.abort());
    });
  }

  again(): void {
    this.#again++;
  }
}

/** How long somebody must have stopped typing before head office is asked, in milliseconds. */
const still = 250;

/**
 * whileTyped asks head office what it says of something while it is typed: `typed` is what to
 * ask about, or undefined while it cannot be read. What is typed next ends the question.
 */
export function whileTyped<Body, Answer>(
  typed: () => Body | undefined,
  ask: (body: Body, signal: AbortSignal) => Promise<Answer>,
  answered: (answer: Answer) => void,
  refused: (error: unknown) => void,
): void {
  $effect(() => {
    const body = typed();
    if (!body) return;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      ask(body, stop.signal).then(answered, (error: unknown) => {
        if (!aborted(error) && !stop.signal.aborted) refused(error);
      });
    }, still);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  });
}
