import { commonEn } from '@tallystick/kit/i18n/common.ts';
import { books } from './en/books.ts';
import { branding } from './en/branding.ts';
import { cases } from './en/cases.ts';
import { columns } from './en/columns.ts';
import { days } from './en/days.ts';
import { fleet } from './en/fleet.ts';
import { frame } from './en/frame.ts';
import { members } from './en/members.ts';
import { owed } from './en/owed.ts';
import { passes } from './en/passes.ts';
import { people } from './en/people.ts';
import { policy } from './en/policy.ts';
import { settlement } from './en/settlement.ts';
import { posbooks } from './en/posbooks.ts';
import { statements } from './en/statements.ts';
import { tiers } from './en/tiers.ts';

/** What the console says, in English; the other languages have the same shape. */
export const en = {
  ...commonEn,
  ...frame,
  ...fleet,
  ...members,
  ...books,
  ...policy,
  ...posbooks,
  ...tiers,
  ...settlement,
  ...passes,
  ...people,
  ...branding,
  ...columns,
  ...cases,
  ...days,
  ...owed,
  ...statements,
};

export type Words = typeof en;
