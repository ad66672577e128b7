import type { ProblemDocument } from '@tallystick/kit/api/problem.ts';
import { Attempt } from '@tallystick/kit/attempt.svelte.ts';
import { play } from '@tallystick/kit/sound.ts';
import { problemOf } from './agent.ts';
import { who } from './who.svelte.ts';

/** Deed is something the cashier does by one press: it sounds as it ends, and says why it was refused. */
export class Deed {
  #attempt = new Attempt();

  get busy(): boolean {
    return this.#attempt.busy;
  }

  /** Why the agent refused the last one. */
  get refusal(): ProblemDocument | undefined {
    return this.#attempt.failed === undefined ? undefined : problemOf(this.#attempt.failed);
  }

  forget(): void {
    this.#attempt.forget();
  }

  /** run does it unless it is under way, and says whether it was done. */
  async run(what: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false;
    const done = await this.#attempt.run(what);
    if (this.refusal) who.noticed(this.refusal);
    play(done ? 'done' : 'refused');
    return done;
  }
}
