import { expect, it } from 'vitest';
import table from '../../../problem/table.go?raw';
import en from '../src/words/problems.en.ts';
import pl from '../src/words/problems.pl.ts';
import tr from '../src/words/problems.tr.ts';

/**
 * Codes that only HQ and terminals say to each other or to people at HQ; no till page
 * shows them. All others need a sentence in src/words/problems.*.ts.
 */
const atHQ =
  /^(wire_|batch_|journal_fork|decompression_|proof_|cursor_expired|backpressure|enrol_code|enrolment_|store_unknown|export_|sign_in_failed|name_taken|state_conflict|account_same|unit_|too_many_rows|gift_|second_person_|file_unreadable|day_too_full)/;

// The table of the agent's codes, as Go has it: `Name Code = "value"`, and `Name: {status, "title", "say"}`.
const codes = new Map([...table.matchAll(/^\s+(\w+)\s+Code = "(\w+)"/gm)].map((m) => [m[1]!, m[2]!]));
const spoken = [...table.matchAll(/^\s+(\w+):\s+\{\d+, "[^"]*", "(.*)"\},/gm)]
  .filter((m) => m[2] !== '')
  .map((m) => codes.get(m[1]!)!);

it('has a sentence in every language for what the agent may refuse', () => {
  const needed = spoken.filter((code) => !atHQ.test(code));
  expect(needed.length).toBeGreaterThan(70);
  for (const sentences of [en, tr, pl]) {
    expect(needed.filter((code) => !(code in sentences))).toEqual([]);
  }
});

it('has no sentence for a code that is no more', () => {
  const own = ['unreachable', 'sale_not_recorded'];
  const known = new Set([...codes.values(), ...own]);
  expect(Object.keys(en).filter((code) => !known.has(code))).toEqual([]);
});
