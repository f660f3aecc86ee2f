// One number, or a file of numbers, joins the do-not-call list.
import { campaigns, contacts, type DoNotCallImport, type DoNotCallScope } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import { Button, FileDrop, Modal, Select, Stat, TextInput, toast } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';

import { FormProblem, useForm } from '../../shared/form';
import { listsQuery } from '../../shared/lookups';
import { useCan } from '../../shared/session';
import { doNotCallChanged } from './api';

interface Terms {
  scope: DoNotCallScope;
  target: string;
  reason: string;
  /** A day; the entry holds to its end here. */
  until: string;
}

const noTerms: Terms = { scope: 'account', target: '', reason: '', until: '' };

/** What the server is told. */
const said = ({ scope, target, reason, until }: Terms) => ({
  scope,
  ...(scope === 'account' ? {} : { target }),
  reason: reason.trim(),
  ...(until === '' ? {} : { expires_at: new Date(`${until}T23:59:59`).toISOString() }),
});

function TermsFields({
  form,
  set,
}: {
  form: { values: Terms; error: (field: string) => string | undefined };
  set: (patch: Partial<Terms>) => void;
}) {
  const { t } = useTranslation();
  const seesCampaigns = useCan()('campaign.view');
  const lists = useQuery({ ...listsQuery, enabled: form.values.scope === 'list' });
  const found = useQuery({
    queryKey: ['campaigns', 'names'],
    queryFn: ({ signal }) => campaigns.list({}, { signal }),
    enabled: form.values.scope === 'campaign' && seesCampaigns,
  });
  const targets = form.values.scope === 'list' ? (lists.data ?? []) : (found.data?.items ?? []);
  return (
    <>
      <Select
        label={t('contacts.dnc_whom')}
        value={form.values.scope}
        onChange={(scope) => set({ scope: (scope ?? 'account') as DoNotCallScope, target: '' })}
        data={[
          { value: 'account', label: t('contacts.dnc_scope.account') },
          { value: 'campaign', label: t('contacts.dnc_scope_one.campaign') },
          { value: 'list', label: t('contacts.dnc_scope_one.list') },
        ]}
        allowDeselect={false}
      />
      {form.values.scope !== 'account' && (
        <Select
          label={t(`contacts.dnc_target.${form.values.scope}`)}
          name="target"
          value={form.values.target || null}
          onChange={(target) => set({ target: target ?? '' })}
          data={targets.map(({ id, name }) => ({ value: id, label: name }))}
          searchable
          error={form.error('target')}
        />
      )}
      <TextInput
        label={t('contacts.dnc_reason')}
        name="reason"
        value={form.values.reason}
        onChange={(event) => set({ reason: event.currentTarget.value })}
        maxLength={200}
        error={form.error('reason')}
      />
      <TextInput
        label={t('contacts.dnc_until_label')}
        description={t('contacts.dnc_until_help')}
        type="date"
        name="expires_at"
        value={form.values.until}
        onChange={(event) => set({ until: event.currentTarget.value })}
        error={form.error('expires_at')}
      />
    </>
  );
}

export function AddNumber({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const form = useForm({ phone: '', ...noTerms }, async ({ phone, ...terms }) => {
    const entry = await contacts.addDoNotCall({ phone: phone.trim(), ...said(terms) });
    await doNotCallChanged();
    toast(t('contacts.dnc_added', { phone: fmt.phone(entry.phone) }));
    onClose();
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('contacts.dnc_add')}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <form className="stack" ref={form.ref} onSubmit={(event) => void form.submit(event)}>
        <TextInput
          label={t('contacts.dnc_number')}
          name="phone"
          type="tel"
          value={form.values.phone}
          onChange={(event) => form.set('phone', event.currentTarget.value)}
          error={form.error('phone')}
          data-autofocus
        />
        <TermsFields form={form} set={(patch) => form.setValues({ ...form.values, ...patch })} />
        <FormProblem form={form} />
        <div className="row actions-end">
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" loading={form.busy} disabled={!form.values.phone.trim()}>
            {t('contacts.do_not_call')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

export function LoadNumbers({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const [told, setTold] = useState<DoNotCallImport | null>(null);
  const [file, setFile] = useState<File | null>(null);
  const form = useForm({ ...noTerms }, async (terms) => {
    if (file === null) return;
    setTold(await contacts.loadDoNotCall(file, said(terms)));
    await doNotCallChanged();
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('contacts.dnc_load')}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      {told ? (
        <Loaded told={told} onClose={onClose} />
      ) : (
        <form className="stack" ref={form.ref} onSubmit={(event) => void form.submit(event)}>
          {file ? (
            <p>
              {t('contacts.file_title', { name: file.name })}{' '}
              <button type="button" className="link-button" onClick={() => setFile(null)}>
                {t('contacts.another_file')}
              </button>
            </p>
          ) : (
            <FileDrop
              title={t('contacts.choose_file')}
              hint={t('contacts.dnc_file_hint')}
              accept=".csv,.txt,.xlsx,text/csv,text/plain"
              onFiles={([first]) => setFile(first ?? null)}
            />
          )}
          <TermsFields form={form} set={(patch) => form.setValues({ ...form.values, ...patch })} />
          <FormProblem form={form} />
          <div className="row actions-end">
            <Button variant="default" onClick={onClose}>
              {t('common.cancel')}
            </Button>
            <Button type="submit" loading={form.busy} disabled={file === null}>
              {t('contacts.dnc_load')}
            </Button>
          </div>
        </form>
      )}
    </Modal>
  );
}

function Loaded({ told, onClose }: { told: DoNotCallImport; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <div className="stack" role="status">
      <div className="row gap-4">
        <Stat value={fmt.number(told.added)} label={t('contacts.added')} />
        <Stat value={fmt.number(told.known)} label={t('contacts.dnc_known')} />
        <Stat value={fmt.number(told.rejected)} label={t('contacts.rejected')} />
      </div>
      {told.problems.length > 0 && (
        <ul className="small">
          {told.problems.slice(0, 20).map((row) => (
            <li key={row.line}>
              {t('contacts.dnc_line', { line: row.line, text: row.text })} {row.sentence}
            </li>
          ))}
        </ul>
      )}
      <div className="row actions-end">
        <Button onClick={onClose}>{t('common.close')}</Button>
      </div>
    </div>
  );
}
