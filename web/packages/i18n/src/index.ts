// Words in five languages and the formats that go with them.
import i18next from 'i18next';
import { initReactI18next, useTranslation } from 'react-i18next';

import { fmt, setPlace } from './fmt';
import type contacts from '../locales/en/contacts.json';
import type https from '../locales/en/https.json';
import type system from '../locales/en/system.json';
import { areas, type Area } from './areas';
import type { Language } from './languages';
import type english from './languages/en';

export { browserZone, countries, fmt, setPlace, timeZones } from './fmt';
export { browserLanguage, isLanguage, languageNames, languages, type Language } from './languages';
export { useTranslation };
export type { Area } from './areas';
export type { TFunction } from 'i18next';

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation';
    resources: {
      translation: typeof english & {
        contacts: typeof contacts;
        https: typeof https;
        system: typeof system;
      };
    };
  }
}

const loaders: Record<Language, () => Promise<{ default: object }>> = {
  en: () => import('./languages/en'),
  uk: () => import('./languages/uk'),
  ru: () => import('./languages/ru'),
  uz: () => import('./languages/uz'),
  vi: () => import('./languages/vi'),
};

/** Fetches the language's words if they are not here yet and shows the page in it. */
export async function speak(language: Language): Promise<void> {
  if (!i18next.isInitialized) {
    await i18next.use(initReactI18next).init({
      lng: language,
      // Catalogues are held complete by tools/check-i18n.mjs, so nothing ever falls back.
      fallbackLng: false,
      resources: {},
      interpolation: { escapeValue: false },
      react: { useSuspense: false },
    });
    i18next.services.formatter?.add('number', (value: number) => fmt.number(value));
    i18next.services.formatter?.add('bytes', (value: number) => fmt.bytes(value));
    i18next.services.formatter?.add('phone', (value: string) => fmt.phone(value));
    i18next.services.formatter?.add('moment', (value: string) => fmt.brief(value));
  }
  if (!i18next.hasResourceBundle(language, 'translation')) {
    const words = await loaders[language]();
    i18next.addResourceBundle(language, 'translation', words.default);
  }
  await fetchAreas(language);
  setPlace({ language });
  document.documentElement.lang = language;
  await i18next.changeLanguage(language);
}

const wanted = new Set<Area>();

/** Fetches words that only some pages need, now and whenever the language changes. */
export async function learn(area: Area): Promise<void> {
  wanted.add(area);
  await fetchAreas(i18next.language as Language);
}

async function fetchAreas(language: Language): Promise<void> {
  for (const area of wanted) {
    if (i18next.getResource(language, 'translation', area) !== undefined) continue;
    const words = await areas[area][language]();
    i18next.addResourceBundle(language, 'translation', { [area]: words.default }, true);
  }
}

/** Words for a key that is only known at run time, or null when the catalogue lacks it. */
export function wordsFor(key: string, params?: Record<string, unknown>): string | null {
  const lookup = i18next as unknown as {
    exists(key: string, params?: object): boolean;
    t(key: string, params?: object): string;
  };
  return lookup.exists(key, params) ? lookup.t(key, params) : null;
}
