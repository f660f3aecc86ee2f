// First run: the one-time link makes the owner.
import { people } from '@switchbell/api';
import {
  browserZone,
  isLanguage,
  languageNames,
  languages,
  speak,
  useTranslation,
  type Language,
} from '@switchbell/i18n';
import { Button, Empty, FailureBox, Loading, TextInput } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { KeyRound } from 'lucide-react';

import { ButtonLink } from '../../shared/ButtonLink';
import { FormProblem, looksLikeEmail, useForm } from '../../shared/form';
import { adopt, remember } from '../../shared/session';
import { AuthFrame } from './AuthFrame';
import { useFragmentToken } from './fragment';
import { NewPassword, shortestPassword } from './NewPassword';
import { CountryPicker, ZonePicker } from './pickers';
import css from './Setup.module.css';

export function Setup() {
  const { t } = useTranslation();
  const token = useFragmentToken();
  const state = useQuery({
    queryKey: ['setup'],
    queryFn: ({ signal }) => people.setup({ signal }),
  });
  if (state.isPending || state.isError || !state.data.needed) {
    return (
      <AuthFrame title={t('auth.setup.title')}>
        {state.isPending && <Loading what={t('common.loading')} rows={3} />}
        {state.isError && <FailureBox failure={state.error} retry={() => void state.refetch()} />}
        {state.data && (
          <>
            <p>{t('auth.setup.done')}</p>
            <ButtonLink to="/sign-in">{t('auth.sign_in')}</ButtonLink>
          </>
        )}
      </AuthFrame>
    );
  }
  if (token === '') {
    return (
      <AuthFrame title={t('auth.setup.title')}>
        <Empty compact icon={<KeyRound size={22} />} title={t('auth.setup.no_token')}>
          {t('auth.setup.no_token_text')}
        </Empty>
      </AuthFrame>
    );
  }
  return <SetupForm token={token} />;
}

/** The country that most likely belongs to the zone of the browser. */
function guessCountry(zone: string): string {
  const known: Record<string, string> = {
    'Europe/Kyiv': 'UA',
    'Asia/Tashkent': 'UZ',
    'Asia/Samarkand': 'UZ',
    'Asia/Ho_Chi_Minh': 'VN',
    'Asia/Almaty': 'KZ',
    'Europe/Moscow': 'RU',
    'Europe/Warsaw': 'PL',
    'Europe/London': 'GB',
  };
  const region = navigator.language.split('-')[1];
  return known[zone] ?? (region?.length === 2 ? region.toUpperCase() : '');
}

function SetupForm({ token }: { token: string }) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const language: Language = isLanguage(i18n.language) ? i18n.language : 'en';
  const required = (field: string, value: string) =>
    value.trim() ? [] : [{ field, words: t('errors.required') }];
  const form = useForm(
    {
      time_zone: browserZone(),
      country: guessCountry(browserZone()),
      account_name: '',
      name: '',
      email: '',
      password: '',
    },
    async (values) => {
      await adopt(
        await people.finishSetup({ ...values, email: values.email.trim(), token, language }),
      );
      await navigate({ to: '/' });
    },
    (values) => [
      ...required('country', values.country),
      ...required('account_name', values.account_name),
      ...required('name', values.name),
      ...(looksLikeEmail(values.email) ? [] : [{ field: 'email', words: t('auth.email_wrong') }]),
      ...([...values.password].length >= shortestPassword
        ? []
        : [{ field: 'password', words: t('auth.password_short', { count: shortestPassword }) }]),
    ],
  );
  return (
    <AuthFrame title={t('auth.setup.title')} text={t('auth.setup.text')} wide>
      <form
        ref={form.ref}
        className="stack gap-6"
        onSubmit={(event) => void form.submit(event)}
        noValidate
      >
        <FormProblem form={form} />
        <fieldset className="stack gap-3">
          <legend className={css.legend}>{t('auth.setup.place')}</legend>
          <div className={css.languages} role="radiogroup" aria-label={t('auth.language')}>
            {languages.map((one) => (
              <label key={one} className={css.language} lang={one}>
                <input
                  type="radio"
                  name="language"
                  className="hidden-visually"
                  checked={one === language}
                  onChange={() => {
                    remember('language', one);
                    void speak(one);
                  }}
                />
                {languageNames[one]}
              </label>
            ))}
          </div>
          <div className="form-grid">
            <ZonePicker
              label={t('auth.time_zone')}
              name="time_zone"
              value={form.values.time_zone}
              onChange={(zone) => form.set('time_zone', zone)}
              error={form.error('time_zone')}
            />
            <CountryPicker
              label={t('auth.country')}
              name="country"
              description={t('auth.country_help')}
              value={form.values.country}
              onChange={(country) => form.set('country', country)}
              error={form.error('country')}
            />
          </div>
        </fieldset>
        <fieldset className="stack gap-3">
          <legend className={css.legend}>{t('auth.setup.owner')}</legend>
          <TextInput
            label={t('auth.account_name')}
            name="account_name"
            autoComplete="organization"
            value={form.values.account_name}
            onChange={(event) => form.set('account_name', event.currentTarget.value)}
            error={form.error('account_name')}
          />
          <div className="form-grid">
            <TextInput
              label={t('auth.your_name')}
              name="name"
              autoComplete="name"
              value={form.values.name}
              onChange={(event) => form.set('name', event.currentTarget.value)}
              error={form.error('name')}
            />
            <TextInput
              label={t('auth.email')}
              name="email"
              type="email"
              autoComplete="username"
              value={form.values.email}
              onChange={(event) => form.set('email', event.currentTarget.value)}
              error={form.error('email')}
            />
          </div>
          <NewPassword
            label={t('auth.password')}
            value={form.values.password}
            onChange={(value) => form.set('password', value)}
            error={form.error('password')}
          />
        </fieldset>
        <Button type="submit" loading={form.busy}>
          {t('auth.setup.finish')}
        </Button>
      </form>
    </AuthFrame>
  );
}
