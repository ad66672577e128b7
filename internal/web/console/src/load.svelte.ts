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
