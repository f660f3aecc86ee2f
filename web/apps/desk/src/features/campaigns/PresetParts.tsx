// What the pages of calendars and of attempt rules share: their list, and the frame of one's form.
import type { Id, Problem } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import {
  Button,
  DataTable,
  Empty,
  FailureBox,
  Loading,
  Note,
  Page,
  Panel,
  toast,
  type Column,
} from '@switchbell/ui';
import type { UseQueryResult } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState, type ReactNode } from 'react';

import { ButtonLink } from '../../shared/ButtonLink';
import { useCommands } from '../../shared/commands';
import { ConfirmStep } from '../../shared/ConfirmStep';
import { FormProblem, useForm, type Form } from '../../shared/form';
import { useLeaveGuard } from '../../shared/leave';
import { Loaded } from '../../shared/Loaded';
import { queryClient } from '../../shared/query';
import { useCan } from '../../shared/session';

interface Preset {
  id: Id;
  name: string;
  version: number;
  used_by: readonly { id: Id; name: string }[];
}

/** A sort of preset: where its pages are, and under which key its list is kept. */
export interface Sort {
  list: '/settings/calendars' | '/campaigns/attempt-rules';
  one: '/settings/calendars/$id' | '/campaigns/attempt-rules/$id';
  key: 'calendars' | 'attempt-rules';
}

/** Every preset of a sort; what it says stands between its name and how many campaigns use it. */
export function PresetTable<P extends Preset>({
  sort,
  found,
  columns,
  icon,
  words,
}: {
  sort: Sort;
  found: UseQueryResult<P[], Problem>;
  columns: readonly Column<P>[];
  icon: ReactNode;
  words: {
    title: string;
    text: string;
    fresh: string;
    name: string;
    loading: string;
    none: string;
    noneText: string;
  };
}) {
  const { t } = useTranslation();
  const may = useCan()('campaign.edit');
  const navigate = useNavigate();
  const open = (id: string) => void navigate({ to: sort.one, params: { id } });
  useCommands(
    may
      ? [
          {
            id: `${sort.key}.new`,
            title: words.fresh,
            group: words.title,
            icon: Plus,
            keys: ['n'],
            run: () => open('new'),
          },
        ]
      : [],
  );
  const all: Column<P>[] = [
    {
      id: 'name',
      title: words.name,
      cell: (preset) => (
        <Link to={sort.one} params={{ id: preset.id }} data-row-link className="row-link">
          {preset.name}
        </Link>
      ),
    },
    ...columns,
    {
      id: 'used',
      title: t('campaigns.used_by'),
      align: 'end',
      cell: (preset) => fmt.number(preset.used_by.length),
      from: 'md',
    },
  ];
  const retry = () => void found.refetch();
  return (
    <Page
      title={words.title}
      documentTitle={words.title}
      subtitle={words.text}
      width="wide"
      actions={
        may && (
          <ButtonLink to={sort.one} params={{ id: 'new' }} leftSection={<Plus size={16} />}>
            {words.fresh}
          </ButtonLink>
        )
      }
    >
      {found.isError && <FailureBox failure={found.error} retry={retry} />}
      {!(found.isError && !found.data) && (
        <DataTable
          caption={words.title}
          columns={all}
          rows={found.data}
          rowKey={(preset) => preset.id}
          onOpen={(preset) => open(preset.id)}
          loading={<Loading what={words.loading} retry={retry} />}
          empty={
            <Empty
              icon={icon}
              title={words.none}
              action={
                may && (
                  <ButtonLink to={sort.one} params={{ id: 'new' }}>
                    {words.fresh}
                  </ButtonLink>
                )
              }
            >
              {words.noneText}
            </Empty>
          }
        />
      )}
    </Page>
  );
}

/** The editor of the preset with this id, or of a new one; what is wrong when there is none. */
export function OnePreset<P extends Preset>({
  id,
  found,
  words,
  editor,
}: {
  id: string;
  found: UseQueryResult<P[], Problem>;
  words: { title: string; loading: string; missing: string };
  editor: (preset: P | null) => ReactNode;
}) {
  if (id === 'new') return editor(null);
  const preset = found.data?.find((entry) => entry.id === id);
  if (preset) return editor(preset);
  return (
    <Page title={words.title} documentTitle={words.title} width="form">
      <Loaded query={found} what={words.loading}>
        {() => <Note tone="warn">{words.missing}</Note>}
      </Loaded>
    </Page>
  );
}

export interface PresetForm<P, V> {
  sort: Sort;
  /** Absent while it is new. */
  preset: P | null;
  form: Form<V>;
  /** As it was saved last. */
  kept: V;
  dirty: boolean;
  may: boolean;
  guard: ReturnType<typeof useLeaveGuard>;
}

/** The form of a preset: saved over the version that was read, and opened under its id once made. */
export function usePresetForm<P extends Preset, V extends { name: string }>({
  sort,
  preset,
  start,
  valuesOf,
  save,
}: {
  sort: Sort;
  preset: P | null;
  /** The values of a new one. */
  start: () => V;
  valuesOf: (preset: P) => V;
  save: (values: V, version: number) => Promise<P>;
}): PresetForm<P, V> {
  const { t } = useTranslation();
  const may = useCan()('campaign.edit');
  const navigate = useNavigate();
  const [kept, setKept] = useState<V>(() => (preset ? valuesOf(preset) : start()));
  const [version, setVersion] = useState(preset?.version ?? 0);
  const form = useForm(kept, async (values) => {
    const saved = await save({ ...values, name: values.name.trim() }, version);
    guard.release();
    setKept(valuesOf(saved));
    form.setValues(valuesOf(saved));
    setVersion(saved.version);
    await queryClient.invalidateQueries({ queryKey: [sort.key] });
    await queryClient.invalidateQueries({ queryKey: ['campaigns'] });
    toast(t('common.saved'));
    if (!preset) await navigate({ to: sort.one, params: { id: saved.id }, replace: true });
  });
  const dirty = JSON.stringify(form.values) !== JSON.stringify(kept);
  const guard = useLeaveGuard(dirty && may);
  return { sort, preset, form, kept, dirty, may, guard };
}

/** The page around the fields of a preset. */
export function PresetPage<P extends Preset, V extends { name: string }>({
  of: { sort, preset, form, kept, dirty, may, guard },
  above,
  badge,
  subtitle,
  words,
  remove,
  children,
}: {
  of: PresetForm<P, V>;
  /** The name of the list. */
  above: string;
  badge?: ReactNode;
  subtitle?: string | null | undefined | false;
  words: { fresh: string; carried: string; removeTitle: string; removeText: string };
  remove: (preset: P) => Promise<unknown>;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [removing, setRemoving] = useState(false);
  const title = preset ? kept.name : words.fresh;
  return (
    <Page
      title={title}
      documentTitle={title}
      above={<Link to={sort.list}>{above}</Link>}
      badge={badge}
      subtitle={subtitle}
      width="form"
      actions={
        preset &&
        may && (
          <Button variant="default" color="red" onClick={() => setRemoving(true)}>
            {t('common.delete')}
          </Button>
        )
      }
    >
      <form className="stack" ref={form.ref} onSubmit={(event) => void form.submit(event)}>
        {children}
        {preset && <UsedBy campaigns={preset.used_by} text={words.carried} />}
        <FormProblem form={form} />
        {may && (
          <div className="row actions-end">
            <Button type="submit" loading={form.busy} disabled={!dirty || !form.values.name.trim()}>
              {t('common.save')}
            </Button>
          </div>
        )}
      </form>
      {preset && removing && (
        <ConfirmStep
          confirm={t('common.delete')}
          title={words.removeTitle}
          onClose={() => setRemoving(false)}
          step={async () => {
            await remove(preset);
            guard.release();
            await queryClient.invalidateQueries({ queryKey: [sort.key] });
            await navigate({ to: sort.list });
          }}
        >
          {words.removeText}
        </ConfirmStep>
      )}
      {guard.dialog}
    </Page>
  );
}

function UsedBy({ campaigns, text }: { campaigns: Preset['used_by']; text: string }) {
  const { t } = useTranslation();
  return (
    <Panel title={t('campaigns.used_by')} hint={text}>
      {campaigns.length === 0 ? (
        <p className="muted">{t('campaigns.used_by_none')}</p>
      ) : (
        <ul>
          {campaigns.map(({ id, name }) => (
            <li key={id}>
              <Link to="/campaigns/$id" params={{ id }}>
                {name}
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  );
}
