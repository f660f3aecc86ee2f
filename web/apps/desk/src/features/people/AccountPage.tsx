// The account: its name, and the place that its dates, phones and new campaigns start from.
import { people, type Account } from '@switchbell/api';
import { setPlace, useTranslation } from '@switchbell/i18n';
import { Button, Page, Panel, TextInput, toast } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';

import { FormProblem, useForm } from '../../shared/form';
import { Loaded } from '../../shared/Loaded';
import { Guarded } from '../../shared/NoAccess';
import { queryClient } from '../../shared/query';
import { sessionQuery, useCan } from '../../shared/session';
import { accountQuery } from './api';
import { CountryPicker, LanguagePicker, ZonePicker } from './pickers';

export function AccountPage() {
  const { t } = useTranslation();
  const account = useQuery(accountQuery);
  return (
    <Guarded permission="account.view">
      <Page
        title={t('shell.menu.account')}
        documentTitle={t('shell.menu.account')}
        subtitle={t('people.account_text')}
        width="form"
      >
        <Loaded query={account} what={t('common.loading')}>
          {(data) => <AccountForm account={data} />}
        </Loaded>
      </Page>
    </Guarded>
  );
}

function AccountForm({ account }: { account: Account }) {
  const { t } = useTranslation();
  const may = useCan()('account.manage');
  const form = useForm(
    {
      name: account.name,
      country: account.country,
      time_zone: account.time_zone,
      language: account.language,
    },
    async (values) => {
      const changed = await people.changeAccount(values);
      queryClient.setQueryData(accountQuery.queryKey, changed);
      setPlace({ country: changed.country });
      queryClient.setQueryData(sessionQuery.queryKey, (me) => me && { ...me, account: changed });
      toast(t('common.saved'));
    },
    (values) => (values.name.trim() ? [] : [{ field: 'name', words: t('errors.required') }]),
  );
  return (
    <form ref={form.ref} onSubmit={(event) => void form.submit(event)} noValidate>
      <Panel>
        <FormProblem form={form} />
        <TextInput
          label={t('auth.account_name')}
          name="name"
          readOnly={!may}
          value={form.values.name}
          onChange={(event) => form.set('name', event.currentTarget.value)}
          error={form.error('name')}
        />
        <div className="form-grid">
          <ZonePicker
            label={t('auth.time_zone')}
            name="time_zone"
            description={t('people.account_zone_help')}
            disabled={!may}
            value={form.values.time_zone}
            onChange={(zone) => form.set('time_zone', zone)}
            error={form.error('time_zone')}
          />
          <CountryPicker
            label={t('auth.country')}
            name="country"
            description={t('auth.country_help')}
            disabled={!may}
            value={form.values.country}
            onChange={(country) => form.set('country', country)}
            error={form.error('country')}
          />
        </div>
        <LanguagePicker
          label={t('people.account_language')}
          name="language"
          disabled={!may}
          value={form.values.language}
          onChange={(language) => form.set('language', language)}
          error={form.error('language')}
        />
        {may && (
          <div className="row actions-end">
            <Button type="submit" loading={form.busy}>
              {t('common.save')}
            </Button>
          </div>
        )}
      </Panel>
    </form>
  );
}
