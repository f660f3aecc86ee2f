// What each role may do: the presets, to read.
import { useTranslation, wordsFor } from '@switchbell/i18n';
import { Badge, Page } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { Check, Minus } from 'lucide-react';

import { Loaded } from '../../shared/Loaded';
import { Guarded } from '../../shared/NoAccess';
import { useMe } from '../../shared/session';
import { rolesQuery } from './api';
import css from './Roles.module.css';

/** Permissions that everybody has say nothing here. */
const unsaid = new Set(['me', 'live.connect']);

export function Roles() {
  const { t } = useTranslation();
  return (
    <Guarded permission="user.view">
      <Page
        title={t('shell.menu.roles')}
        documentTitle={t('shell.menu.roles')}
        subtitle={t('people.roles_text')}
        width="wide"
      >
        <Matrix />
      </Page>
    </Guarded>
  );
}

function Matrix() {
  const { t } = useTranslation();
  const me = useMe();
  const roles = useQuery(rolesQuery);
  return (
    <Loaded query={roles} what={t('people.loading_roles')}>
      {(found) => {
        const permissions = [...new Set(found.flatMap((role) => role.permissions))].filter(
          (permission) => !unsaid.has(permission),
        );
        const groups = [
          ...new Set(permissions.map((permission) => permission.split('.')[0] ?? '')),
        ];
        return (
          <div className={css.frame} role="region" aria-label={t('shell.menu.roles')} tabIndex={0}>
            <table className={css.table}>
              <thead>
                <tr>
                  <th scope="col">{t('people.permission')}</th>
                  {found.map(({ role }) => (
                    <th key={role} scope="col" data-mine={role === me.user.role || undefined}>
                      {t(`people.role_names.${role}`)}
                      {role === me.user.role && (
                        <div>
                          <Badge tone="accent">{t('people.yours')}</Badge>
                        </div>
                      )}
                    </th>
                  ))}
                </tr>
              </thead>
              {groups.map((group) => (
                <tbody key={group}>
                  <tr>
                    <th scope="rowgroup" colSpan={found.length + 1} className={css.group}>
                      {wordsFor(`people.permission_groups.${group}`) ?? group}
                    </th>
                  </tr>
                  {permissions
                    .filter((permission) => permission.startsWith(`${group}.`))
                    .map((permission) => (
                      <tr key={permission}>
                        <th scope="row">
                          {wordsFor(`people.permissions.${permission.replace('.', '_')}`) ??
                            permission}
                        </th>
                        {found.map((role) => (
                          <td key={role.role} data-mine={role.role === me.user.role || undefined}>
                            {role.permissions.includes(permission) ? (
                              <Check
                                size={17}
                                className={css.yes}
                                role="img"
                                aria-label={t('common.yes')}
                              />
                            ) : (
                              <Minus
                                size={17}
                                className={css.no}
                                role="img"
                                aria-label={t('common.no')}
                              />
                            )}
                          </td>
                        ))}
                      </tr>
                    ))}
                </tbody>
              ))}
            </table>
          </div>
        );
      }}
    </Loaded>
  );
}
