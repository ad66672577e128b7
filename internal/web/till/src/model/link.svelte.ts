import { unreachable } from '@tallystick/kit/api/problem.ts';
import { follow, type Stream } from '@tallystick/kit/api/events.ts';
import { agent, problemOf, type Sale, type Status } from './agent.ts';

/** Link is how the till stands: what the agent says of itself, and whether it says anything. */
class Link {
  /** The last status; missing before the first answer. */
  status: Status | undefined = $state();
  /** The agent answers. */
  reachable = $state(true);
  /** Counts seconds, so that ages on the screen grow. */
  #seconds = $state(0);
  #heardAt = 0;
  #stream: Stream | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #onSale: ((sale: Sale) => void)[] = [];

  /** open begins to follow the agent. */
  open(): void {
    const refresh = () => void this.refresh();
    this.#stream = follow(
      '/v1/events',
      {
        status: (s) => this.#heard(s as Status),
        sale: (s) => {
          for (const tell of this.#onSale) tell(s as Sale);
          refresh();
        },
        void: refresh,
        return: refresh,
        day_close: refresh,
        sync: refresh,
      },
      // A stream that breaks may only have lost its session; asking renews that.
      (open) => (open ? undefined : refresh()),
    );
    this.#timer = setInterval(() => (this.#seconds = Math.floor(performance.now() / 1000)), 1000);
  }

  close(): void {
    this.#stream?.close();
    clearInterval(this.#timer);
  }

  /** onSale tells of every sale that this till records, whoever made it. */
  onSale(tell: (sale: Sale) => void): void {
    this.#onSale.push(tell);
  }

  /** refresh asks the agent now. */
  async refresh(): Promise<void> {
    try {
      this.#heard(await agent.status());
    } catch (err) {
      if (problemOf(err).code === unreachable) this.reachable = false;
    }
  }

  #heard(status: Status): void {
    this.status = status;
    this.reachable = true;
    this.#heardAt = performance.now() / 1000;
    this.#seconds = Math.floor(this.#heardAt);
  }

  #aged(seconds: number | undefined): number | undefined {
    return seconds === undefined ? undefined : Math.max(0, Math.floor(seconds + this.#seconds - this.#heardAt));
  }

  get currency(): string {
    return this.status?.currency ?? 'EUR';
  }

  /** How long HQ has not been heard, in seconds; missing: never. */
  get cacheAge(): number | undefined {
    return this.#aged(this.status?.cache_age_seconds);
  }

  /** How old the oldest entry is that HQ has not acknowledged, in seconds; missing: there is none. */
  get oldest(): number | undefined {
    return this.#aged(this.status?.oldest_unsynced_seconds);
  }

  get state(): 'online' | 'offline' | 'starting' | 'stopped' | 'sandbox' | 'shut' {
    if (!this.reachable) return 'stopped';
    const s = this.status;
    if (!s) return 'starting';
    if (s.sandbox) return 'sandbox';
    if (s.sync === 'revoked' || s.sync === 'quarantined' || s.sync === 'forked' || s.sync === 'refused') return 'shut';
    if (s.online) return 'online';
    return s.sync === 'starting' ? 'starting' : 'offline';
  }
}

export const link = new Link();
