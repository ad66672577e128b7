import type { Component } from 'svelte';
import Audit from './pages/Audit.svelte';
import Books from './pages/Books.svelte';
import Branding from './pages/Branding.svelte';
import Days from './pages/Days.svelte';
import Exceptions from './pages/Exceptions.svelte';
import Home from './pages/Home.svelte';
import Journal from './pages/Journal.svelte';
import Liability from './pages/Liability.svelte';
import Mails from './pages/Mails.svelte';
import Members from './pages/Members.svelte';
import Passes from './pages/Passes.svelte';
import People from './pages/People.svelte';
import Policy from './pages/Policy.svelte';
import Rewards from './pages/Rewards.svelte';
import Settlement from './pages/Settlement.svelte';
import Statements from './pages/Statements.svelte';
import Stores from './pages/Stores.svelte';
import Terminals from './pages/Terminals.svelte';
import Tiers from './pages/Tiers.svelte';
import Vouchers from './pages/Vouchers.svelte';
import type { en } from './words/en.ts';

/** Page is one page of the console; `rest` is what follows its path, in parts. */
export interface Page {
  nav: Exclude<keyof typeof en.nav, 'label'>;
  path: string;
  component: Component<{ rest: string[] }>;
  /** Only who may change this area is led to it. */
  area?: string;
}

/** plain is a page that has nothing behind its path. */
const plain = (page: unknown) => page as Component<{ rest: string[] }>;

export const pages: Page[] = [
  { nav: 'home', path: '/console', component: plain(Home) },
  { nav: 'stores', path: '/console/stores', component: Stores },
  { nav: 'terminals', path: '/console/terminals', component: plain(Terminals) },
  { nav: 'days', path: '/console/days', component: Days },
  { nav: 'liability', path: '/console/liability', component: plain(Liability) },
  { nav: 'settlement', path: '/console/settlement', component: plain(Settlement) },
  { nav: 'books', path: '/console/books', component: plain(Books) },
  { nav: 'members', path: '/console/members', component: Members },
  { nav: 'journal', path: '/console/journal', component: Journal },
  { nav: 'exceptions', path: '/console/exceptions', component: Exceptions },
  { nav: 'statements', path: '/console/statements', component: Statements },
  { nav: 'rewards', path: '/console/rewards', component: plain(Rewards) },
  { nav: 'tiers', path: '/console/tiers', component: plain(Tiers) },
  { nav: 'vouchers', path: '/console/vouchers', component: plain(Vouchers) },
  { nav: 'passes', path: '/console/passes', component: plain(Passes) },
  { nav: 'policy', path: '/console/policy', component: plain(Policy) },
  { nav: 'branding', path: '/console/branding', component: plain(Branding) },
  { nav: 'audit', path: '/console/audit', component: plain(Audit) },
  { nav: 'mails', path: '/console/mails', component: plain(Mails), area: 'trust' },
  { nav: 'people', path: '/console/people', component: plain(People), area: 'people' },
];

/** where finds the page of a path, and what follows in it. */
export function where(path: string): { page: Page | undefined; rest: string[] } {
  const [, , first = '', ...rest] = path.replace(/\/+$/, '').split('/');
  const page = pages.find((p) => p.path === (first ? `/console/${first}` : '/console'));
  return { page, rest };
}
