import type { Catalog } from '@tallystick/kit/i18n/catalog.ts';
import { commonTr } from '@tallystick/kit/i18n/common.ts';
import { books } from './tr/books.ts';
import { branding } from './tr/branding.ts';
import { cases } from './tr/cases.ts';
import { columns } from './tr/columns.ts';
import { days } from './tr/days.ts';
import { fleet } from './tr/fleet.ts';
import { frame } from './tr/frame.ts';
import { members } from './tr/members.ts';
import { owed } from './tr/owed.ts';
import { passes } from './tr/passes.ts';
import { people } from './tr/people.ts';
import { policy } from './tr/policy.ts';
import { settlement } from './tr/settlement.ts';
import { posbooks } from './tr/posbooks.ts';
import { statements } from './tr/statements.ts';
import { tiers } from './tr/tiers.ts';
import type { Words } from './en.ts';

const words: Catalog<Words> = {
  ...commonTr,
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
export default words;
