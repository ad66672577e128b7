import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listen } from '../src/scan/wedge.ts';

let clock: number;
let timers: { at: number; call: () => void }[];
let scans: { text: string; field: string | undefined }[];
let stop: () => void;
let field: HTMLInputElement;
let inputs: string[];

beforeEach(() => {
  clock = 1_000;
  timers = [];
  scans = [];
  inputs = [];
  document.body.innerHTML = '<input id="amount"><button id="b">x</button>';
  field = document.querySelector('input')!;
  field.addEventListener('input', () => inputs.push(field.value));
  stop = listen(window, {
    onScan: (text, at) => scans.push({ text, field: at?.id || undefined }),
    now: () => clock,
    later: (ms, call) => {
      const timer = { at: clock + ms, call };
      timers.push(timer);
      return () => (timers = timers.filter((t) => t !== timer));
    },
  });
});
afterEach(() => stop());

function pass(ms: number) {
  clock += ms;
  for (const timer of timers.filter((t) => t.at <= clock)) {
    timers = timers.filter((t) => t !== timer);
    timer.call();
  }
}

/** press sends a key as a browser would: what is not prevented falls into the field with the focus. */
function press(key: string, gap: number, more: KeyboardEventInit = {}): boolean {
  pass(gap);
  const target = document.activeElement ?? document.body;
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more });
  target.dispatchEvent(event);
  if (!event.defaultPrevented && key.length === 1 && target instanceof HTMLInputElement && !more.ctrlKey) {
    target.value += key;
    target.dispatchEvent(new Event('input', { bubbles: true }));
  }
  return event.defaultPrevented;
}

function type(text: string, gap: number) {
  for (const key of text) press(key, gap);
}

const code = 'TS1ZY0123456789';

describe('a wedge scanner', () => {
  it('is heard with no field in focus', () => {
    type(code, 4);
    expect(press('Enter', 4)).toBe(true);
    expect(scans).toEqual([{ text: code, field: undefined }]);
  });

  it('leaves the field it fell into as it was', () => {
    field.focus();
    type('12.50', 200);
    pass(500);
    type(code, 4);
    press('Enter', 4);
    expect(scans).toEqual([{ text: code, field: 'amount' }]);
    expect(field.value).toBe('12.50');
    expect(inputs.at(-1)).toBe('12.50');
  });

  it('keeps an Enter from pressing the button in focus', () => {
    document.querySelector('button')!.focus();
    type(code, 10);
    expect(press('Enter', 10)).toBe(true);
  });

  it('ends with a Tab, or with silence', () => {
    type(code, 4);
    press('Tab', 4);
    type(code, 4);
    pass(500);
    expect(scans).toHaveLength(2);
  });

  it('hears two scans in one second', () => {
    type(code, 4);
    press('Enter', 4);
    pass(300);
    type(code + 'X', 4);
    press('Enter', 4);
    expect(scans.map((s) => s.text)).toEqual([code, code + 'X']);
  });

  it('hears two scans without Enter apart', () => {
    type(code, 4);
    pass(60);
    type(code + 'X', 4);
    press('Enter', 4);
    expect(scans.map((s) => s.text)).toEqual([code, code + 'X']);
  });

  it('passes over Shift and swallows control keys', () => {
    for (const key of code) {
      press('Shift', 1);
      press(key, 1);
    }
    expect(press('j', 1, { ctrlKey: true })).toBe(true);
    press('Enter', 1);
    expect(scans).toEqual([{ text: code, field: undefined }]);
  });

  it('does not grow without end', () => {
    type('A'.repeat(5_000), 1);
    press('Enter', 1);
    expect(scans[0]!.text).toHaveLength(2_048);
  });
});

describe('a person', () => {
  it('types what they type', () => {
    field.focus();
    type('1234567890.50', 90);
    expect(press('Enter', 90)).toBe(false);
    expect(field.value).toBe('1234567890.50');
    expect(scans).toEqual([]);
  });

  it('may roll over some keys', () => {
    field.focus();
    type('1250', 20);
    pass(300);
    type('1250', 20);
    expect(press('Enter', 50)).toBe(false);
    expect(field.value).toBe('12501250');
    expect(scans).toEqual([]);
  });

  it('may hold a key down', () => {
    field.focus();
    press('5', 100);
    for (let i = 0; i < 40; i++) press('5', 30, { repeat: true });
    expect(scans).toEqual([]);
    expect(press('Enter', 100)).toBe(false);
  });
});

it('stops when told', () => {
  stop();
  type(code, 4);
  press('Enter', 4);
  expect(scans).toEqual([]);
});
