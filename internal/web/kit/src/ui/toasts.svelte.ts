export interface Toast {
  id: number;
  text: string;
  tone: 'good' | 'warn' | 'bad';
}

/** How long a toast stays; a refusal is no toast, it stays on the page until it is dealt with. */
const shownFor = 6_000;

class ToastList {
  list: Toast[] = $state([]);
  #next = 0;

  show(text: string, tone: Toast['tone'] = 'good'): void {
    const id = this.#next++;
    this.list.push({ id, text, tone });
    setTimeout(() => this.dismiss(id), shownFor);
  }

  dismiss(id: number): void {
    this.list = this.list.filter((t) => t.id !== id);
  }
}

/** Short messages about what went well, for Toasts.svelte to show. */
export const toasts = new ToastList();
