import { hqClient } from '@tallystick/kit/api/client.ts';
import type { components } from '@tallystick/kit/api/gen/hq.d.ts';

export type Card = components['schemas']['Card'];
export type Line = components['schemas']['CardLine'];
export type Purpose = components['schemas']['CardPurpose'];
export type Store = components['schemas']['CardStore'];
export type Wallets = components['schemas']['CardWallets'];
export type Gift = components['schemas']['CardGift'];

export const hq = hqClient();

/** The version of the words that stand beside each purpose; kept with each consent. */
export const wording = '2026-11';
