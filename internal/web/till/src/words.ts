import type { Catalog } from '@tallystick/kit/i18n/catalog.ts';
import { commonEn, commonPl, commonTr } from '@tallystick/kit/i18n/common.ts';
import { Speech } from '@tallystick/kit/i18n/speech.svelte.ts';

const en = { ...commonEn, title: 'Tallystick' };
const tr: Catalog<typeof en> = { ...commonTr, title: 'Tallystick' };
const pl: Catalog<typeof en> = { ...commonPl, title: 'Tallystick' };

/** Everything this page says. */
export const speech = new Speech({ en, tr, pl });
