// A deep link to a screen that the person's role does not open.
import type { Permission } from '@switchbell/api';
import { useTranslation, wordsFor } from '@switchbell/i18n';
import { Empty } from '@switchbell/ui';
import { Lock } from 'lucide-react';
import type { ReactNode } from 'react';

import { useCan } from './session';

export function Guarded({ permission, children }: { permission: Permission; children: ReactNode }) {
  const { t } = useTranslation();
  const can = useCan();
  if (can(permission)) return children;
  return (
    <Empty icon={<Lock size={22} />} title={t('shell.no_access.title')}>
      {t('shell.no_access.text', {
        permission: wordsFor(`people.permissions.${permission.replace('.', '_')}`) ?? permission,
      })}
    </Empty>
  );
}
