import type { ProblemDocument } from '@tallystick/kit/api/problem.ts';
import { agent, problemOf, type ApprovalRequest, type Cashier } from './agent.ts';

/** An approval that is being asked for: the dialog shows it until a manager answers. */
interface Asking {
  what: Omit<ApprovalRequest, 'manager' | 'pin'>;
  answer: (approval: string | undefined) => void;
}

/** Who is who stands at the till, and the managers who approve. */
class Who {
  list: Cashier[] = $state([]);
  /** Nothing can be sold before somebody is signed in. */
  required = $state(false);
  current: Cashier | undefined = $state();
  /** The session is for practice: nothing is recorded. */
  training = $state(false);
  asking: Asking | undefined = $state();

  get managers(): Cashier[] {
    return this.list.filter((c) => c.role === 'manager');
  }

  /** Whether the page must ask for a cashier before anything else. */
  get missing(): boolean {
    return this.required && !this.current;
  }

  /** refresh asks who there is and who is signed in. */
  async refresh(): Promise<void> {
    try {
      const list = await agent.cashiers();
      this.list = list.cashiers;
      this.required = list.sign_in_required;
      const session = await agent.session();
      this.current = session.cashier;
      this.training = session.training ?? false;
      this.#owner = `${session.cashier.id} ${this.training}`;
    } catch (err) {
      problemOf(err);
      this.#nobody();
    }
  }

  /** Whose basket it is: the last who was signed in, and whether in training. */
  #owner = '';

  /**
   * signIn returns why not; undefined when the cashier is signed in. `onChange` is called
   * when it is somebody else than before, who must not go on with what is on the screen.
   */
  async signIn(
    cashier: string,
    pin: string,
    training: boolean,
    onChange: () => void,
  ): Promise<ProblemDocument | undefined> {
    try {
      const session = await agent.signIn(cashier, pin, training);
      this.current = session.cashier;
      this.training = session.training ?? false;
      const owner = `${cashier} ${this.training}`;
      if (this.#owner !== '' && this.#owner !== owner) onChange();
      this.#owner = owner;
      return undefined;
    } catch (err) {
      return problemOf(err);
    }
  }

  async signOut(): Promise<void> {
    try {
      await agent.signOut();
    } catch (err) {
      problemOf(err);
    }
    this.#nobody();
  }

  #nobody(): void {
    this.current = undefined;
    this.training = false;
  }

  /** approve answers what is being asked; it returns why not. */
  async approve(manager: string, pin: string): Promise<ProblemDocument | undefined> {
    const asking = this.asking;
    if (!asking) return undefined;
    try {
      const approval = await agent.approve({ ...asking.what, manager, pin });
      this.asking = undefined;
      asking.answer(approval.id);
      return undefined;
    } catch (err) {
      return problemOf(err);
    }
  }

  /** giveUp ends the asking without an approval. */
  giveUp(): void {
    this.asking?.answer(undefined);
    this.asking = undefined;
  }

  /**
   * withApproval makes a call, and once more with a manager's approval when the agent
   * asks for one. It throws what the call throws.
   */
  async withApproval<T>(what: Asking['what'], call: (approval?: string) => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (err) {
      if (problemOf(err).code !== 'approval_required') throw err;
      const approval = await new Promise<string | undefined>((answer) => (this.asking = { what, answer }));
      if (!approval) throw err;
      return call(approval);
    }
  }

  /** noticed reads a refusal for what it says about the session. */
  noticed(problem: ProblemDocument): void {
    if (problem.code === 'cashier_session_ended' || problem.code === 'cashier_required') {
      this.#nobody();
      this.required ||= problem.code === 'cashier_required';
      void this.refresh();
    }
  }
}

export const who = new Who();
