// The card of the pages before sign-in, with the choice of language.
import { isLanguage, languageNames, languages, speak, useTranslation } from '@switchbell/i18n';
import { Menu } from '@switchbell/ui';
import { Languages } from 'lucide-react';
import { useEffect, type ReactNode } from 'react';

import { remember } from '../../shared/session';
import css from './AuthFrame.module.css';

export function AuthFrame({
  title,
  text,
  wide = false,
  children,
}: {
  title: string;
  text?: ReactNode;
  wide?: boolean;
  children: ReactNode;
}) {
  const { t, i18n } = useTranslation();
  useEffect(() => {
    document.title = `${title} · Switchbell`;
  }, [title]);
  const current = isLanguage(i18n.language) ? i18n.language : 'en';
  return (
    <div className={css.frame}>
      <header className={css.top}>
        <span className={css.brand}>
          <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
            <rect width="32" height="32" rx="8" className={css.mark} />
            <path
              d="M16 6a1.8 1.8 0 0 0-1.8 1.8v.5A6.8 6.8 0 0 0 9.2 15v4.2L7.4 22a.9.9 0 0 0 .8 1.4h15.6a.9.9 0 0 0 .8-1.4l-1.8-2.8V15a6.8 6.8 0 0 0-5-6.6v-.6A1.8 1.8 0 0 0 16 6Zm-2.6 18.8a2.7 2.7 0 0 0 5.2 0Z"
              className={css.bell}
            />
          </svg>
          Switchbell
        </span>
        <Menu position="bottom-end" width={200}>
          <Menu.Target>
            <button
              type="button"
              className={css.language}
              aria-label={t('auth.language_is', { language: languageNames[current] })}
            >
              <Languages size={16} aria-hidden="true" />
              {languageNames[current]}
            </button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.RadioGroup
              value={current}
              onChange={(language) => {
                if (!isLanguage(language)) return;
                remember('language', language);
                void speak(language);
              }}
            >
              {languages.map((language) => (
                <Menu.RadioItem key={language} value={language} lang={language} closeMenuOnClick>
                  {languageNames[language]}
                </Menu.RadioItem>
              ))}
            </Menu.RadioGroup>
          </Menu.Dropdown>
        </Menu>
      </header>
      <main className={css.card} data-wide={wide || undefined}>
        <h1>{title}</h1>
        {text && <div className={css.text}>{text}</div>}
        {children}
      </main>
    </div>
  );
}
