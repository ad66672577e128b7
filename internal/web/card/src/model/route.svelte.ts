/** Where the shopper is on this page; it stands behind the # of the address. */
export const tabs = ['code', 'points', 'history', 'me'] as const;
export type Tab = (typeof tabs)[number];

class Route {
  #hash = $state(location.hash);

  constructor() {
    addEventListener('hashchange', () => (this.#hash = location.hash));
  }

  get #parts(): string[] {
    return this.#hash.replace(/^#\/?/, '').split('/');
  }

  get tab(): Tab {
    return tabs.find((t) => t === this.#parts[0]) ?? 'code';
  }

  /** The secret of a link from a mail. */
  get secret(): string | undefined {
    const [first, secret] = this.#parts;
    return first === 'open' && secret ? secret : undefined;
  }

  /** The secret of a voucher that somebody sent. */
  get gift(): string | undefined {
    const [first, gift] = this.#parts;
    return first === 'gift' && gift ? gift : undefined;
  }

  /** go opens a tab; the secret of a link does not stay in the history. */
  go(tab: Tab): void {
    if (this.secret) history.replaceState(null, '', `#/${tab}`);
    else location.hash = `#/${tab}`;
    this.#hash = `#/${tab}`;
  }
}

export const route = new Route();

/** The store whose code brought the shopper here. */
export function storeOfAddress(): string | undefined {
  const store = new URLSearchParams(location.search).get('store') ?? '';
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(store) ? store : undefined;
}
