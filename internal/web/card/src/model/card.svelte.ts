import { done } from '@tallystick/kit/api/client.ts';
import { Refused } from '@tallystick/kit/api/problem.ts';
import { codeAt, importKeys, stepSeconds, type EpochKey, type Shown } from './code.ts';
import { hq, wording, type Card, type Purpose, type Wallets } from './hq.ts';
import * as keep from './keep.ts';

/** How often an open card asks HQ again, in milliseconds. */
const refreshEvery = 60_000;
/** A difference of clocks below this is the network's. */
const clocksAgree = 2_000;

/** Join is what a shopper gives to get a card. */
export interface Join {
  name: string;
  email: string;
  phone: string;
  purposes: Purpose[];
  store: string | undefined;
  /** Made once for a form, so that sending it twice makes one card. */
  key: string;
}

/** The card that this browser shows. */
class Mine {
  #keys: EpochKey[] = [];
  #ahead = 0;
  card: Card | undefined = $state.raw();
  /** What phones can keep a card in at this HQ; missing until it said so. */
  wallets: Wallets | undefined = $state.raw();
  /** Whether HQ answered the last question. */
  online = $state(true);
  /** False until it is known whether there is a card. */
  known = $state(false);
  /** HQ says that this browser shows no card any more. */
  ended = $state(false);

  /** The moment as HQ has it, in Unix milliseconds. */
  now(): number {
    return Date.now() - this.#ahead;
  }

  /** open shows what is kept, then asks HQ, and goes on asking while the page is seen. */
  open(): () => void {
    void this.#start();
    const again = () => {
      if (!document.hidden) void this.refresh();
    };
    const timer = setInterval(again, refreshEvery);
    document.addEventListener('visibilitychange', again);
    addEventListener('online', again);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', again);
      removeEventListener('online', again);
    };
  }

  async #start(): Promise<void> {
    try {
      const kept = await keep.read();
      if (kept) {
        this.card = kept.card;
        this.#keys = kept.keys;
        this.#ahead = kept.ahead;
        this.known = true;
      }
    } catch {
      // A browser that keeps nothing shows the card while it is online.
    }
    await this.refresh();
    this.known = true;
  }

  async refresh(): Promise<void> {
    try {
      await this.take(await done(hq.GET('/card/me')));
    } catch (err) {
      const signedOut = err instanceof Refused && err.problem.status === 401;
      this.online = err instanceof Refused && err.problem.status > 0 && err.problem.status < 500;
      if (signedOut) {
        this.ended = this.card !== undefined;
        await this.#forget();
      }
    }
  }

  /** take shows a card as HQ just told it, and keeps it. */
  async take(card: Card): Promise<void> {
    const ahead = Date.now() - Date.parse(card.as_of);
    this.#ahead = Math.abs(ahead) > clocksAgree ? ahead : 0;
    const { code, ...rest } = card;
    this.#keys = await importKeys(code?.keys ?? []);
    this.card = code ? { ...rest, code: { ...code, keys: [] } } : rest;
    this.online = true;
    this.ended = false;
    this.known = true;
    try {
      await keep.write({ card: $state.snapshot(this.card), keys: this.#keys, ahead: this.#ahead });
    } catch {
      // As above.
    }
  }

  async #forget(): Promise<void> {
    this.card = undefined;
    this.#keys = [];
    try {
      await keep.forget();
    } catch {
      // As above.
    }
  }

  /** shown is the code of this moment, the number of its period, and how many seconds it stays. */
  async shown(): Promise<(Shown & { step: number; left: number }) | undefined> {
    const text = this.card?.code?.text;
    if (!text) return undefined;
    const now = this.now();
    const unix = Math.floor(now / 1000);
    return {
      ...(await codeAt(text, this.#keys, now)),
      step: Math.floor(unix / stepSeconds),
      left: stepSeconds - (unix % stepSeconds),
    };
  }

  async join(j: Join, locale: 'en' | 'tr' | 'pl'): Promise<void> {
    const { name, email, phone, store } = j;
    const card = await done(
      hq.POST('/card/join', {
        params: { header: { 'Idempotency-Key': j.key } },
        body: {
          locale,
          ...(name && { name }),
          ...(email && { email }),
          ...(phone && { phone }),
          ...(store && { store }),
          consents: j.purposes.map((purpose) => ({ purpose, given: true, wording })),
        },
      }),
    );
    await this.take(card);
  }

  async change(body: { name?: string; email?: string; phone?: string; locale?: 'en' | 'tr' | 'pl' }): Promise<void> {
    await this.take(await done(hq.PATCH('/card/me', { body })));
  }

  async agree(purpose: Purpose, given: boolean): Promise<void> {
    await this.take(await done(hq.POST('/card/consents', { body: { purpose, given, wording } })));
  }

  async openLink(secret: string): Promise<void> {
    await this.take(await done(hq.POST('/card/links/open', { body: { secret } })));
  }

  async signOut(): Promise<void> {
    await hq.DELETE('/card/session');
    await this.#forget();
  }

  async leave(): Promise<void> {
    await hq.DELETE('/card/me');
    await this.#forget();
  }
}

export const mine = new Mine();
