// One contact list: its people, its imports.
import { apiUrl, contacts, type ContactList, type Import, type ListContact } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import {
  ActionIcon,
  Badge,
  Button,
  Empty,
  FailureBox,
  Loading,
  LongTable,
  Menu,
  Page,
  Panel,
  Stat,
  TextInput,
  toast,
  useDebouncedValue,
  type Column,
} from '@switchbell/ui';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { Ellipsis, Pencil, PhoneOff, Trash2, Upload, UsersRound } from 'lucide-react';
import { useEffect, useState } from 'react';

import { ConfirmStep } from '../../shared/ConfirmStep';
import { useCommands } from '../../shared/commands';
import { useTopicChange } from '../../shared/live';
import { Loaded } from '../../shared/Loaded';
import { Guarded } from '../../shared/NoAccess';
import { RenameDialog } from '../../shared/RenameDialog';
import { useCan } from '../../shared/session';
import { importsQuery, listContactsQuery, listQuery, listsChanged } from './api';
import { DoNotCall } from './DoNotCall';
import { ImportBadge } from './ImportBadge';
import { Sources } from './Sources';
import css from './ListPage.module.css';

const route = getRouteApi('/shell/campaigns/lists/$id');

export function ListPage() {
  const { id } = route.useParams();
  const { t } = useTranslation();
  const list = useQuery(listQuery(id));
  useTopicChange(`list:${id}`, () => void listsChanged());
  return (
    <Guarded permission="list.view">
      {list.data ? (
        <ListView key={id} list={list.data} />
      ) : (
        <Page title={t('shell.menu.lists')} documentTitle={t('shell.menu.lists')} width="wide">
          <Loaded query={list} what={t('contacts.loading_list')}>
            {() => null}
          </Loaded>
        </Page>
      )}
    </Guarded>
  );
}

function ListView({ list }: { list: ContactList }) {
  const { t } = useTranslation();
  const may = useCan()('list.edit');
  const navigate = useNavigate();
  const [dialog, setDialog] = useState<'rename' | 'delete' | null>(null);
  const openImport = () =>
    void navigate({ to: '/campaigns/lists/$id/import', params: { id: list.id } });

  useCommands(
    may
      ? [
          {
            id: 'list.import',
            title: t('contacts.import'),
            group: list.name,
            icon: Upload,
            keys: ['n'],
            run: openImport,
          },
          {
            id: 'list.rename',
            title: t('contacts.rename_list'),
            group: list.name,
            icon: Pencil,
            run: () => setDialog('rename'),
          },
        ]
      : [],
  );

  return (
    <Page
      title={list.name}
      documentTitle={list.name}
      above={<Link to="/campaigns/lists">{t('shell.menu.lists')}</Link>}
      subtitle={t('contacts.updated', { when: fmt.relative(list.updated_at) })}
      width="wide"
      fill
      actions={
        may && (
          <>
            <Button leftSection={<Upload size={16} />} onClick={openImport}>
              {t('contacts.import')}
            </Button>
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon variant="default" size={36} aria-label={t('common.more_actions')}>
                  <Ellipsis size={18} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item leftSection={<Pencil size={16} />} onClick={() => setDialog('rename')}>
                  {t('contacts.rename_list')}
                </Menu.Item>
                <Menu.Item
                  color="red"
                  leftSection={<Trash2 size={16} />}
                  onClick={() => setDialog('delete')}
                >
                  {t('contacts.delete_list')}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </>
        )
      }
    >
      <Panel>
        <div className={css.stats}>
          <Stat value={fmt.number(list.contacts)} label={t('contacts.contacts')} />
          <Stat value={fmt.number(list.numbers)} label={t('contacts.numbers')} />
          <Stat value={fmt.number(list.do_not_call)} label={t('contacts.do_not_call')} />
        </div>
        <Sources list={list.id} may={may} />
        <Imports list={list} />
      </Panel>
      <Contacts list={list} openImport={may ? openImport : null} />
      {dialog === 'rename' && <RenameList list={list} onClose={() => setDialog(null)} />}
      {dialog === 'delete' && <DeleteList list={list} onClose={() => setDialog(null)} />}
    </Page>
  );
}

/** The last imports, the running one with its progress. */
function Imports({ list }: { list: ContactList }) {
  const { t } = useTranslation();
  const imports = useQuery(importsQuery(list.id));
  const mayExport = useCan()('list.export');
  const shown = imports.data?.slice(0, 4) ?? [];
  if (imports.isError)
    return <FailureBox failure={imports.error} retry={() => void imports.refetch()} />;
  if (shown.length === 0) return null;
  return (
    <div>
      <h3>{t('contacts.imports')}</h3>
      <ul className={css.imports}>
        {shown.map((entry: Import) => (
          <li key={entry.id} className={css.import}>
            <ImportBadge state={entry.state} />
            <Link
              to="/campaigns/lists/$id/import"
              params={{ id: list.id }}
              search={{ import: entry.id }}
              className="truncate"
            >
              {entry.filename}
            </Link>
            <span className="muted small nowrap">{fmt.brief(entry.created_at)}</span>
            {(entry.state === 'done' ||
              entry.state === 'cancelled' ||
              entry.state === 'running') && (
              <span className="small">
                {t('contacts.import_line', {
                  added: entry.counts.added,
                  updated: entry.counts.updated,
                  rejected: entry.counts.rejected,
                })}
              </span>
            )}
            {mayExport && entry.counts.rejected > 0 && entry.state !== 'running' && (
              <a className="small" href={apiUrl(`imports/${entry.id}/rejected.csv`)} download>
                {t('contacts.download_rejected')}
              </a>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Contacts({ list, openImport }: { list: ContactList; openImport: (() => void) | null }) {
  const { t } = useTranslation();
  const { q } = route.useSearch();
  const navigate = useNavigate();
  const may = useCan()('do_not_call.edit');
  const [wish, setWish] = useState(q ?? '');
  const [settled] = useDebouncedValue(wish.trim(), 300);
  useEffect(() => {
    if ((q ?? '') !== settled)
      void navigate({
        to: '/campaigns/lists/$id',
        params: { id: list.id },
        search: { q: settled || undefined },
        replace: true,
      });
  }, [settled, q, navigate, list.id]);

  const found = useInfiniteQuery(listContactsQuery(list.id, q));
  const rows = found.data?.pages.flatMap((page) => page.items);
  const keys = [
    ...new Set((rows ?? []).slice(0, 50).flatMap((row) => Object.keys(row.variables))),
  ].slice(0, 3);

  const columns: Column<ListContact>[] = [
    {
      id: 'name',
      title: t('contacts.contact'),
      cell: (row) => (
        <div>
          <div className={css.name}>
            {row.name ?? <span className="muted">{t('contacts.no_name')}</span>}
          </div>
          {row.external_id && <div className="muted small">{row.external_id}</div>}
        </div>
      ),
    },
    {
      id: 'numbers',
      title: t('contacts.numbers'),
      cell: (row) => (
        <div className={css.numbers}>
          {row.numbers.map(({ phone }) => (
            <a key={phone} href={`tel:${phone}`} className="num nowrap" data-no-open>
              {fmt.phone(phone)}
            </a>
          ))}
        </div>
      ),
    },
    ...keys.map((key): Column<ListContact> => ({
      id: `v.${key}`,
      title: key,
      from: 'md',
      cell: (row) => row.variables[key] ?? '',
    })),
    {
      id: 'source',
      title: t('contacts.source'),
      from: 'lg',
      cell: (row) => <span className="muted small">{row.source}</span>,
    },
    {
      id: 'dnc',
      title: t('contacts.do_not_call'),
      quiet: true,
      align: 'end',
      cell: (row) =>
        may ? (
          <DoNotCall contact={row} />
        ) : (
          row.do_not_call && (
            <Badge tone="danger" icon={<PhoneOff size={14} />}>
              {t('contacts.do_not_call')}
            </Badge>
          )
        ),
    },
  ];
  return (
    <>
      {(list.contacts > 0 || q) && (
        <div className="toolbar">
          <TextInput
            className="toolbar-search"
            aria-label={t('contacts.find_contact')}
            placeholder={t('contacts.find_contact')}
            data-search
            value={wish}
            onChange={(event) => setWish(event.currentTarget.value)}
          />
        </div>
      )}
      {found.isError && <FailureBox failure={found.error} retry={() => void found.refetch()} />}
      {!(found.isError && !found.data) && (
        <LongTable
          caption={t('contacts.contacts')}
          columns={columns}
          rows={rows}
          rowKey={(row) => row.id}
          more={
            found.hasNextPage ? () => void (found.isFetching || found.fetchNextPage()) : undefined
          }
          loadingMore={found.isFetchingNextPage}
          loading={
            <Loading what={t('contacts.loading_contacts')} retry={() => void found.refetch()} />
          }
          empty={
            q ? (
              <Empty
                compact
                title={t('common.nothing_matches')}
                action={
                  <Button variant="default" onClick={() => setWish('')}>
                    {t('common.clear_filters')}
                  </Button>
                }
              >
                {t('contacts.no_contact_like', { q })}
              </Empty>
            ) : (
              <Empty
                icon={<UsersRound size={22} />}
                title={t('contacts.empty_list')}
                action={
                  openImport && (
                    <Button leftSection={<Upload size={16} />} onClick={openImport}>
                      {t('contacts.import')}
                    </Button>
                  )
                }
              >
                {t('contacts.empty_list_text')}
              </Empty>
            )
          }
        />
      )}
    </>
  );
}

function RenameList({ list, onClose }: { list: ContactList; onClose: () => void }) {
  const { t } = useTranslation();
  const save = async (name: string) => {
    await contacts.renameList(list.id, name);
    await listsChanged();
  };
  return (
    <RenameDialog
      title={t('contacts.rename_list')}
      label={t('contacts.list_name')}
      name={list.name}
      save={save}
      onClose={onClose}
    />
  );
}

function DeleteList({ list, onClose }: { list: ContactList; onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const step = async () => {
    await contacts.deleteList(list.id);
    await navigate({ to: '/campaigns/lists' });
    toast(t('contacts.list_deleted', { name: list.name }));
    await listsChanged();
  };
  return (
    <ConfirmStep
      onClose={onClose}
      title={t('contacts.delete_list_title', { name: list.name })}
      confirm={t('contacts.delete_list')}
      step={step}
      typedNumber={list.contacts}
    >
      {t('contacts.delete_list_text', { count: list.contacts })}
    </ConfirmStep>
  );
}
