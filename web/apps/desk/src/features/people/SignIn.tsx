// Sign-in: two fields.
import { people } from '@switchbell/api';
import { useTranslation } from '@switchbell/i18n';
import { Button, Checkbox, PasswordInput, TextInput } from '@switchbell/ui';
import { getRouteApi, useNavigate, useRouter } from '@tanstack/react-router';

import { FormProblem, looksLikeEmail, useForm } from '../../shared/form';
import { adopt } from '../../shared/session';
import { AuthFrame } from './AuthFrame';

const route = getRouteApi('/sign-in');

export function SignIn() {
  const { t } = useTranslation();
  const { next } = route.useSearch();
  const navigate = useNavigate();
  const router = useRouter();
  const form = useForm(
    { email: '', password: '', stay: false },
    async (values) => {
      await adopt(await people.signIn({ ...values, email: values.email.trim() }));
      // Only a place of ours: the address may come from a link that somebody made.
      if (next?.startsWith('/') && !next.startsWith('//')) router.history.push(next);
      else await navigate({ to: '/' });
    },
    (values) => [
      ...(looksLikeEmail(values.email) ? [] : [{ field: 'email', words: t('auth.email_wrong') }]),
      ...(values.password ? [] : [{ field: 'password', words: t('auth.password_missing') }]),
    ],
  );
  return (
    <AuthFrame title={t('auth.sign_in')}>
      <form
        ref={form.ref}
        className="stack"
        onSubmit={(event) => void form.submit(event)}
        noValidate
      >
        <TextInput
          label={t('auth.email')}
          name="email"
          type="email"
          autoComplete="username"
          autoFocus
          value={form.values.email}
          onChange={(event) => form.set('email', event.currentTarget.value)}
          error={form.error('email')}
        />
        <PasswordInput
          label={t('auth.password')}
          name="password"
          autoComplete="current-password"
          value={form.values.password}
          onChange={(event) => form.set('password', event.currentTarget.value)}
          error={form.error('password')}
          visibilityToggleButtonProps={{ 'aria-label': t('auth.show_password'), tabIndex: 0 }}
        />
        <Checkbox
          label={t('auth.stay')}
          checked={form.values.stay}
          onChange={(event) => form.set('stay', event.currentTarget.checked)}
        />
        {form.faults.length === 0 && <FormProblem form={form} />}
        <Button type="submit" fullWidth loading={form.busy}>
          {t('auth.sign_in')}
        </Button>
        <p className="muted small">{t('auth.forgot')}</p>
      </form>
    </AuthFrame>
  );
}
