// The six sections of the campaign form.
import { apiUrl, type Campaign, type CampaignSettings } from '@switchbell/api';
import { fmt, timeZones, useTranslation } from '@switchbell/i18n';
import {
  AudioPlayer,
  Checkbox,
  Empty,
  MultiSelect,
  Note,
  NumberInput,
  Select,
  Switch,
  Textarea,
  TextInput,
} from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { Link, useRouterState } from '@tanstack/react-router';
import { AudioLines, Phone, Upload, UsersRound } from 'lucide-react';
import { useMemo, type ReactNode } from 'react';

import { ButtonLink } from '../../shared/ButtonLink';
import type { Form } from '../../shared/form';
import { audioQuery, linesQuery, listsQuery } from '../../shared/lookups';
import { useCan } from '../../shared/session';
import { AttemptFields } from './AttemptFields';
import { HoursEditor } from './fields';
import { onAnswerActions } from './on-answer';
import { CalendarChoice, RuleChoice } from './PresetChoice';
import type { Section as SectionName } from './problems';
import css from './sections.module.css';

interface SectionProps {
  form: Form<CampaignSettings>;
  readOnly: boolean;
  campaign: Campaign | null;
}

function Section({
  name,
  hint,
  children,
}: {
  name: SectionName;
  hint?: string;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  return (
    <section
      className={css.section}
      id={`section-${name}`}
      tabIndex={-1}
      aria-labelledby={`title-${name}`}
    >
      <div>
        <h2 id={`title-${name}`}>{t(`campaigns.sections.${name}`)}</h2>
        {hint && <p className="muted small">{hint}</p>}
      </div>
      {children}
    </section>
  );
}

/** Says when a changed field takes effect, once calls are being made. */
function useEffectWords({ campaign, readOnly }: Pick<SectionProps, 'campaign' | 'readOnly'>): {
  live?: string;
  next?: string;
} {
  const { t } = useTranslation();
  if (readOnly) return {};
  if (campaign?.state !== 'running' && campaign?.state !== 'paused') return {};
  return { live: t('campaigns.effect_live'), next: t('campaigns.effect_next') };
}

export function Basics({ form, readOnly, campaign }: SectionProps) {
  const { t } = useTranslation();
  const { values } = form;
  const effect = useEffectWords({ campaign, readOnly });
  const zones = useMemo(
    () =>
      [...new Set([values.time_zone, ...timeZones(), 'UTC'])].filter(Boolean).map((zone) => ({
        value: zone,
        label: `${zone.replaceAll('_', ' ')} (${fmt.offset(zone)})`,
      })),
    [values.time_zone],
  );
  const date = (edge: 'from' | 'to', label: string) => (
    <TextInput
      label={label}
      name={`period.${edge}`}
      type="date"
      readOnly={readOnly}
      value={values.period[edge] ?? ''}
      onChange={(event) =>
        form.set('period', { ...values.period, [edge]: event.currentTarget.value || null })
      }
      description={
        values.period[edge] ? fmt.date(values.period[edge], 'long', 'UTC') : t('campaigns.no_limit')
      }
      error={form.error(`period.${edge}`) ?? (edge === 'to' ? form.error('period') : undefined)}
    />
  );
  return (
    <Section name="basics" {...(effect.live ? { hint: effect.live } : {})}>
      <TextInput
        label={t('campaigns.name_field')}
        name="name"
        maxLength={200}
        readOnly={readOnly}
        autoFocus={campaign === null}
        value={values.name}
        onChange={(event) => form.set('name', event.currentTarget.value)}
        error={form.error('name')}
      />
      <Textarea
        label={t('campaigns.notes')}
        name="notes"
        maxLength={5000}
        autosize
        minRows={2}
        maxRows={8}
        readOnly={readOnly}
        value={values.notes}
        onChange={(event) => form.set('notes', event.currentTarget.value)}
        error={form.error('notes')}
      />
      <div className="form-grid">
        {date('from', t('campaigns.period_from'))}
        {date('to', t('campaigns.period_to'))}
        <Select
          label={t('campaigns.zone')}
          name="time_zone"
          disabled={values.calendar_id !== null}
          data={zones}
          searchable
          limit={80}
          allowDeselect={false}
          nothingFoundMessage={t('common.nothing_matches')}
          readOnly={readOnly}
          value={values.time_zone}
          onChange={(zone) => zone && form.set('time_zone', zone)}
          error={form.error('time_zone')}
        />
      </div>
      <div className="stack gap-1">
        <h3>{t('campaigns.hours')}</h3>
        <p className="muted small">{t('campaigns.hours_help')}</p>
        <CalendarChoice form={form} readOnly={readOnly} />
        {values.calendar_id === null && (
          <HoursEditor
            value={values.hours}
            onChange={(hours) => form.set('hours', hours)}
            readOnly={readOnly}
            errorOf={form.error}
          />
        )}
        {form.error('hours') && <p className={css.fault}>{form.error('hours')}</p>}
      </div>
      <Checkbox
        label={t('campaigns.contact_zone')}
        description={t('campaigns.contact_zone_help')}
        name="use_contact_zone"
        disabled={readOnly}
        checked={values.use_contact_zone}
        onChange={(event) => form.set('use_contact_zone', event.currentTarget.checked)}
      />
    </Section>
  );
}

export function LineSection({ form, readOnly, campaign }: SectionProps) {
  const { t } = useTranslation();
  const can = useCan();
  const { values } = form;
  const lines = useQuery({ ...linesQuery, enabled: can('line.view') });
  const line = lines.data?.find((entry) => entry.id === values.line_id);
  const effect = useEffectWords({ campaign, readOnly });
  return (
    <Section name="line" {...(effect.live ? { hint: effect.live } : {})}>
      {lines.data?.length === 0 ? (
        <Empty
          compact
          icon={<Phone size={20} />}
          title={t('campaigns.no_lines')}
          action={
            can('line.manage') && (
              <ButtonLink to="/settings/lines/$id" params={{ id: 'new' }} variant="default">
                {t('campaigns.connect_line')}
              </ButtonLink>
            )
          }
        >
          {t('campaigns.no_lines_text')}
        </Empty>
      ) : (
        <Select
          label={t('campaigns.line')}
          name="line_id"
          placeholder={t('campaigns.choose_line')}
          data={(lines.data ?? []).map((entry) => ({
            value: entry.id,
            label: `${entry.name} · ${t(`voice.health.${entry.enabled ? entry.health.state : 'disabled'}`)}`,
          }))}
          readOnly={readOnly || campaign?.state === 'running'}
          value={values.line_id}
          onChange={(id) => form.set('line_id', id)}
          error={form.error('line_id')}
          description={
            campaign?.state === 'running'
              ? t('campaigns.line_locked')
              : line &&
                t('campaigns.line_facts', {
                  caller: line.caller_id ? fmt.phone(line.caller_id) : '—',
                  channels: fmt.number(line.channels),
                })
          }
        />
      )}
      <div className="form-grid">
        <NumberInput
          label={t('campaigns.concurrency')}
          name="concurrency"
          description={t('campaigns.concurrency_help')}
          min={1}
          max={1000}
          allowDecimal={false}
          readOnly={readOnly}
          value={values.concurrency}
          onChange={(value) => form.set('concurrency', Number(value || 1))}
          error={form.error('concurrency')}
        />
        <NumberInput
          label={t('campaigns.rate')}
          name="calls_per_second"
          description={t('campaigns.rate_help')}
          min={0.1}
          max={1000}
          decimalScale={1}
          readOnly={readOnly}
          value={values.calls_per_second ?? ''}
          onChange={(value) => form.set('calls_per_second', value === '' ? null : Number(value))}
          error={form.error('calls_per_second')}
        />
        <NumberInput
          label={t('campaigns.priority')}
          name="priority"
          description={t('campaigns.priority_help')}
          min={-100}
          max={100}
          allowDecimal={false}
          readOnly={readOnly}
          value={values.priority}
          onChange={(value) => form.set('priority', Number(value || 0))}
          error={form.error('priority')}
        />
      </div>
      {line && values.concurrency > line.channels && (
        <Note tone="warn">
          {t('campaigns.more_than_channels', {
            limit: fmt.number(values.concurrency),
            channels: fmt.number(line.channels),
          })}
        </Note>
      )}
    </Section>
  );
}

export function Attempts({ form, readOnly, campaign }: SectionProps) {
  const effect = useEffectWords({ campaign, readOnly });
  const { values } = form;
  return (
    <Section name="attempts" {...(effect.next ? { hint: effect.next } : {})}>
      <RuleChoice form={form} readOnly={readOnly} />
      {values.attempt_rule_id === null && <AttemptFields form={form} readOnly={readOnly} />}
    </Section>
  );
}

export function OnAnswer({ form, readOnly, campaign }: SectionProps) {
  const { t } = useTranslation();
  const can = useCan();
  const { values } = form;
  const audio = useQuery({ ...audioQuery, enabled: can('audio.view') });
  const chosen = audio.data?.find((entry) => entry.id === (values.on_answer?.audio_id ?? null));
  const effect = useEffectWords({ campaign, readOnly });
  return (
    <Section name="on_answer" {...(effect.next ? { hint: effect.next } : {})}>
      <div className={css.cards} role="radiogroup" aria-label={t('campaigns.sections.on_answer')}>
        {onAnswerActions.map((action) => (
          <label key={action.kind} className={css.card}>
            <input
              type="radio"
              name="on_answer.kind"
              className="hidden-visually"
              disabled={readOnly}
              checked={values.on_answer?.kind === action.kind}
              onChange={() => form.set('on_answer', action.blank)}
            />
            <action.icon size={20} aria-hidden="true" />
            <span>
              <span className={css.cardTitle}>{t(`campaigns.on_answer.${action.kind}`)}</span>
              <span className="muted small">{t(`campaigns.on_answer.${action.kind}_text`)}</span>
            </span>
          </label>
        ))}
      </div>
      {audio.data?.length === 0 ? (
        <Empty
          compact
          icon={<AudioLines size={20} />}
          title={t('campaigns.no_audio')}
          action={
            can('audio.edit') && (
              <ButtonLink to="/settings/audio-library" variant="default">
                {t('campaigns.upload_audio')}
              </ButtonLink>
            )
          }
        />
      ) : (
        <Select
          label={t('campaigns.audio')}
          name="on_answer.audio_id"
          placeholder={t('campaigns.choose_audio')}
          data={(audio.data ?? []).map((entry) => ({
            value: entry.id,
            label: `${entry.name} · ${fmt.duration(entry.duration_s)}`,
          }))}
          searchable
          nothingFoundMessage={t('common.nothing_matches')}
          readOnly={readOnly}
          value={values.on_answer?.audio_id ?? null}
          onChange={(id) => form.set('on_answer', { kind: 'audio', audio_id: id })}
          error={form.error('on_answer.audio_id') ?? form.error('on_answer')}
          description={
            can('audio.view') && (
              <Link to="/settings/audio-library">{t('campaigns.open_library')}</Link>
            )
          }
        />
      )}
      {chosen && (
        <AudioPlayer
          key={chosen.id}
          src={apiUrl(`audio/${chosen.id}/file`)}
          duration={chosen.duration_s}
          label={t('voice.audio.player_of', { name: chosen.name })}
        />
      )}
    </Section>
  );
}

export function Contacts({ form, readOnly, campaign }: SectionProps) {
  const { t } = useTranslation();
  const can = useCan();
  const { values } = form;
  const lists = useQuery({ ...listsQuery, enabled: can('list.view') });
  const here = useRouterState({ select: (state) => state.location.pathname });
  const chosen = (lists.data ?? []).filter((list) => values.lists.includes(list.id));
  const started = campaign !== null && campaign.state !== 'draft';
  return (
    <Section name="contacts" hint={t('campaigns.contacts_help')}>
      {lists.data?.length === 0 ? (
        <Empty
          compact
          icon={<UsersRound size={20} />}
          title={t('campaigns.no_lists')}
          action={
            can('list.edit') && (
              <ButtonLink
                to="/campaigns/lists"
                variant="default"
                leftSection={<Upload size={16} />}
              >
                {t('campaigns.import_contacts')}
              </ButtonLink>
            )
          }
        />
      ) : (
        <MultiSelect
          label={t('campaigns.lists')}
          name="lists"
          placeholder={values.lists.length === 0 ? t('campaigns.choose_lists') : ''}
          data={(lists.data ?? []).map((list) => ({
            value: list.id,
            label: `${list.name} (${fmt.number(list.contacts)})`,
          }))}
          searchable
          nothingFoundMessage={t('common.nothing_matches')}
          readOnly={readOnly}
          value={values.lists}
          onChange={(ids) => form.set('lists', ids)}
          error={form.error('lists')}
        />
      )}
      {chosen.length > 0 && (
        <ul className={css.lists}>
          {chosen.map((list) => (
            <li key={list.id} className="spread gap-2">
              <span>
                <Link to="/campaigns/lists/$id" params={{ id: list.id }}>
                  {list.name}
                </Link>{' '}
                <span className="muted small">
                  {t('campaigns.list_facts', { count: list.contacts })}
                  {list.do_not_call > 0 &&
                    ` · ${t('campaigns.list_dnc', { count: list.do_not_call })}`}
                </span>
              </span>
              {can('list.edit') && (
                <ButtonLink
                  to="/campaigns/lists/$id/import"
                  params={{ id: list.id }}
                  search={{ back: here }}
                  size="xs"
                  variant="default"
                  leftSection={<Upload size={14} />}
                >
                  {t('campaigns.import_contacts')}
                </ButtonLink>
              )}
            </li>
          ))}
        </ul>
      )}
      {campaign?.again && (
        <Note tone="info">
          {campaign.again.all
            ? t('campaigns.again.note_all')
            : t('campaigns.again.note_unsuccessful')}{' '}
          <Link to="/campaigns/$id" params={{ id: campaign.again.campaign }}>
            {t('campaigns.again.first')}
          </Link>
        </Note>
      )}
      {started && <p className="muted small">{t('campaigns.lists_started')}</p>}
      <Checkbox
        label={t('campaigns.always_active')}
        description={t('campaigns.always_active_help')}
        name="always_active"
        disabled={readOnly}
        checked={values.always_active}
        onChange={(event) => form.set('always_active', event.currentTarget.checked)}
      />
    </Section>
  );
}

export function Recording({ form, readOnly, campaign }: SectionProps) {
  const { t } = useTranslation();
  const effect = useEffectWords({ campaign, readOnly });
  return (
    <Section name="recording" {...(effect.next ? { hint: effect.next } : {})}>
      <Switch
        label={t('campaigns.record')}
        description={t('campaigns.record_help')}
        name="record"
        disabled={readOnly}
        checked={form.values.record}
        onChange={(event) => form.set('record', event.currentTarget.checked)}
      />
    </Section>
  );
}
