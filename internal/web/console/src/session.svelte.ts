import type { components } from '@tallystick/kit/api/gen/hq.d.ts';

export type Session = components['schemas']['ConsoleSession'];

/**
 * Who is signed in. A call that finds the session over waits here until the same person
 * has signed in again, so that nothing typed is lost.
 */
class SessionState {
  current: Session | undefined = $state();
  /** Not known yet whether anybody is signed in. */
  starting = $state(true);
  /** Somebody was signed in, and the session ended. */
  ended = $state(false);
  #waiting: (() => void)[] = [];

  /** again resolves once somebody has signed in. */
  again(): Promise<void> {
    this.starting = false;
    if (this.current) this.ended = true;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  began(session: Session): void {
    this.current = session;
    this.ended = this.starting = false;
    for (const go of this.#waiting.splice(0)) go();
  }

  /** may tells whether the role may change an area. */
  may(area: string): boolean {
    return this.current?.areas.includes(area) ?? false;
  }
}

export const session = new SessionState();

/** Whether head office answers. */
class Reach {
  down = $state(false);
}

export const reach = new Reach();
