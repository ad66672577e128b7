import { follow, type Stream } from '@tallystick/kit/api/events.ts';
import { hqBase } from '@tallystick/kit/api/client.ts';

export type Topic = 'entries' | 'figures' | 'terminals' | 'exceptions' | 'acts' | 'days';

/** Counts what head office said has changed; who reads a topic is run again by it. */
class Live {
  open = $state(false);
  #counts: Record<Topic, number> = $state({ entries: 0, figures: 0, terminals: 0, exceptions: 0, acts: 0, days: 0 });
  #stream: Stream | undefined;

  /** at is a number that grows when something of the topics has changed. */
  at(topics: readonly Topic[]): number {
    return topics.reduce((sum, t) => sum + this.#counts[t], 0);
  }

  start(): void {
    this.#stream ??= follow(
      `${hqBase}/events/console`,
      { changed: (data) => this.#changed((data as { topics: Topic[] }).topics) },
      (open) => {
        // What changed while nobody listened is not known: everything is looked at again.
        if (open && !this.open) this.#changed(Object.keys(this.#counts) as Topic[]);
        this.open = open;
      },
    );
  }

  stop(): void {
    this.#stream?.close();
    this.#stream = undefined;
    this.open = false;
  }

  #changed(topics: Topic[]): void {
    for (const t of topics) this.#counts[t]++;
  }
}

export const live = new Live();
