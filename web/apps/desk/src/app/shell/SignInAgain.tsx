// The session ended under an open page: sign in over it, with everything that was typed still there.
import { asProblem, home, people, type Problem } from '@switchbell/api';
import { useTranslation } from '@switchbell/i18n';
import { Button, FailureBox, Modal, PasswordInput } from '@switchbell/ui';
import { useState, type FormEvent } from 'react';

import { live } from '../../shared/live';
import { queryClient } from '../../shared/query';
import { sessionQuery, useMe } from '../../shared/session';
import { signedOut } from '../signed-out';

export function SignInAgain() {
  const { t } = useTranslation();
  const me = useMe();
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      const back = await people.signIn({ email: me.user.email, password, stay: false });
      queryClient.setQueryData(sessionQuery.queryKey, back);
      setPassword('');
      signedOut.clear();
      live.retryNow();
      await queryClient.refetchQueries({ type: 'active' });
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Modal
      opened
      onClose={() => {}}
      withCloseButton={false}
      closeOnEscape={false}
      closeOnClickOutside={false}
      title={t('auth.again.title')}
      size={420}
    >
      <form onSubmit={(event) => void submit(event)} className="stack gap-3">
        <p className="muted">{t('auth.again.text', { email: me.user.email })}</p>
        <input
          type="hidden"
          name="username"
          autoComplete="username"
          value={me.user.email}
          readOnly
        />
        <PasswordInput
          label={t('auth.password')}
          name="password"
          autoComplete="current-password"
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          required
          withAsterisk={false}
          data-autofocus
        />
        {problem && <FailureBox failure={problem} />}
        <div className="row actions-end">
          <Button variant="default" onClick={() => window.location.assign(home.href)}>
            {t('auth.again.leave')}
          </Button>
          <Button type="submit" loading={busy}>
            {t('auth.sign_in')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
