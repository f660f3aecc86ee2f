// One line: how to reach the provider, how much it carries, and whether it works.
import {
  asProblem,
  voice,
  type Line,
  type LineCheck,
  type LineForm,
  type Problem,
} from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import {
  Button,
  Facts,
  FailureBox,
  Note,
  NumberInput,
  Page,
  Panel,
  PasswordInput,
  SegmentedControl,
  Switch,
  TextInput,
  toast,
} from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Activity, CircleCheck, CircleX, Trash2 } from 'lucide-react';
import { useState } from 'react';

import { ConfirmStep } from '../../shared/ConfirmStep';
import { useCommands } from '../../shared/commands';
import { FormProblem, useForm } from '../../shared/form';
import { Loaded } from '../../shared/Loaded';
import { Guarded } from '../../shared/NoAccess';
import { queryClient } from '../../shared/query';
import { useCan } from '../../shared/session';
import { lineTroubleWords } from '../../shared/sip';
import { useLeaveGuard } from '../../shared/leave';
import { DemoPanel, DemoPhones, usualDemo } from './DemoPanel';
import { lineQuery, linesChanged, useFreshLines } from './api';
import { LineHealthBadge } from './LineHealthBadge';
import css from './LinePage.module.css';

const route = getRouteApi('/shell/settings/lines/$id');

export function LinePage() {
  const { id } = route.useParams();
  return (
    <Guarded permission={id === 'new' ? 'line.manage' : 'line.view'}>
      {id === 'new' ? <Form line={null} /> : <Existing key={id} id={id} />}
    </Guarded>
  );
}

function Existing({ id }: { id: string }) {
  const { t } = useTranslation();
  const line = useQuery(lineQuery(id));
  if (line.data) return <Form line={line.data} />;
  return (
    <Page title={t('shell.menu.lines')} documentTitle={t('shell.menu.lines')} width="form">
      <Loaded query={line} what={t('voice.line.loading_one')}>
        {() => null}
      </Loaded>
    </Page>
  );
}

type Values = LineForm & { password: string };

const blank: Values = {
  name: '',
  mode: 'registration',
  host: '',
  port: 5060,
  user: '',
  auth_user: '',
  realm: '',
  expires_s: 300,
  caller_id: '',
  channels: 10,
  calls_per_second: 1,
  codecs: ['pcma', 'pcmu'],
  enabled: true,
  demo: null,
  password: '',
};

function valuesOf(line: Line): Values {
  return {
    name: line.name,
    mode: line.mode,
    host: line.host,
    port: line.port,
    user: line.user ?? '',
    auth_user: line.auth_user ?? '',
    realm: line.realm ?? '',
    expires_s: line.expires_s,
    caller_id: line.caller_id ?? '',
    channels: line.channels,
    calls_per_second: line.calls_per_second,
    codecs: line.codecs,
    enabled: line.enabled,
    demo: line.demo,
    password: '',
  };
}

/** Empty texts are absent; a password goes only when it was typed. */
function bodyOf({ password, demo, ...values }: Values): Partial<LineForm> {
  const orNull = (text: string | null) => (text?.trim() ? text.trim() : null);
  return {
    ...values,
    name: values.name.trim(),
    host: values.host.trim(),
    user: orNull(values.user),
    auth_user: orNull(values.auth_user),
    realm: orNull(values.realm),
    caller_id: orNull(values.caller_id),
    ...(demo ? { demo } : {}),
    ...(password ? { password } : {}),
  };
}

const modes = ['registration', 'address', 'demo'] as const;

const same = (a: Values, b: Values) => JSON.stringify(a) === JSON.stringify(b);

function Form({ line }: { line: Line | null }) {
  const { t } = useTranslation();
  const may = useCan()('line.manage');
  const navigate = useNavigate();
  const fresh = useFreshLines();
  const now = line && fresh(line);
  const [kept, setKept] = useState<Values>(line ? valuesOf(line) : blank);
  const [deleting, setDeleting] = useState(false);
  const form = useForm(
    kept,
    async (values) => {
      if (line) {
        const changed = await voice.changeLine(line.id, {
          ...bodyOf(values),
          version: line.version,
        });
        queryClient.setQueryData(lineQuery(line.id).queryKey, changed);
        setKept(valuesOf(changed));
        form.setValues(valuesOf(changed));
        await linesChanged();
        toast(t('common.saved'));
      } else {
        const made = await voice.createLine(bodyOf(values));
        await linesChanged();
        guard.release();
        await navigate({ to: '/settings/lines/$id', params: { id: made.id }, replace: true });
        toast(t('voice.line.created', { name: made.name }));
      }
    },
    (values) => [
      ...(values.name.trim() ? [] : [{ field: 'name', words: t('errors.required') }]),
      ...(values.demo || values.host.trim()
        ? []
        : [{ field: 'host', words: t('errors.required') }]),
      ...(values.mode !== 'registration' || values.user?.trim()
        ? []
        : [{ field: 'user', words: t('errors.required') }]),
    ],
  );
  const { values } = form;
  const dirty = !same(values, kept);
  const guard = useLeaveGuard(dirty && may);

  useCommands(
    may
      ? [
          {
            id: 'line.save',
            title: t('common.save'),
            group: t('shell.menu.lines'),
            keys: ['mod+s'],
            whileTyping: true,
            run: () => void form.submit(),
          },
        ]
      : [],
  );

  const text = (field: 'name' | 'host' | 'user' | 'auth_user' | 'realm' | 'caller_id') => ({
    name: field,
    readOnly: !may,
    value: values[field] ?? '',
    onChange: (event: { currentTarget: { value: string } }) =>
      form.set(field, event.currentTarget.value),
    error: form.error(field),
  });
  const numeric = (field: 'port' | 'expires_s' | 'channels' | 'calls_per_second') => ({
    name: field,
    readOnly: !may,
    value: values[field],
    onChange: (value: string | number) =>
      form.set(field, value === '' ? (0 as number) : Number(value)),
    error: form.error(field),
  });

  return (
    <Page
      title={line ? line.name : t('voice.line.new')}
      documentTitle={line ? line.name : t('voice.line.new')}
      above={<Link to="/settings/lines">{t('shell.menu.lines')}</Link>}
      badge={now && <LineHealthBadge line={now} />}
      width="form"
    >
      {now && <Health line={now} may={may} dirty={dirty} />}
      <form
        ref={form.ref}
        className="stack"
        onSubmit={(event) => void form.submit(event)}
        noValidate
      >
        <FormProblem form={form} />
        <Panel title={t('voice.line.connection')}>
          <TextInput
            label={t('voice.line.name')}
            description={t('voice.line.name_help')}
            {...text('name')}
          />
          <div>
            <SegmentedControl
              aria-label={t('voice.line.mode')}
              value={values.mode}
              readOnly={!may || line?.mode === 'demo'}
              onChange={(chosen) => {
                const mode = modes.find((one) => one === chosen) ?? 'registration';
                form.setValues({
                  ...values,
                  mode,
                  demo: mode === 'demo' ? (values.demo ?? usualDemo) : null,
                });
              }}
              data={modes
                .filter((mode) => !line || (mode === 'demo') === (line.mode === 'demo'))
                .map((mode) => ({ value: mode, label: t(`voice.modes.${mode}`) }))}
            />
            <p className="muted small">{t(`voice.mode_help.${values.mode}`)}</p>
          </div>
          {values.mode !== 'demo' && (
            <>
              <div className={css.host}>
                <TextInput
                  label={t('voice.line.host')}
                  description={t('voice.line.host_help')}
                  autoComplete="off"
                  spellCheck={false}
                  {...text('host')}
                />
                <NumberInput
                  label={t('voice.line.port')}
                  min={1}
                  max={65535}
                  allowDecimal={false}
                  hideControls
                  {...numeric('port')}
                />
              </div>
              <div className="form-grid">
                <TextInput
                  label={
                    values.mode === 'registration'
                      ? t('voice.line.user')
                      : t('voice.line.user_optional')
                  }
                  description={t('voice.line.user_help')}
                  autoComplete="off"
                  spellCheck={false}
                  {...text('user')}
                />
                <PasswordInput
                  label={t('voice.line.password')}
                  name="password"
                  description={
                    line?.has_password
                      ? t('voice.line.password_kept')
                      : t('voice.line.password_help')
                  }
                  placeholder={line?.has_password ? '••••••••' : ''}
                  autoComplete="new-password"
                  readOnly={!may}
                  value={values.password}
                  onChange={(event) => form.set('password', event.currentTarget.value)}
                  error={form.error('password')}
                  visibilityToggleButtonProps={{
                    'aria-label': t('auth.show_password'),
                    tabIndex: 0,
                  }}
                />
              </div>
              <details className={css.more}>
                <summary>{t('voice.line.more')}</summary>
                <div className="form-grid">
                  <TextInput
                    label={t('voice.line.auth_user')}
                    description={t('voice.line.auth_user_help')}
                    autoComplete="off"
                    spellCheck={false}
                    {...text('auth_user')}
                  />
                  <TextInput
                    label={t('voice.line.realm')}
                    description={t('voice.line.realm_help')}
                    autoComplete="off"
                    spellCheck={false}
                    {...text('realm')}
                  />
                  {values.mode === 'registration' && (
                    <NumberInput
                      label={t('voice.line.expires')}
                      description={t('voice.line.expires_help')}
                      min={60}
                      max={7200}
                      allowDecimal={false}
                      suffix={` ${t('common.units.s')}`}
                      {...numeric('expires_s')}
                    />
                  )}
                </div>
              </details>
            </>
          )}
        </Panel>
        {values.demo && (
          <DemoPanel
            value={values.demo}
            may={may}
            onChange={(demo) => form.set('demo', demo)}
            error={form.error('demo.seed')}
          />
        )}
        <Panel title={t('voice.line.capacity')}>
          <div className="form-grid">
            <NumberInput
              label={t('voice.line.channels')}
              description={t('voice.line.channels_help')}
              min={1}
              max={1000}
              allowDecimal={false}
              {...numeric('channels')}
            />
            <NumberInput
              label={t('voice.line.rate')}
              description={t('voice.line.rate_help')}
              min={0.1}
              max={1000}
              step={1}
              decimalScale={1}
              {...numeric('calls_per_second')}
            />
          </div>
          {values.mode !== 'demo' && (
            <TextInput
              label={t('voice.line.caller_id')}
              description={t('voice.line.caller_id_help')}
              inputMode="tel"
              autoComplete="off"
              {...text('caller_id')}
            />
          )}
          <Switch
            label={t('voice.line.enabled')}
            description={t('voice.line.enabled_help')}
            checked={values.enabled}
            disabled={!may}
            onChange={(event) => form.set('enabled', event.currentTarget.checked)}
          />
        </Panel>
        {may && (
          <div className="spread">
            {line ? (
              <Button
                variant="subtle"
                color="red"
                leftSection={<Trash2 size={16} />}
                onClick={() => setDeleting(true)}
              >
                {t('voice.line.delete')}
              </Button>
            ) : (
              <span />
            )}
            <div className="row">
              {dirty && line && (
                <Button variant="default" onClick={() => form.setValues(kept)}>
                  {t('common.discard')}
                </Button>
              )}
              <Button type="submit" loading={form.busy}>
                {line ? t('common.save') : t('voice.line.create')}
              </Button>
            </div>
          </div>
        )}
      </form>
      {line?.demo && <DemoPhones seed={line.demo.seed} />}
      {deleting && line && <DeleteLine line={line} onClose={() => setDeleting(false)} />}
      {guard.dialog}
    </Page>
  );
}

function Health({ line, may, dirty }: { line: Line; may: boolean; dirty: boolean }) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const [result, setResult] = useState<LineCheck | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const check = async () => {
    setBusy(true);
    setProblem(null);
    setResult(null);
    try {
      setResult(await voice.checkLine(line.id));
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  const { health } = line;
  return (
    <Panel
      title={t('voice.line.health')}
      actions={
        may && (
          <Button
            variant="default"
            size="xs"
            leftSection={<Activity size={15} />}
            loading={busy}
            onClick={() => void check()}
          >
            {t('voice.line.check')}
          </Button>
        )
      }
    >
      <Facts
        items={[
          [t('voice.line.state'), t(`voice.health.${line.enabled ? health.state : 'disabled'}`)],
          [t('voice.line.since'), health.since ? fmt.brief(health.since) : '—'],
          [t('voice.line.last_ok'), health.last_ok_at ? fmt.brief(health.last_ok_at) : '—'],
          [
            t('voice.line.in_use'),
            t('voice.line.of_channels', {
              used: fmt.number(line.in_use),
              channels: fmt.number(line.channels),
            }),
          ],
        ]}
      />
      {line.enabled && (health.state === 'failing' || health.state === 'down') && (
        <Note tone={health.state === 'down' ? 'danger' : 'warn'} icon={<CircleX size={18} />}>
          {lineTroubleWords(health.code, health.reason)}
        </Note>
      )}
      <div role="status">
        {result?.ok && (
          <Note tone="ok" icon={<CircleCheck size={18} />} title={t('voice.line.check_ok')}>
            {t('voice.line.check_ok_text', { ms: fmt.number(result.rtt_ms ?? 0) })}
          </Note>
        )}
        {result && !result.ok && (
          <Note tone="danger" icon={<CircleX size={18} />} title={t('voice.line.check_failed')}>
            {lineTroubleWords(result.code, result.reason)}
          </Note>
        )}
      </div>
      {dirty && <p className="muted small">{t('voice.line.check_saved')}</p>}
      {problem && <FailureBox failure={problem} />}
    </Panel>
  );
}

function DeleteLine({ line, onClose }: { line: Line; onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const step = async () => {
    await voice.deleteLine(line.id);
    await linesChanged();
    await navigate({ to: '/settings/lines', ignoreBlocker: true });
    toast(t('voice.line.deleted', { name: line.name }));
  };
  return (
    <ConfirmStep
      onClose={onClose}
      title={t('voice.line.delete_title', { name: line.name })}
      confirm={t('voice.line.delete')}
      step={step}
    >
      {t('voice.line.delete_text')}
    </ConfirmStep>
  );
}
