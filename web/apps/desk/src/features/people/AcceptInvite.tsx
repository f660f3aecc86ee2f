// An invited person chooses a name and a password.
import { people, type InviteInfo } from '@switchbell/api';
import { isLanguage, useTranslation } from '@switchbell/i18n';
import { Button, FailureBox, Loading, TextInput } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';

import { FormProblem, useForm } from '../../shared/form';
import { adopt } from '../../shared/session';
import { AuthFrame } from './AuthFrame';
import { useFragmentToken } from './fragment';
import { NewPassword, shortestPassword } from './NewPassword';

export function AcceptInvite() {
  const { t } = useTranslation();
  const token = useFragmentToken();
  const invite = useQuery({
    queryKey: ['invite', token],
    queryFn: () => people.checkInvite(token),
    enabled: token !== '',
    staleTime: Infinity,
  });
  if (invite.data) return <InviteForm token={token} invite={invite.data} />;
  return (
    <AuthFrame title={t('auth.invite.title')}>
      {token === '' && <p>{t('auth.invite.no_token')}</p>}
      {token !== '' && invite.isPending && <Loading what={t('common.loading')} rows={3} />}
      {invite.isError && <FailureBox failure={invite.error} retry={() => void invite.refetch()} />}
    </AuthFrame>
  );
}

function InviteForm({ token, invite }: { token: string; invite: InviteInfo }) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const form = useForm(
    { name: invite.name, password: '' },
    async (values) => {
      const language = isLanguage(i18n.language) ? i18n.language : 'en';
      await adopt(await people.acceptInvite({ ...values, token, language }));
      await navigate({ to: '/' });
    },
    (values) => [
      ...(values.name.trim() ? [] : [{ field: 'name', words: t('errors.required') }]),
      ...([...values.password].length >= shortestPassword
        ? []
        : [{ field: 'password', words: t('auth.password_short', { count: shortestPassword }) }]),
    ],
  );
  return (
    <AuthFrame
      title={t('auth.invite.title')}
      text={
        invite.joined
          ? t('auth.invite.joined', { account: invite.account_name })
          : t('auth.invite.text', { account: invite.account_name })
      }
    >
      <form
        ref={form.ref}
        className="stack"
        onSubmit={(event) => void form.submit(event)}
        noValidate
      >
        <TextInput
          label={t('auth.email')}
          name="email"
          autoComplete="username"
          value={invite.email}
          readOnly
        />
        <TextInput
          label={t('auth.your_name')}
          name="name"
          autoComplete="name"
          value={form.values.name}
          onChange={(event) => form.set('name', event.currentTarget.value)}
          error={form.error('name')}
        />
        <NewPassword
          label={t('auth.password')}
          value={form.values.password}
          onChange={(value) => form.set('password', value)}
          error={form.error('password')}
        />
        <FormProblem form={form} />
        <Button type="submit" fullWidth loading={form.busy}>
          {t('auth.invite.finish')}
        </Button>
      </form>
    </AuthFrame>
  );
}
