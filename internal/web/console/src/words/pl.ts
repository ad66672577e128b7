import type { Catalog } from '@tallystick/kit/i18n/catalog.ts';
import { commonPl } from '@tallystick/kit/i18n/common.ts';
import { books } from './pl/books.ts';
import { branding } from './pl/branding.ts';
import { cases } from './pl/cases.ts';
import { columns } from './pl/columns.ts';
import { days } from './pl/days.ts';
import { fleet } from './pl/fleet.ts';
import { frame } from './pl/frame.ts';
import { members } from './pl/members.ts';
import { owed } from './pl/owed.ts';
import { passes } from './pl/passes.ts';
import { people } from './pl/people.ts';
import { policy } from './pl/policy.ts';
import { settlement } from './pl/settlement.ts';
import { posbooks } from './pl/posbooks.ts';
import { statements } from './pl/statements.ts';
import { tiers } from './pl/tiers.ts';
import type { Words } from './en.ts';

const words: Catalog<Words> = {
  ...commonPl,
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
