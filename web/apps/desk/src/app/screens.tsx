// What stands where a screen should be: it does not exist, it broke, or it is not for this person.
import { asProblem } from '@switchbell/api';
import { useTranslation } from '@switchbell/i18n';
import { Empty, FailureBox, Loading } from '@switchbell/ui';
import { useRouter, type ErrorComponentProps } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { ButtonLink } from '../shared/ButtonLink';

export function ScreenMissing() {
  const { t } = useTranslation();
  return (
    <Empty
      icon={<Compass size={24} />}
      title={t('shell.missing.title')}
      action={
        <ButtonLink to="/" variant="default">
          {t('shell.missing.home')}
        </ButtonLink>
      }
    >
      {t('shell.missing.text')}
    </Empty>
  );
}

export function ScreenPending() {
  const { t } = useTranslation();
  return <Loading what={t('common.loading')} />;
}

export function ScreenFailed({ error, reset }: ErrorComponentProps) {
  const { t } = useTranslation();
  const router = useRouter();
  const again = () => {
    reset();
    void router.invalidate();
  };
  return (
    <div className="screen-failed">
      <FailureBox failure={asProblem(error)} title={t('shell.failed')} retry={again} />
    </div>
  );
}
