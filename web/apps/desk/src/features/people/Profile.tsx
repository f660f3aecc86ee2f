// One's own name, language, theme and time zone.
import { asProblem, people, type Problem, type Theme } from '@switchbell/api';
import { useTranslation } from '@switchbell/i18n';
import {
  Button,
  FailureBox,
  Page,
  Panel,
  SegmentedControl,
  TextInput,
  toast,
} from '@switchbell/ui';
import { useState } from 'react';

import { FormProblem, useForm } from '../../shared/form';
import { adopt, changeTheme, useMe } from '../../shared/session';
import { LanguagePicker, ZonePicker } from './pickers';
import { ProfileTabs } from './ProfileTabs';

export function Profile() {
  const { t } = useTranslation();
  const me = useMe();
  const [problem, setProblem] = useState<Problem | null>(null);
  const form = useForm(
    {
      name: me.user.name,
      time_zone: me.user.time_zone ?? me.account.time_zone,
      language: me.user.language,
    },
    async (values) => {
      await adopt(await people.changeMe(values));
      toast(t('common.saved'));
    },
    (values) => (values.name.trim() ? [] : [{ field: 'name', words: t('errors.required') }]),
  );
  const paint = async (theme: Theme) => {
    setProblem(null);
    try {
      await changeTheme(theme);
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return (
    <Page title={t('people.profile')} documentTitle={t('people.profile')} width="form">
      <ProfileTabs />
      <form ref={form.ref} onSubmit={(event) => void form.submit(event)} noValidate>
        <Panel title={t('people.about_you')}>
          <FormProblem form={form} />
          <div className="form-grid">
            <TextInput
              label={t('people.name')}
              name="name"
              autoComplete="name"
              value={form.values.name}
              onChange={(event) => form.set('name', event.currentTarget.value)}
              error={form.error('name')}
            />
            <TextInput
              label={t('auth.email')}
              value={me.user.email}
              readOnly
              description={t('people.email_fixed')}
            />
          </div>
          <div className="form-grid">
            <LanguagePicker
              label={t('auth.language')}
              name="language"
              value={form.values.language}
              onChange={(language) => form.set('language', language)}
              error={form.error('language')}
            />
            <ZonePicker
              label={t('auth.time_zone')}
              name="time_zone"
              description={t('people.zone_help')}
              value={form.values.time_zone}
              onChange={(zone) => form.set('time_zone', zone)}
              error={form.error('time_zone')}
            />
          </div>
          <div className="row actions-end">
            <Button type="submit" loading={form.busy}>
              {t('common.save')}
            </Button>
          </div>
        </Panel>
      </form>
      <Panel title={t('shell.theme')} hint={t('people.theme_hint')}>
        {problem && <FailureBox failure={problem} />}
        <SegmentedControl
          aria-label={t('shell.theme')}
          value={me.user.theme}
          onChange={(value) => void paint(value as Theme)}
          data={(['auto', 'light', 'dark'] as const).map((theme) => ({
            value: theme,
            label: t(`shell.themes.${theme}`),
          }))}
        />
      </Panel>
    </Page>
  );
}
