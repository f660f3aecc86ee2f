// Words in five languages and the formats that go with them.
import i18next from 'i18next';
import { initReactI18next, useTranslation } from 'react-i18next';

import { fmt, setPlace } from './fmt';
import { isLanguage, type Language } from './languages';
import type english from './languages/en';
import type https from '../locales/en/https.json';

export { browserZone, countries, fmt, setPlace, timeZones } from './fmt';
export { browserLanguage, isLanguage, languageNames, languages, type Language } from './languages';
export { useTranslation };
export type { TFunction } from 'i18next';

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'translation';
    resources: { translation: typeof english & { https: typeof https } };
  }
}

const loaders: Record<Language, () => Promise<{ default: object }>> = {
  en: () => import('./languages/en'),
  uk: () => import('./languages/uk'),
  ru: () => import('./languages/ru'),
  uz: () => import('./languages/uz'),
  vi: () => import('./languages/vi'),
};

/** Words that only one screen needs: they come with it, not with the first page. */
const areas = {
  https: {
    en: () => import('../locales/en/https.json'),
    uk: () => import('../locales/uk/https.json'),
    ru: () => import('../locales/ru/https.json'),
    uz: () => import('../locales/uz/https.json'),
    vi: () => import('../locales/vi/https.json'),
  },
} satisfies Record<string, Record<Language, () => Promise<{ default: object }>>>;
type Area = keyof typeof areas;
const learned = new Set<Area>();
/** Done when the language that was chosen last is spoken. */
let speaking: Promise<void> = Promise.resolve();

async function fetchArea(area: Area, language: Language): Promise<void> {
  const words = await areas[area][language]();
  i18next.addResourceBundle(language, 'translation', { [area]: words.default }, true);
}

/** Fetches the words of an area, in this language and in any that is spoken later. */
export async function learn(area: Area): Promise<void> {
  learned.add(area);
  await speaking;
  if (isLanguage(i18next.language)) await fetchArea(area, i18next.language);
}

/** Fetches the language's words if they are not here yet and shows the page in it. */
export function speak(language: Language): Promise<void> {
  speaking = change(language);
  return speaking;
}

async function change(language: Language): Promise<void> {
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
  await Promise.all([...learned].map((area) => fetchArea(area, language)));
  setPlace({ language });
  document.documentElement.lang = language;
  await i18next.changeLanguage(language);
}

/** Words for a key that is only known at run time, or null when the catalogue lacks it. */
export function wordsFor(key: string, params?: Record<string, unknown>): string | null {
  const lookup = i18next as unknown as {
    exists(key: string, params?: object): boolean;
    t(key: string, params?: object): string;
  };
  return lookup.exists(key, params) ? lookup.t(key, params) : null;
}
