// One source of a list: its settings, the test load, and the history of loads.
import { asProblem, contacts, Problem, type Source, type TestLoad } from '@switchbell/api';
import { countries, useTranslation } from '@switchbell/i18n';
import {
  Button,
  ConfirmDialog,
  FailureBox,
  Note,
  NumberInput,
  Page,
  Panel,
  PasswordInput,
  Select,
  Switch,
  Textarea,
  TextInput,
  toast,
} from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { CloudDownload, FlaskConical, Trash2 } from 'lucide-react';
import { useMemo, useState } from 'react';

import { useCommands } from '../../shared/commands';
import { FormProblem, useForm, type Form } from '../../shared/form';
import { useLeaveGuard } from '../../shared/leave';
import { useTopicChange } from '../../shared/live';
import { Loaded } from '../../shared/Loaded';
import { Guarded } from '../../shared/NoAccess';
import { queryClient } from '../../shared/query';
import { useCan, useMe } from '../../shared/session';
import { listQuery, sourceQuery, sourcesChanged } from './api';
import { PullBadge } from './PullBadge';
import { Pulls } from './Pulls';
import { blankSource, bodyOf, settingsOf, valuesOf, type SourceValues } from './source';
import { TestResult } from './TestResult';
import css from './SourcePage.module.css';

const route = getRouteApi('/shell/campaigns/lists/$id/sources/$source');

export function SourcePage() {
  const { source } = route.useParams();
  const { kind } = route.useSearch();
  return (
    <Guarded permission={source === 'new' ? 'list.edit' : 'list.view'}>
      {source === 'new' ? (
        <Editor key={kind} source={null} kind={kind === 'sheet' ? 'sheet' : 'feed'} />
      ) : (
        <Existing key={source} id={source} />
      )}
    </Guarded>
  );
}

function Existing({ id }: { id: string }) {
  const { t } = useTranslation();
  const source = useQuery(sourceQuery(id));
  useTopicChange(`source:${id}`, () => void sourcesChanged());
  if (source.data) return <Editor source={source.data} kind={source.data.settings.kind} />;
  return (
    <Page title={t('contacts.sources')} documentTitle={t('contacts.sources')} width="wide">
      <Loaded query={source} what={t('contacts.loading_source')}>
        {() => null}
      </Loaded>
    </Page>
  );
}

function Editor({ source, kind }: { source: Source | null; kind: 'feed' | 'sheet' }) {
  const { t } = useTranslation();
  const { id: list } = route.useParams();
  const navigate = useNavigate();
  const me = useMe();
  const may = useCan()('list.edit');
  const listName = useQuery(listQuery(list)).data?.name ?? '…';
  const [kept, setKept] = useState(() =>
    source ? valuesOf(source) : blankSource(kind, me.account.country),
  );
  const [tested, setTested] = useState<{ result: TestLoad; of: string } | null>(null);
  const [testing, setTesting] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [removing, setRemoving] = useState(false);

  const form = useForm(kept, async (values) => {
    const proof = tested?.of === fingerprint(values) ? tested.result.proof : null;
    const body = { ...bodyOf(values), ...(proof ? { proof } : {}) };
    if (source) {
      const changed = await contacts.changeSource(source.id, body);
      queryClient.setQueryData(sourceQuery(source.id).queryKey, changed);
      const now = valuesOf(changed);
      setKept(now);
      form.setValues(now);
      await sourcesChanged();
      toast(t('common.saved'));
    } else {
      const made = await contacts.createSource(list, body);
      await sourcesChanged();
      guard.release();
      await navigate({
        to: '/campaigns/lists/$id/sources/$source',
        params: { id: list, source: made.id },
        replace: true,
      });
      toast(t('contacts.source_saved'));
    }
  });
  const { values } = form;
  const dirty = fingerprint(values) !== fingerprint(kept) || !sameRest(values, kept);
  const guard = useLeaveGuard(dirty && may);

  const test = async (trial: SourceValues = values) => {
    if (testing) return;
    setTesting(true);
    setProblem(null);
    try {
      const result = await contacts.testSource(list, {
        settings: settingsOf(trial),
        ...(trial.secret ? { secret: trial.secret } : {}),
        ...(source ? { source: source.id } : {}),
      });
      // What the test guessed is what is saved, and what its proof is for.
      const now = result.mapping ? { ...trial, mapping: result.mapping } : trial;
      if (result.mapping) form.setValues(now);
      setTested({ result, of: fingerprint(now) });
    } catch (error) {
      setTested(null);
      setProblem(asProblem(error));
    } finally {
      setTesting(false);
    }
  };
  const takePath = (path: string) => {
    const now = { ...values, path };
    form.setValues(now);
    void test(now);
  };
  const load = async () => {
    if (!source) return;
    setProblem(null);
    try {
      await contacts.pullSource(source.id);
      await sourcesChanged();
    } catch (error) {
      setProblem(asProblem(error));
    }
  };

  useCommands(
    may
      ? [
          {
            id: 'source.save',
            title: t('contacts.save_source'),
            group: t('contacts.sources'),
            keys: ['mod+s'],
            whileTyping: true,
            run: () => void form.submit(),
          },
          {
            id: 'source.test',
            title: t('contacts.test_load'),
            group: t('contacts.sources'),
            icon: FlaskConical,
            keys: ['t'],
            run: () => void test(),
          },
        ]
      : [],
  );

  const title = source ? source.name : t(`contacts.new_source.${kind}`);
  return (
    <Page
      title={title}
      documentTitle={title}
      above={
        <>
          <Link to="/campaigns/lists">{t('shell.menu.lists')}</Link>
          {' / '}
          <Link to="/campaigns/lists/$id" params={{ id: list }}>
            {listName}
          </Link>
        </>
      }
      badge={source?.last_pull && <PullBadge state={source.last_pull.state} />}
      width="wide"
      actions={
        source &&
        may && (
          <>
            <Button
              variant="default"
              leftSection={<CloudDownload size={16} />}
              disabled={!source.enabled || dirty}
              onClick={() => void load()}
            >
              {t('contacts.load_now')}
            </Button>
            <Button
              variant="default"
              color="red"
              leftSection={<Trash2 size={16} />}
              onClick={() => setRemoving(true)}
            >
              {t('contacts.remove_source')}
            </Button>
          </>
        )
      }
    >
      {source && !source.tested && (
        <Note tone="warn" title={t('contacts.untested')}>
          {t('contacts.untested_text')}
        </Note>
      )}
      <form
        ref={form.ref}
        className="stack"
        onSubmit={(event) => void form.submit(event)}
        noValidate
      >
        <FormProblem form={form} />
        {kind === 'feed' ? (
          <FeedFields form={form} may={may} keeps={source?.has_secret ?? false} problem={problem} />
        ) : (
          <SheetFields
            form={form}
            may={may}
            keeps={source?.has_secret ?? false}
            problem={problem}
            columns={tested?.result.keys ?? []}
          />
        )}
        <Schedule form={form} may={may} />
        {problem && problem.errors.length === 0 && <FailureBox failure={problem} />}
        {may && (
          <div className="row actions-end">
            <Button
              variant="default"
              leftSection={<FlaskConical size={16} />}
              loading={testing}
              onClick={() => void test()}
            >
              {t('contacts.test_load')}
            </Button>
            <Button type="submit" loading={form.busy} disabled={source !== null && !dirty}>
              {t('contacts.save_source')}
            </Button>
          </div>
        )}
      </form>
      <div role="status" aria-live="polite">
        {testing && <p className="muted">{t('contacts.testing')}</p>}
        {tested && !testing && (
          <TestResult result={tested.result} settings={settingsOf(values)} takePath={takePath} />
        )}
      </div>
      {source && <Pulls source={source} />}
      {source && removing && <Remove source={source} onClose={() => setRemoving(false)} />}
    </Page>
  );
}

/** What a test proves: the settings and the secret. */
const fingerprint = (values: SourceValues) => JSON.stringify([settingsOf(values), values.secret]);

const sameRest = (a: SourceValues, b: SourceValues) =>
  a.name === b.name &&
  a.enabled === b.enabled &&
  a.scheduled === b.scheduled &&
  a.every_min === b.every_min;

interface Part {
  form: Form<SourceValues>;
  may: boolean;
}

/** A text field by its name, which is also where the server finds fault. */
function useText({ form, may }: Part, problem: Problem | null) {
  return (key: keyof SourceValues, field: string) => ({
    name: field,
    readOnly: !may,
    value: String(form.values[key] ?? ''),
    onChange: (event: { currentTarget: { value: string } }) =>
      form.set(key, event.currentTarget.value as never),
    autoComplete: 'off',
    spellCheck: false,
    error: form.error(field) ?? faultOf(problem, field),
  });
}

function faultOf(problem: Problem | null, field: string): string | undefined {
  const fault = problem?.errors.find((one) => one.field === field);
  return fault && ((fault as { detail?: string }).detail ?? fault.code);
}

function Region({ form, may }: Part) {
  const { t, i18n } = useTranslation();
  const regions = useMemo(
    () => countries().map(({ code, name }) => ({ value: code, label: name })),
    // Names follow the language.
    // oxlint-disable-next-line react/exhaustive-deps
    [i18n.language],
  );
  return (
    <Select
      label={t('contacts.region')}
      description={t('contacts.region_help')}
      name="settings.region"
      data={regions}
      value={form.values.region}
      searchable
      limit={250}
      allowDeselect={false}
      readOnly={!may}
      onChange={(code) => code && form.set('region', code)}
      error={form.error('settings.region')}
    />
  );
}

function FeedFields({
  form,
  may,
  keeps,
  problem,
}: Part & { keeps: boolean; problem: Problem | null }) {
  const { t } = useTranslation();
  const text = useText({ form, may }, problem);
  const { values } = form;
  return (
    <>
      <Panel title={t('contacts.feed.where')}>
        <TextInput
          label={t('contacts.source_name')}
          description={t('contacts.source_name_help')}
          {...text('name', 'name')}
        />
        <TextInput
          label={t('contacts.feed.url')}
          description={t('contacts.feed.url_help')}
          inputMode="url"
          {...text('url', 'settings.url')}
        />
        <div className="form-grid">
          <Select
            label={t('contacts.feed.auth')}
            data={(['none', 'bearer', 'basic', 'header'] as const).map((value) => ({
              value,
              label: t(`contacts.feed.auths.${value}`),
            }))}
            value={values.scheme}
            allowDeselect={false}
            readOnly={!may}
            onChange={(scheme) => scheme && form.set('scheme', scheme as SourceValues['scheme'])}
          />
          {values.scheme === 'basic' && (
            <TextInput label={t('contacts.feed.user')} {...text('user', 'settings.auth.user')} />
          )}
          {values.scheme === 'header' && (
            <TextInput
              label={t('contacts.feed.header')}
              {...text('header', 'settings.auth.name')}
            />
          )}
          {values.scheme !== 'none' && (
            <PasswordInput
              label={t(`contacts.feed.secrets.${values.scheme}`)}
              description={keeps ? t('contacts.secret_kept') : t('contacts.secret_help')}
              placeholder={keeps ? '••••••••' : ''}
              visibilityToggleButtonProps={{ 'aria-label': t('auth.show_password'), tabIndex: 0 }}
              {...text('secret', 'secret')}
              autoComplete="new-password"
            />
          )}
        </div>
      </Panel>
      <Panel title={t('contacts.feed.what')} hint={t('contacts.feed.what_help')}>
        <TextInput
          label={t('contacts.feed.path')}
          description={t('contacts.feed.path_help')}
          {...text('path', 'settings.path')}
        />
        <div className={css.keys}>
          <TextInput label={t('contacts.feed.key_id')} {...text('key_id', 'settings.keys.id')} />
          <TextInput
            label={t('contacts.feed.key_phone')}
            {...text('key_phone', 'settings.keys.phone')}
          />
          <TextInput
            label={t('contacts.feed.key_name')}
            {...text('key_name', 'settings.keys.name')}
          />
          <TextInput
            label={t('contacts.feed.key_zone')}
            {...text('key_zone', 'settings.keys.zone')}
          />
        </div>
        <div className="form-grid">
          <Region form={form} may={may} />
          <NumberInput
            label={t('contacts.feed.timeout')}
            name="settings.timeout_s"
            min={5}
            max={120}
            allowDecimal={false}
            suffix={` ${t('common.units.s')}`}
            readOnly={!may}
            value={values.timeout_s}
            onChange={(value) => form.set('timeout_s', Number(value))}
            error={form.error('settings.timeout_s')}
          />
        </div>
        <div className="form-grid">
          <Select
            label={t('contacts.feed.paging')}
            data={(['none', 'page', 'cursor', 'link'] as const).map((value) => ({
              value,
              label: t(`contacts.feed.pagings.${value}`),
            }))}
            value={values.paging}
            allowDeselect={false}
            readOnly={!may}
            onChange={(paging) => paging && form.set('paging', paging as SourceValues['paging'])}
          />
          {(values.paging === 'page' || values.paging === 'cursor') && (
            <TextInput
              label={t('contacts.feed.param')}
              {...text('param', 'settings.paging.param')}
            />
          )}
          {values.paging === 'page' && (
            <NumberInput
              label={t('contacts.feed.first')}
              min={0}
              max={1}
              allowDecimal={false}
              readOnly={!may}
              value={values.first}
              onChange={(value) => form.set('first', Number(value))}
            />
          )}
          {values.paging === 'cursor' && (
            <TextInput
              label={t('contacts.feed.cursor')}
              {...text('cursor', 'settings.paging.path')}
            />
          )}
        </div>
      </Panel>
    </>
  );
}

function SheetFields({
  form,
  may,
  keeps,
  problem,
  columns,
}: Part & { keeps: boolean; problem: Problem | null; columns: string[] }) {
  const { t } = useTranslation();
  const text = useText({ form, may }, problem);
  const { values } = form;
  const names = [
    ...new Set([
      ...columns,
      ...values.mapping.phone,
      ...[values.mapping.id, values.mapping.name, values.mapping.zone].filter((one) => one != null),
    ]),
  ];
  const choose = (field: 'id' | 'name' | 'zone') => ({
    data: names,
    value: values.mapping[field] ?? null,
    clearable: true,
    readOnly: !may,
    onChange: (value: string | null) =>
      form.set('mapping', withColumn(values.mapping, field, value)),
  });
  return (
    <>
      <Panel title={t('contacts.sheet.where')}>
        <TextInput
          label={t('contacts.source_name')}
          description={t('contacts.source_name_help')}
          {...text('name', 'name')}
        />
        <TextInput
          label={t('contacts.sheet.link')}
          description={t('contacts.sheet.link_help')}
          inputMode="url"
          {...text('link', 'settings.link')}
        />
        <Select
          label={t('contacts.sheet.access')}
          data={(['link', 'service_account'] as const).map((value) => ({
            value,
            label: t(`contacts.sheet.accesses.${value}`),
          }))}
          value={values.access}
          allowDeselect={false}
          readOnly={!may}
          onChange={(access) => access && form.set('access', access as SourceValues['access'])}
        />
        {values.access === 'service_account' && (
          <>
            <Textarea
              label={t('contacts.sheet.key_file')}
              description={keeps ? t('contacts.secret_kept') : t('contacts.sheet.key_file_help')}
              rows={4}
              {...text('secret', 'secret')}
            />
            {values.robot && (
              <Note tone="info">{t('contacts.sheet.share', { email: values.robot })}</Note>
            )}
            <TextInput
              label={t('contacts.sheet.tab')}
              description={t('contacts.sheet.tab_help')}
              {...text('tab', 'settings.tab')}
            />
          </>
        )}
        <Region form={form} may={may} />
      </Panel>
      <Panel title={t('contacts.sheet.columns')} hint={t('contacts.sheet.columns_help')}>
        <div className={css.keys}>
          <Select
            label={t('contacts.meaning.phone')}
            data={names}
            value={values.mapping.phone[0] ?? null}
            clearable
            readOnly={!may}
            onChange={(value) =>
              form.set('mapping', {
                ...values.mapping,
                phone: value ? [value] : [],
                variables: without(values.mapping.variables, value),
              })
            }
          />
          <Select label={t('contacts.meaning.name')} {...choose('name')} />
          <Select label={t('contacts.meaning.id')} {...choose('id')} />
          <Select label={t('contacts.meaning.zone')} {...choose('zone')} />
        </div>
      </Panel>
    </>
  );
}

type Mapping = SourceValues['mapping'];

const without = (variables: Mapping['variables'], column: string | null) =>
  Object.fromEntries(Object.entries(variables ?? {}).filter(([name]) => name !== column));

const withColumn = (mapping: Mapping, field: 'id' | 'name' | 'zone', column: string | null) => ({
  ...mapping,
  [field]: column,
  variables: without(mapping.variables, column),
});

function Schedule({ form, may }: Part) {
  const { t } = useTranslation();
  const { values } = form;
  return (
    <Panel title={t('contacts.schedule')}>
      <div className={css.when}>
        <Switch
          label={t('contacts.by_itself')}
          checked={values.scheduled}
          disabled={!may}
          onChange={(event) => form.set('scheduled', event.currentTarget.checked)}
        />
        {values.scheduled && (
          <NumberInput
            label={t('contacts.every')}
            name="every_min"
            min={1}
            max={10_080}
            allowDecimal={false}
            suffix={` ${t('common.units.min')}`}
            readOnly={!may}
            value={values.every_min}
            onChange={(value) => form.set('every_min', Number(value))}
            error={form.error('every_min')}
          />
        )}
        <Switch
          label={t('contacts.source_on')}
          checked={values.enabled}
          disabled={!may}
          onChange={(event) => form.set('enabled', event.currentTarget.checked)}
        />
      </div>
      <p className="muted small">{t('contacts.schedule_help')}</p>
    </Panel>
  );
}

function Remove({ source, onClose }: { source: Source; onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const run = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await contacts.deleteSource(source.id);
      await navigate({ to: '/campaigns/lists/$id', params: { id: source.list } });
      await sourcesChanged();
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  return (
    <ConfirmDialog
      opened
      danger
      onClose={onClose}
      title={t('contacts.remove_source_title', { name: source.name })}
      confirm={t('contacts.remove_source')}
      busy={busy}
      failure={problem}
      onConfirm={() => void run()}
    >
      {t('contacts.remove_source_text')}
    </ConfirmDialog>
  );
}
