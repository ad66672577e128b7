/**
 * The query of the page's address as state: tables and filters keep themselves in it,
 * so that a link or a reload shows the same.
 */
class Address {
  #query = $state(new URLSearchParams(location.search));
  #path = $state(location.pathname);

  /** Asked before another page is opened; false stays. Whoever sets it takes it away again. */
  leave: (() => boolean) | undefined;

  constructor() {
    addEventListener('popstate', () => {
      if (location.pathname !== this.#path && this.leave?.() === false) history.pushState(null, '', this.with({}));
      else this.#read();
    });
  }

  #read(): void {
    this.#query = new URLSearchParams(location.search);
    this.#path = location.pathname;
  }

  get path(): string {
    return this.#path;
  }

  get(name: string): string | undefined {
    return this.#query.get(name) ?? undefined;
  }

  /** with is this address with other parameters; an undefined or empty value removes one. */
  with(values: Record<string, string | undefined>): string {
    const query = new URLSearchParams(this.#query);
    for (const [name, value] of Object.entries(values)) {
      if (value) query.set(name, value);
      else query.delete(name);
    }
    const text = query.toString();
    return this.#path + (text ? `?${text}` : '');
  }

  /** set changes parameters in place, without a step in the history. */
  set(values: Record<string, string | undefined>): void {
    history.replaceState(null, '', this.with(values));
    this.#read();
  }

  /** go opens another address of this page, and says whether it did. */
  go(to: string): boolean {
    if (new URL(to, location.href).pathname !== this.#path && this.leave?.() === false) return false;
    history.pushState(null, '', to);
    this.#read();
    return true;
  }
}

export const address = new Address();
