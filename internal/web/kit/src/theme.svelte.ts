export const themes = ['system', 'light', 'dark'] as const;
export type ThemeName = (typeof themes)[number];

const storageKey = 'tallystick-theme';

class Theme {
  #name: ThemeName = $state('system');

  constructor() {
    const kept = localStorage.getItem(storageKey);
    this.#show(themes.find((t) => t === kept) ?? 'system');
  }

  get name(): ThemeName {
    return this.#name;
  }

  /** choose changes the appearance and remembers it on this device. */
  choose(name: ThemeName): void {
    localStorage.setItem(storageKey, name);
    this.#show(name);
  }

  #show(name: ThemeName): void {
    this.#name = name;
    if (name === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = name;
  }
}

/** The appearance of this page: as the device has it, light or dark. */
export const theme = new Theme();
