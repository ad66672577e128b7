// A barcode scanner that acts as a keyboard types its code in one burst, wherever the
// focus is. These bursts are told from a person's typing by their pace alone.

/** The longest gap between two keys of a burst, in milliseconds. People do not keep this up for long. */
const maxGap = 35;
/** So many fast keys make a burst; from then on nothing of it reaches the page. */
const minLength = 8;
/** A burst without an Enter or a Tab ends after so many milliseconds of silence: long enough for a slow till. */
const silence = 400;
/** Longer than any code of ours; what is beyond is dropped. */
const maxLength = 2_048;

export interface WedgeOptions {
  /** Gets each code, and the field that had the focus while it came. */
  onScan: (text: string, field: Element | null) => void;
  /** The time of a key in milliseconds; missing: when the device sent it. */
  now?: (event: KeyboardEvent) => number;
  /** Calls back after a while; missing: setTimeout. Returns how to take it back. */
  later?: (ms: number, callback: () => void) => () => void;
}

/** What a text field held before a burst began to fall into it. */
interface Before {
  field: HTMLInputElement | HTMLTextAreaElement;
  value: string;
}

function before(field: Element | null): Before | undefined {
  if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) return { field, value: field.value };
  return undefined;
}

/** listen takes scans from `target` until the returned function is called. */
export function listen(target: Window | HTMLElement, options: WedgeOptions): () => void {
  const now = options.now ?? ((event) => event.timeStamp);
  const later =
    options.later ??
    ((ms, callback) => {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    });
  let text = '';
  let last = -Infinity;
  let kept: Before | undefined;
  let cancel = () => {};

  const isBurst = () => text.length >= minLength;
  const forget = () => {
    cancel();
    text = '';
    kept = undefined;
    last = -Infinity;
  };
  const finish = () => {
    const scanned = text;
    const field = document.activeElement;
    forget();
    options.onScan(scanned, field);
  };
  // What fell into the field before the burst was known as one is taken out again.
  const restore = () => {
    if (!kept) return;
    kept.field.value = kept.value;
    kept.field.dispatchEvent(new Event('input', { bubbles: true }));
    kept = undefined;
  };
  const swallow = (event: Event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
  };

  const onKey = (raw: Event) => {
    const event = raw as KeyboardEvent;
    if (event.repeat) return;
    if (event.key === 'Enter' || event.key === 'Tab') {
      if (isBurst() && now(event) - last <= silence) {
        swallow(event);
        finish();
      } else {
        forget();
      }
      return;
    }
    // Scanners press Shift for capitals, and some send a control character at the end.
    if (event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey) {
      if (isBurst()) swallow(event);
      return;
    }
    const at = now(event);
    if (at - last > maxGap) {
      if (isBurst()) finish();
      text = '';
      kept = before(document.activeElement);
    }
    last = at;
    if (text.length < maxLength) text += event.key;
    if (!isBurst()) return;
    restore();
    swallow(event);
    cancel();
    cancel = later(silence, finish);
  };

  target.addEventListener('keydown', onKey, { capture: true });
  return () => {
    forget();
    target.removeEventListener('keydown', onKey, { capture: true });
  };
}
