// Asks before unsaved changes are left behind.
import { useTranslation } from '@switchbell/i18n';
import { ConfirmDialog } from '@switchbell/ui';
import { useBlocker } from '@tanstack/react-router';
import { useRef, type ReactNode } from 'react';

export function useLeaveGuard(dirty: boolean): { dialog: ReactNode; release: () => void } {
  const { t } = useTranslation();
  const released = useRef(false);
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) =>
      dirty && !released.current && current.pathname !== next.pathname,
    enableBeforeUnload: () => dirty && !released.current,
    withResolver: true,
  });
  return {
    release: () => {
      released.current = true;
    },
    dialog: (
      <ConfirmDialog
        opened={blocker.status === 'blocked'}
        danger
        onClose={() => blocker.reset?.()}
        title={t('common.leave_title')}
        confirm={t('common.leave')}
        onConfirm={() => blocker.proceed?.()}
      >
        {t('common.leave_text')}
      </ConfirmDialog>
    ),
  };
}
