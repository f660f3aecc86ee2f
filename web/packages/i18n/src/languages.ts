// The five languages, and how each is fetched: one chunk per language, only the one in use.
export const languages = ['en', 'uk', 'ru', 'uz', 'vi'] as const;
export type Language = (typeof languages)[number];

/** Every language in its own words. */
export const languageNames: Record<Language, string> = {
  en: 'English',
  uk: 'Українська',
  ru: 'Русский',
  uz: 'Oʻzbekcha',
  vi: 'Tiếng Việt',
};

export const isLanguage = (value: unknown): value is Language =>
  languages.some((language) => language === value);

/** The first language of the browser that we speak. */
export function browserLanguage(): Language {
  for (const wish of navigator.languages) {
    const short = wish.slice(0, 2).toLowerCase();
    if (isLanguage(short)) return short;
  }
  return 'en';
}
