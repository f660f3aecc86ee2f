// Every contact list of the account.
import { asProblem, contacts, type ContactList, type Problem } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import {
  Button,
  DataTable,
  Empty,
  FailureBox,
  Loading,
  Modal,
  Page,
  TextInput,
  type Column,
} from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Plus, Upload, UsersRound } from 'lucide-react';
import { useState, type FormEvent } from 'react';

import { useCommands } from '../../shared/commands';
import { fold } from '../../shared/fold';
import { listsQuery } from '../../shared/lookups';
import { Guarded } from '../../shared/NoAccess';
import { useCan } from '../../shared/session';
import { listsChanged } from './api';

export function Lists() {
  return (
    <Guarded permission="list.view">
      <ListTable />
    </Guarded>
  );
}

function ListTable() {
  const { t } = useTranslation();
  const may = useCan()('list.edit');
  const navigate = useNavigate();
  const lists = useQuery(listsQuery);
  const [creating, setCreating] = useState(false);
  const [q, setQ] = useState('');

  useCommands(
    may
      ? [
          {
            id: 'list.new',
            title: t('contacts.new_list'),
            group: t('shell.menu.lists'),
            icon: Plus,
            keys: ['n'],
            run: () => setCreating(true),
          },
        ]
      : [],
  );

  const columns: Column<ContactList>[] = [
    {
      id: 'name',
      title: t('contacts.list_name'),
      cell: (list) => (
        <Link to="/campaigns/lists/$id" params={{ id: list.id }} data-row-link className="row-link">
          {list.name}
        </Link>
      ),
    },
    {
      id: 'contacts',
      title: t('contacts.contacts'),
      align: 'end',
      cell: (list) => fmt.number(list.contacts),
    },
    {
      id: 'numbers',
      title: t('contacts.numbers'),
      tip: t('contacts.numbers_tip'),
      align: 'end',
      cell: (list) => fmt.number(list.numbers),
      from: 'sm',
    },
    {
      id: 'dnc',
      title: t('contacts.do_not_call'),
      tip: t('contacts.do_not_call_tip'),
      align: 'end',
      cell: (list) => fmt.number(list.do_not_call),
      from: 'sm',
    },
    {
      id: 'updated',
      title: t('common.updated'),
      cell: (list) => <span className="nowrap muted">{fmt.relative(list.updated_at)}</span>,
      from: 'md',
    },
  ];
  const rows = lists.data?.filter((list) => fold(list.name).includes(fold(q)));
  return (
    <Page
      title={t('shell.menu.lists')}
      documentTitle={t('shell.menu.lists')}
      subtitle={t('contacts.lists_text')}
      width="wide"
      actions={
        may && (
          <Button leftSection={<Plus size={16} />} onClick={() => setCreating(true)}>
            {t('contacts.new_list')}
          </Button>
        )
      }
    >
      {(lists.data?.length ?? 0) > 5 && (
        <div className="toolbar">
          <TextInput
            className="toolbar-search"
            aria-label={t('contacts.find_list')}
            placeholder={t('contacts.find_list')}
            data-search
            value={q}
            onChange={(event) => setQ(event.currentTarget.value)}
          />
        </div>
      )}
      {lists.isError && <FailureBox failure={lists.error} retry={() => void lists.refetch()} />}
      {!(lists.isError && !lists.data) && (
        <DataTable
          caption={t('shell.menu.lists')}
          columns={columns}
          rows={rows}
          rowKey={(list) => list.id}
          onOpen={(list) => void navigate({ to: '/campaigns/lists/$id', params: { id: list.id } })}
          loading={
            <Loading what={t('contacts.loading_lists')} retry={() => void lists.refetch()} />
          }
          empty={
            lists.data?.length ? (
              <Empty
                title={t('common.nothing_matches')}
                action={
                  <Button variant="default" onClick={() => setQ('')}>
                    {t('common.clear_filters')}
                  </Button>
                }
              >
                {t('contacts.no_list_named', { name: q })}
              </Empty>
            ) : (
              <Empty
                icon={<UsersRound size={22} />}
                title={t('contacts.no_lists')}
                action={
                  may && (
                    <Button leftSection={<Upload size={16} />} onClick={() => setCreating(true)}>
                      {t('contacts.first_list')}
                    </Button>
                  )
                }
              >
                {t('contacts.no_lists_text')}
              </Empty>
            )
          }
        />
      )}
      {creating && <NewList onClose={() => setCreating(false)} />}
    </Page>
  );
}

function NewList({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!name.trim()) return;
    setBusy(true);
    setProblem(null);
    try {
      const list = await contacts.createList(name.trim());
      await listsChanged();
      await navigate({ to: '/campaigns/lists/$id/import', params: { id: list.id } });
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('contacts.new_list')}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <TextInput
          label={t('contacts.list_name')}
          description={t('contacts.list_name_help')}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          maxLength={120}
          data-autofocus
          required
          withAsterisk={false}
        />
        {problem && <FailureBox failure={problem} />}
        <div className="row actions-end">
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" loading={busy} disabled={!name.trim()}>
            {t('contacts.create_and_import')}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
