// The person who is signed in: profile, theme, sign out.
import { useTranslation } from '@switchbell/i18n';
import { Menu } from '@switchbell/ui';
import { Link } from '@tanstack/react-router';
import { KeyRound, LogOut, Monitor, Moon, Sun, UserRound } from 'lucide-react';

import { changeTheme, useMe } from '../../shared/session';
import { initials } from '../../shared/initials';
import css from './ProfileMenu.module.css';

const themes = [
  ['auto', Monitor],
  ['light', Sun],
  ['dark', Moon],
] as const;

export function ProfileMenu({ small, signOut }: { small: boolean; signOut: () => void }) {
  const { t } = useTranslation();
  const me = useMe();
  return (
    <Menu position="right-end" width={240}>
      <Menu.Target>
        <button
          type="button"
          className={css.button}
          data-small={small || undefined}
          aria-label={small ? t('shell.profile_of', { name: me.user.name }) : undefined}
        >
          <span className={css.avatar} aria-hidden="true">
            {initials(me.user.name)}
          </span>
          {!small && (
            <span className={css.names}>
              <span className={css.name}>{me.user.name}</span>
              <span className={css.account}>{me.account.name}</span>
            </span>
          )}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{me.user.email}</Menu.Label>
        <Menu.Item component={Link} to="/me/profile" leftSection={<UserRound size={16} />}>
          {t('shell.menu.profile')}
        </Menu.Item>
        <Menu.Item component={Link} to="/me/security" leftSection={<KeyRound size={16} />}>
          {t('shell.menu.security')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>{t('shell.theme')}</Menu.Label>
        <Menu.RadioGroup
          value={me.user.theme}
          onChange={(wish) => {
            const theme = themes.find(([name]) => name === wish)?.[0];
            if (theme) void changeTheme(theme);
          }}
        >
          {themes.map(([theme, Icon]) => (
            <Menu.RadioItem key={theme} value={theme} rightSection={<Icon size={16} />}>
              {t(`shell.themes.${theme}`)}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item leftSection={<LogOut size={16} />} onClick={signOut}>
          {t('shell.sign_out')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
