/** Attempt is something a person asks for: whether it is under way, and what went wrong the last time. */
export class Attempt {
  #busy = $state(false);
  #failed: unknown = $state.raw();

  get busy(): boolean {
    return this.#busy;
  }

  /** What the last attempt threw. */
  get failed(): unknown {
    return this.#failed;
  }

  /** forget forgets what went wrong. */
  forget(): void {
    this.#failed = undefined;
  }

  /** run does it unless it is under way already, and says whether it was done. */
  async run(what: () => Promise<unknown>): Promise<boolean> {
    if (this.#busy) return false;
    this.#busy = true;
    this.#failed = undefined;
    try {
      await what();
      return true;
    } catch (err) {
      this.#failed = err;
      return false;
    } finally {
      this.#busy = false;
    }
  }
}
