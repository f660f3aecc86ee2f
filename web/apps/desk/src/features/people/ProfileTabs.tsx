// The two pages about oneself.
import { useTranslation } from '@switchbell/i18n';
import { Link } from '@tanstack/react-router';

import css from './ProfileTabs.module.css';

export function ProfileTabs() {
  const { t } = useTranslation();
  return (
    <nav className={css.tabs} aria-label={t('people.profile_pages')}>
      <Link to="/me/profile" className={css.tab} activeProps={{ 'aria-current': 'page' }}>
        {t('shell.menu.profile')}
      </Link>
      <Link to="/me/security" className={css.tab} activeProps={{ 'aria-current': 'page' }}>
        {t('shell.menu.security')}
      </Link>
    </nav>
  );
}
