import type { Component } from 'svelte';
import Days from './pages/Days.svelte';
import Exceptions from './pages/Exceptions.svelte';
import Home from './pages/Home.svelte';
import Journal from './pages/Journal.svelte';
import Members from './pages/Members.svelte';
import Stores from './pages/Stores.svelte';
import Terminals from './pages/Terminals.svelte';
import type { en } from './words/en.ts';

/** Page is one page of the console; `rest` is what follows its path, in parts. */
export interface Page {
  nav: Exclude<keyof typeof en.nav, 'label'>;
  path: string;
  /** What shows it, or what fetches that: pages that are asked for rarely come when they are. */
  component?: Component<{ rest: string[] }>;
  load?: () => Promise<{ default: Component<{ rest: string[] }> }>;
  /** Only who may change this area is led to it. */
  area?: string;
}

/** plain is a page that has nothing behind its path. */
const plain = (page: unknown) => page as Component<{ rest: string[] }>;

/** later is a page that is fetched when it is asked for. */
const later = (load: () => Promise<{ default: unknown }>) => load as NonNullable<Page['load']>;

export const pages: Page[] = [
  { nav: 'home', path: '/console', component: plain(Home) },
  { nav: 'stores', path: '/console/stores', component: Stores },
  { nav: 'terminals', path: '/console/terminals', component: plain(Terminals) },
  { nav: 'days', path: '/console/days', component: Days },
  { nav: 'liability', path: '/console/liability', load: later(() => import('./pages/Liability.svelte')) },
  { nav: 'settlement', path: '/console/settlement', load: later(() => import('./pages/Settlement.svelte')) },
  { nav: 'statements', path: '/console/statements', load: later(() => import('./pages/Statements.svelte')) },
  { nav: 'books', path: '/console/books', load: later(() => import('./pages/Books.svelte')) },
  { nav: 'members', path: '/console/members', component: Members },
  { nav: 'journal', path: '/console/journal', component: Journal },
  { nav: 'exceptions', path: '/console/exceptions', component: Exceptions },
  { nav: 'rewards', path: '/console/rewards', load: later(() => import('./pages/Rewards.svelte')) },
  { nav: 'tiers', path: '/console/tiers', load: later(() => import('./pages/Tiers.svelte')) },
  { nav: 'vouchers', path: '/console/vouchers', load: later(() => import('./pages/Vouchers.svelte')) },
  { nav: 'passes', path: '/console/passes', load: later(() => import('./pages/Passes.svelte')) },
  { nav: 'policy', path: '/console/policy', load: later(() => import('./pages/Policy.svelte')) },
  { nav: 'branding', path: '/console/branding', load: later(() => import('./pages/Branding.svelte')) },
  { nav: 'audit', path: '/console/audit', load: later(() => import('./pages/Audit.svelte')) },
  { nav: 'mails', path: '/console/mails', load: later(() => import('./pages/Mails.svelte')), area: 'trust' },
  { nav: 'people', path: '/console/people', load: later(() => import('./pages/People.svelte')), area: 'people' },
];

/** where finds the page of a path, and what follows in it. */
export function where(path: string): { page: Page | undefined; rest: string[] } {
  const [, , first = '', ...rest] = path.replace(/\/+$/, '').split('/');
  const page = pages.find((p) => p.path === (first ? `/console/${first}` : '/console'));
  return { page, rest };
}
