import { parseAmount, type AmountError } from '@tallystick/kit/money.ts';
import { play } from '@tallystick/kit/sound.ts';
import { Refused, unreachable, type ProblemDocument } from '@tallystick/kit/api/problem.ts';
import { newKey } from '@tallystick/kit/key.ts';
import { agent, problemOf, type Quote, type QuoteRequest, type Sale, type Scan } from './agent.ts';
import { link } from './link.svelte.ts';
import { who } from './who.svelte.ts';

/** The one thing of a sale under way that outlives a reload: the key it will be committed with. */
const keyName = 'tallystick-till-key';
/** How long the page waits after the last change before it asks for a quote, in milliseconds. */
const settle = 220;
/** The same code again within so many milliseconds is the same scan. */
const sameScan = 1_500;
/** How often a sale whose answer was lost is looked up, in milliseconds. */
const askAgainAfter = 1_000;

export type Phase = 'idle' | 'basket' | 'committing' | 'unknown' | 'done';

/** What the shopper wants to redeem: how often each reward, and which vouchers. */
interface Wishes {
  rewards: Record<string, number>;
  vouchers: Record<string, boolean>;
}

const nothing = (): Wishes => ({ rewards: {}, vouchers: {} });

/**
 * Counter is the sale being made. It keeps nothing of record: the agent has the sale,
 * or there is none. The key is made when the basket begins and stays with it until the
 * agent has said what became of it, so that no reload, crash or second press sells twice.
 */
export class Counter {
  phase: Phase = $state('idle');
  scanning = $state(false);
  member: Scan | undefined = $state();
  voucherScans: Scan[] = $state([]);
  amount = $state('');
  receipt = $state('');
  wishes: Wishes = $state(nothing());
  quote: Quote | undefined = $state();
  quoting = $state(false);
  refusal: ProblemDocument | undefined = $state();
  sale: Sale | undefined = $state();
  /** The sale was found again after a reload. */
  found = $state(false);
  /** A receipt's claim code was scanned: the page goes on with a claim. */
  claimCode: string | undefined = $state();
  /** Something to say that is no refusal. */
  news: { kind: 'changed' } | { kind: 'voucher'; name: string } | undefined = $state();

  #key: string;
  #last = { text: '', at: -Infinity };
  #turn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #scans: Promise<void> = Promise.resolve();
  #approval: string | undefined;

  constructor() {
    this.#key = sessionStorage.getItem(keyName) ?? this.#nextKey();
  }

  #nextKey(): string {
    this.#key = newKey();
    sessionStorage.setItem(keyName, this.#key);
    return this.#key;
  }

  /** resume looks for the sale that was being committed when the page went away. */
  async resume(): Promise<void> {
    try {
      const sale = await agent.saleByKey(this.#key);
      if (sale && this.phase === 'idle') this.#show(sale, true);
    } catch (err) {
      problemOf(err);
    }
  }

  get amountResult(): { minor: number } | { error: AmountError | 'zero' } {
    const parsed = parseAmount(this.amount, link.currency);
    return 'minor' in parsed && parsed.minor === 0 ? { error: 'zero' } : parsed;
  }

  /** The store wants the register's receipt number with each sale, and it is not there yet. */
  get receiptMissing(): boolean {
    return !!link.status?.receipt_required && this.receipt.trim() === '';
  }

  /** Everything the shopper could redeem a voucher of. */
  get vouchers() {
    return [...(this.member?.vouchers ?? []), ...this.voucherScans.flatMap((s) => s.vouchers)].filter(
      (v, i, all) => all.findIndex((w) => w.id === v.id) === i,
    );
  }

  /** take reads a code, from wherever it came. Codes are read one after the other. */
  take(text: string): Promise<void> {
    const now = performance.now();
    const again = text === this.#last.text && now - this.#last.at < sameScan;
    this.#last = { text, at: now };
    if (again || this.phase === 'committing' || this.phase === 'unknown') return this.#scans;
    return (this.#scans = this.#scans.then(() => this.#scan(text)));
  }

  async #scan(text: string): Promise<void> {
    if (this.phase === 'done') this.clear();
    this.scanning = true;
    this.refusal = undefined;
    try {
      if (this.#takeIn(await agent.scan(text))) play('read');
    } catch (err) {
      const problem = problemOf(err);
      // What was refused may be tried again at once.
      this.#last.at = -Infinity;
      if (problem.code === 'code_wrong_kind') this.claimCode = text;
      else this.#refuse(problem);
    } finally {
      this.scanning = false;
    }
  }

  /** #takeIn makes what was read part of the sale, and says whether it did. */
  #takeIn(scan: Scan): boolean {
    this.news = undefined;
    if (scan.kind === 'voucher') {
      const voucher = scan.vouchers[0];
      // One that is used up or over is no part of this sale.
      if (voucher?.refused && voucher.refused.code !== 'approval_required') {
        this.#last.at = -Infinity;
        this.#refuse({ ...voucher.refused, status: 0, title: '' });
        return false;
      }
      this.voucherScans = [...this.voucherScans.filter((s) => s.vouchers[0]?.id !== voucher?.id), scan];
      if (voucher) {
        this.wishes.vouchers[voucher.id] = true;
        this.news = { kind: 'voucher', name: voucher.name };
      }
    } else {
      if (this.member && this.member.member !== scan.member) {
        this.wishes = nothing();
        this.news = { kind: 'changed' };
      }
      this.member = scan;
      this.#approval = undefined;
    }
    this.phase = 'basket';
    this.changed();
    return true;
  }

  /** withoutCard begins a sale without a member. */
  withoutCard(): void {
    if (this.phase === 'done') this.clear();
    this.refusal = undefined;
    this.phase = 'basket';
    this.changed();
  }

  setReward(id: string, times: number): void {
    this.wishes.rewards[id] = Math.max(0, Math.min(99, times));
    this.changed();
  }

  setVoucher(id: string, use: boolean): void {
    this.wishes.vouchers[id] = use;
    this.changed();
  }

  /** changed asks for a quote of what the basket is now, soon. */
  changed(): void {
    this.quote = undefined;
    const turn = ++this.#turn;
    clearTimeout(this.#timer);
    if (this.phase !== 'basket' || 'error' in this.amountResult) {
      this.quoting = false;
      return;
    }
    this.quoting = true;
    this.#timer = setTimeout(() => void this.#ask(turn), settle);
  }

  async #ask(turn: number): Promise<void> {
    const request = this.#request();
    try {
      const quote = await this.#quoted(request);
      if (turn !== this.#turn) return;
      this.quote = quote;
      this.refusal = undefined;
    } catch (err) {
      if (turn === this.#turn) this.#refuse(problemOf(err));
    } finally {
      if (turn === this.#turn) this.quoting = false;
    }
  }

  // A typed card number redeems only with a manager's approval, which is good for one sale.
  #quoted(request: QuoteRequest): Promise<Quote> {
    const ask = (approval?: string) => {
      this.#approval = approval ?? this.#approval;
      return agent.quote({ ...request, ...(this.#approval ? { approval: this.#approval } : {}) });
    };
    return this.member ? who.withApproval({ for: 'redeem', scan: this.member.id }, ask) : ask();
  }

  #request(): QuoteRequest {
    const amount = this.amountResult;
    const scans = [...(this.member ? [this.member.id] : []), ...this.voucherScans.map((s) => s.id)];
    const redeem = [
      ...Object.entries(this.wishes.rewards)
        .filter(([, times]) => times > 0)
        .map(([reward, times]) => ({ reward, times })),
      ...Object.entries(this.wishes.vouchers)
        .filter(([, use]) => use)
        .map(([voucher]) => ({ voucher })),
    ];
    return {
      currency: link.currency,
      total: 'minor' in amount ? amount.minor : 0,
      ...(scans.length > 0 ? { scans } : {}),
      ...(redeem.length > 0 ? { redeem } : {}),
    };
  }

  /** commit records the quoted sale. Pressing it again while it runs does nothing. */
  async commit(): Promise<void> {
    const quote = this.quote;
    if (this.phase !== 'basket' || !quote || this.receiptMissing) return;
    this.phase = 'committing';
    this.refusal = undefined;
    try {
      this.#show(await this.#send(quote), false);
      play('done');
    } catch (err) {
      await this.#failed(problemOf(err), err as Refused);
    }
  }

  #send(quote: Quote): Promise<Sale> {
    const receipt = this.receipt.trim();
    return agent.commit(this.#key, { quote: quote.id, ...(receipt ? { pos_receipt: receipt } : {}) });
  }

  async #failed(problem: ProblemDocument, err: Refused): Promise<void> {
    if (err.unknown) {
      this.phase = 'unknown';
      await this.#lookUp();
      return;
    }
    this.phase = 'basket';
    // This basket was sold by an earlier try whose answer was lost.
    if (problem.code === 'idempotency_key_reused') {
      this.phase = 'unknown';
      await this.#lookUp();
      return;
    }
    this.#refuse(problem);
    if (problem.code.startsWith('quote_')) this.changed();
  }

  // The answer to a commit was lost. Asks until the agent says what became of it.
  async #lookUp(): Promise<void> {
    while (this.phase === 'unknown') {
      try {
        const sale = await agent.saleByKey(this.#key);
        if (this.phase !== 'unknown') return;
        if (sale) {
          this.#show(sale, false);
          play('done');
        } else {
          this.phase = 'basket';
          this.#refuse({ code: 'sale_not_recorded', status: 0, title: '' });
          this.#rescan();
        }
        return;
      } catch (err) {
        who.noticed(problemOf(err));
        await new Promise((resolve) => setTimeout(resolve, askAgainAfter));
      }
    }
  }

  // A restarted agent knows no scans and quotes any more: the card has to be shown again.
  #rescan(): void {
    if (this.member) {
      this.member = undefined;
      this.voucherScans = [];
      this.wishes = nothing();
      this.phase = 'idle';
    } else {
      this.changed();
    }
  }

  #show(sale: Sale, found: boolean): void {
    this.sale = sale;
    this.found = found;
    this.refusal = undefined;
    this.phase = 'done';
  }

  #refuse(problem: ProblemDocument): void {
    who.noticed(problem);
    if (problem.code === unreachable) link.reachable = false;
    // The store's rules have changed since the page heard of them.
    if (problem.code === 'pos_receipt_required') void link.refresh();
    if (problem.code === 'quote_unknown' && this.member) this.#rescan();
    this.refusal = problem;
    play('refused');
  }

  /** clear ends this sale, recorded or not, and makes room for the next shopper. */
  clear(): void {
    if (this.phase === 'committing' || this.phase === 'unknown') return;
    clearTimeout(this.#timer);
    this.#turn++;
    this.#nextKey();
    this.phase = 'idle';
    this.member = this.quote = this.refusal = this.sale = this.claimCode = this.news = undefined;
    this.voucherScans = [];
    this.amount = this.receipt = '';
    this.wishes = nothing();
    this.quoting = this.found = false;
    this.#approval = undefined;
  }
}

export const counter = new Counter();
