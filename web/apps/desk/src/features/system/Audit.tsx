// The audit trail: who did what, to what, from where and when.
import { apiUrl, system, type AuditEvent, type AuditFilter } from '@switchbell/api';
import { fmt, useTranslation, wordsFor } from '@switchbell/i18n';
import {
  Button,
  DataTable,
  Empty,
  FailureBox,
  Loading,
  Page,
  Select,
  TextInput,
  type Column,
} from '@switchbell/ui';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Download, ScrollText, X } from 'lucide-react';

import { Loaded } from '../../shared/Loaded';
import { usersQuery } from '../../shared/lookups';
import { Guarded } from '../../shared/NoAccess';
import { queryClient } from '../../shared/query';
import { RetentionForm } from '../../shared/RetentionForm';
import { useCan } from '../../shared/session';
import { actions } from './actions';
import { auditQuery, auditRetentionQuery } from './api';
import css from './Audit.module.css';
import { fieldWords, partWords } from './fields';

const route = getRouteApi('/shell/settings/audit');

/** An action in words: what it was done to, and what was done. */
function actionWords(action: string): string {
  const [noun = '', verb = ''] = action.split('.');
  const thing = wordsFor(`system.nouns.${noun}`) ?? noun;
  const deed = wordsFor(`system.deeds.${verb}`) ?? verb;
  return `${thing}: ${deed}`;
}

export function Audit() {
  return (
    <Guarded permission="audit.view">
      <Trail />
    </Guarded>
  );
}

function Trail() {
  const { t } = useTranslation();
  const can = useCan();
  const search = route.useSearch();
  const navigate = useNavigate();
  const filter: AuditFilter = {
    person: search.person,
    action: search.action,
    subject: search.subject,
    from: search.from && fmt.startOfDay(search.from),
    // The last day is meant whole.
    to: search.to && fmt.startOfDay(search.to, 1),
  };
  const found = useInfiniteQuery(auditQuery(filter));
  const filtered = Object.values(search).some(Boolean);
  const go = (change: Partial<typeof search>) =>
    void navigate({ to: '/settings/audit', search: { ...search, ...change }, replace: true });
  const columns = useColumnsOf(go);
  return (
    <Page
      title={t('shell.menu.audit')}
      documentTitle={t('shell.menu.audit')}
      subtitle={t('system.audit_text')}
      width="wide"
      actions={
        can('audit.export') && (
          <Button
            component="a"
            href={apiUrl('audit/export.csv', { ...filter })}
            download
            variant="default"
            leftSection={<Download size={16} />}
          >
            {t('system.audit_export')}
          </Button>
        )
      }
    >
      <Filters />
      {found.isError && <FailureBox failure={found.error} retry={() => void found.refetch()} />}
      {!(found.isError && !found.data) && (
        <DataTable
          caption={t('shell.menu.audit')}
          columns={columns}
          rows={found.data?.pages.flatMap((page) => page.items)}
          rowKey={(event) => event.id}
          more={
            found.hasNextPage ? () => void (found.isFetching || found.fetchNextPage()) : undefined
          }
          loadingMore={found.isFetchingNextPage}
          loading={<Loading what={t('system.loading_audit')} retry={() => void found.refetch()} />}
          empty={
            <Empty
              icon={<ScrollText size={22} />}
              title={filtered ? t('common.nothing_matches') : t('system.no_audit')}
            />
          }
        />
      )}
      <Keeping />
    </Page>
  );
}

function Filters() {
  const { t } = useTranslation();
  const can = useCan();
  const navigate = useNavigate();
  const search = route.useSearch();
  const users = useQuery({ ...usersQuery, enabled: can('user.view') });
  const go = (change: Partial<typeof search>) =>
    void navigate({ to: '/settings/audit', search: { ...search, ...change }, replace: true });
  const clear = { clearable: true, clearButtonProps: { 'aria-label': t('common.clear') } } as const;
  const people = (users.data ?? []).map((user) => ({ value: user.id, label: user.name }));
  // Somebody who is not in the list any more stays to be seen as chosen.
  if (search.person && !people.some((person) => person.value === search.person))
    people.push({ value: search.person, label: search.person });
  return (
    <div className="toolbar">
      <Select
        aria-label={t('system.who')}
        placeholder={t('system.anybody')}
        data={people}
        value={search.person ?? null}
        searchable
        {...clear}
        onChange={(value) => go({ person: value ?? undefined })}
        w={200}
      />
      <Select
        aria-label={t('system.what')}
        placeholder={t('system.anything')}
        data={actions.map((action) => ({ value: action, label: actionWords(action) }))}
        value={search.action ?? null}
        searchable
        {...clear}
        onChange={(value) => go({ action: value ?? undefined })}
        w={260}
      />
      <TextInput
        type="date"
        aria-label={t('system.from_day')}
        title={t('system.from_day')}
        value={search.from ?? ''}
        max={search.to}
        onChange={(event) => go({ from: event.currentTarget.value || undefined })}
        w={150}
      />
      <TextInput
        type="date"
        aria-label={t('system.to_day')}
        title={t('system.to_day')}
        value={search.to ?? ''}
        min={search.from}
        onChange={(event) => go({ to: event.currentTarget.value || undefined })}
        w={150}
      />
      {search.subject && (
        <Button
          size="xs"
          variant="light"
          rightSection={<X size={14} />}
          onClick={() => go({ subject: undefined })}
        >
          {t('system.only_object', { object: search.subject })}
        </Button>
      )}
      {Object.values(search).some(Boolean) && (
        <Button
          size="xs"
          variant="subtle"
          onClick={() => void navigate({ to: '/settings/audit', search: {}, replace: true })}
        >
          {t('common.clear_filters')}
        </Button>
      )}
    </div>
  );
}

function useColumnsOf(
  go: (change: { person?: string; subject?: string }) => void,
): Column<AuditEvent>[] {
  const { t } = useTranslation();
  return [
    {
      id: 'when',
      title: t('system.when'),
      cell: (event) => <span className="nowrap num">{fmt.dateTime(event.at)}</span>,
    },
    {
      id: 'who',
      title: t('system.who'),
      cell: (event) => (
        <div>
          <div>{event.person ? (event.person.name ?? event.person.id) : t('system.nobody')}</div>
          {event.address && <div className="muted small num">{event.address}</div>}
        </div>
      ),
    },
    {
      id: 'what',
      title: t('system.what'),
      cell: (event) => (
        <div>
          <div>{actionWords(event.action)}</div>
          <div className="row gap-2">
            <Subject subject={event.subject} />
            <Button
              size="compact-xs"
              variant="subtle"
              onClick={() => go({ subject: event.subject })}
            >
              {t('system.only_this')}
            </Button>
          </div>
        </div>
      ),
    },
    {
      id: 'changes',
      title: t('system.changes'),
      cell: (event) => <Changes event={event} />,
      from: 'sm',
    },
  ];
}

/** What it was done to, as a link where that has a page. */
function Subject({ subject }: { subject: string }) {
  const can = useCan();
  const [kind = '', id = ''] = subject.split(':');
  if (id === '') return <span className="muted small">{subject}</span>;
  const params = { id };
  if (kind === 'campaign' && can('campaign.view'))
    return (
      <Link to="/campaigns/$id" params={params} className="small">
        {subject}
      </Link>
    );
  if (kind === 'list' && can('list.view'))
    return (
      <Link to="/campaigns/lists/$id" params={params} className="small">
        {subject}
      </Link>
    );
  if (kind === 'line' && can('line.view'))
    return (
      <Link to="/settings/lines/$id" params={params} className="small">
        {subject}
      </Link>
    );
  return <span className="muted small">{subject}</span>;
}

/** A value in a line: lists with commas, things with their fields, nothing as a dash. */
function plain(value: unknown, thing: string, path: string): string {
  if (value === null || value === undefined) return '—';
  if (Array.isArray(value)) {
    // A pair of times is an interval.
    const times = value.every((one) => typeof one === 'string' && /^\d\d:\d\d$/.test(one));
    if (value.length === 2 && times) return value.join('–');
    return value.length === 0 ? '—' : value.map((one) => plain(one, thing, path)).join(', ');
  }
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([name, part]) => {
        const at = `${path}.${name}`;
        return `${partWords(thing, at)}: ${plain(part, thing, at)}`;
      })
      .join('; ');
  return String(value as string | number | boolean);
}

interface Change {
  field: string;
  before?: unknown;
  after?: unknown;
}

const isThing = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Of a thing that changed only the fields that did. */
function parts(change: Change): Change[] {
  const { field, before, after } = change;
  if (!isThing(before) || !isThing(after)) return [change];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names
    .map((name) => ({ field: `${field}.${name}`, before: before[name], after: after[name] }))
    .filter((part) => JSON.stringify(part.before) !== JSON.stringify(part.after))
    .flatMap(parts);
}

function Changes({ event }: { event: AuditEvent }) {
  const { t } = useTranslation();
  const [thing = ''] = event.action.split('.');
  const facts = Object.entries(event.facts).filter(([, value]) => value !== null);
  if (event.changes.length === 0 && facts.length === 0) return <span className="muted">—</span>;
  return (
    <dl className={css.changes}>
      {event.changes.flatMap(parts).map(({ field, before, after }) => (
        <div key={field}>
          <dt>{fieldWords(thing, field)}</dt>
          <dd>
            <del>
              <span className="hidden-visually">{t('system.before')} </span>
              {plain(before, thing, field)}
            </del>{' '}
            →{' '}
            <ins>
              <span className="hidden-visually">{t('system.after')} </span>
              {plain(after, thing, field)}
            </ins>
          </dd>
        </div>
      ))}
      {facts.map(([field, value]) => (
        <div key={field}>
          <dt>{fieldWords(thing, field)}</dt>
          <dd>{plain(value, thing, field)}</dd>
        </div>
      ))}
    </dl>
  );
}

/** How long the trail is kept. */
function Keeping() {
  const { t } = useTranslation();
  const found = useQuery(auditRetentionQuery);
  return (
    <Loaded query={found} what={t('common.loading')} rows={2}>
      {({ days }) => (
        <RetentionForm
          key={days}
          present={days}
          usual={365}
          title={t('system.audit_kept')}
          name="audit"
          effect={(wish, signal) => system.auditRetentionEffect(wish, { signal })}
          save={async (wish) => {
            const now = await system.setAuditRetention(wish);
            queryClient.setQueryData(auditRetentionQuery.queryKey, now);
            await queryClient.invalidateQueries({ queryKey: ['audit'] });
          }}
          words={{
            howLong: t('system.audit_how_long'),
            wouldRemove: ({ removed }) => t('system.audit_would_remove', { count: removed }),
            ask: (count) => t('system.audit_ask', { count }),
            askText: t('system.audit_ask_text'),
          }}
        />
      )}
    </Loaded>
  );
}
