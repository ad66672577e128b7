// What the parts of the kit say themselves, in the three languages.
import type { Catalog } from './catalog.ts';

export const commonEn = {
  close: 'Close',
  cancel: 'Cancel',
  back: 'Back',
  retry: 'Try again',
  language: 'Language',
  theme: 'Appearance',
  themes: { system: 'As the device', light: 'Light', dark: 'Dark' },
  loading: 'Loading…',
  table: {
    first: 'First page',
    next: 'Next page',
    rows: { one: '{n} row', other: '{n} rows' },
    empty: 'Nothing here yet.',
    sortBy: 'Sort by {column}',
  },
  failed: 'That did not work.',
  offline: 'The other side does not answer. Check the network, then try again.',
};

export const commonTr: Catalog<typeof commonEn> = {
  close: 'Kapat',
  cancel: 'Vazgeç',
  back: 'Geri',
  retry: 'Yeniden dene',
  language: 'Dil',
  theme: 'Görünüm',
  themes: { system: 'Cihaz ayarı', light: 'Açık', dark: 'Koyu' },
  loading: 'Yükleniyor…',
  table: {
    first: 'İlk sayfa',
    next: 'Sonraki sayfa',
    rows: { one: '{n} satır', other: '{n} satır' },
    empty: 'Burada henüz bir şey yok.',
    sortBy: '{column} sütununa göre sırala',
  },
  failed: 'Bu işlem olmadı.',
  offline: 'Karşı taraf yanıt vermiyor. Ağı denetleyin, sonra yeniden deneyin.',
};

export const commonPl: Catalog<typeof commonEn> = {
  close: 'Zamknij',
  cancel: 'Anuluj',
  back: 'Wstecz',
  retry: 'Spróbuj ponownie',
  language: 'Język',
  theme: 'Wygląd',
  themes: { system: 'Jak w urządzeniu', light: 'Jasny', dark: 'Ciemny' },
  loading: 'Wczytywanie…',
  table: {
    first: 'Pierwsza strona',
    next: 'Następna strona',
    rows: { one: '{n} wiersz', few: '{n} wiersze', many: '{n} wierszy', other: '{n} wiersza' },
    empty: 'Jeszcze nic tu nie ma.',
    sortBy: 'Sortuj według: {column}',
  },
  failed: 'Nie udało się.',
  offline: 'Druga strona nie odpowiada. Sprawdź sieć i spróbuj ponownie.',
};
