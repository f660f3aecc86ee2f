// Numbers that nobody, one campaign or the campaigns of one list may call.
import { apiUrl, contacts, type DoNotCallEntry, type DoNotCallScope } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import {
  ActionIcon,
  Button,
  ChoiceChips,
  Empty,
  FailureBox,
  Loading,
  LongTable,
  Page,
  TextInput,
  toast,
  useDebouncedValue,
  type Column,
} from '@switchbell/ui';
import { useInfiniteQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Download, PhoneOff, Plus, Trash2, Upload } from 'lucide-react';
import { useEffect, useState } from 'react';

import { ConfirmStep } from '../../shared/ConfirmStep';
import { useCommands } from '../../shared/commands';
import { Guarded } from '../../shared/NoAccess';
import { useCan } from '../../shared/session';
import { doNotCallChanged, doNotCallQuery } from './api';
import { CheckNumber } from './CheckNumber';
import { AddNumber, LoadNumbers } from './DoNotCallDialogs';
import css from './DoNotCallPage.module.css';

const route = getRouteApi('/shell/campaigns/do-not-call');

export function DoNotCallPage() {
  return (
    <Guarded permission="do_not_call.view">
      <Numbers />
    </Guarded>
  );
}

type Dialog = 'add' | 'load' | { remove: DoNotCallEntry } | null;

function Numbers() {
  const { t } = useTranslation();
  const can = useCan();
  const may = can('do_not_call.edit');
  const [dialog, setDialog] = useState<Dialog>(null);
  const close = () => setDialog(null);
  useCommands(
    may
      ? [
          {
            id: 'dnc.new',
            title: t('contacts.dnc_add'),
            group: t('shell.menu.do_not_call'),
            icon: Plus,
            keys: ['n'],
            run: () => setDialog('add'),
          },
        ]
      : [],
  );
  return (
    <Page
      title={t('shell.menu.do_not_call')}
      documentTitle={t('shell.menu.do_not_call')}
      subtitle={t('contacts.dnc_page_text')}
      width="wide"
      actions={
        <>
          {can('do_not_call.export') && (
            <Button
              component="a"
              href={apiUrl('do-not-call/export.csv')}
              download
              variant="default"
              leftSection={<Download size={16} />}
            >
              {t('contacts.dnc_export')}
            </Button>
          )}
          {may && (
            <>
              <Button
                variant="default"
                leftSection={<Upload size={16} />}
                onClick={() => setDialog('load')}
              >
                {t('contacts.dnc_load')}
              </Button>
              <Button leftSection={<Plus size={16} />} onClick={() => setDialog('add')}>
                {t('contacts.dnc_add')}
              </Button>
            </>
          )}
        </>
      }
    >
      <CheckNumber />
      <Table
        onAdd={may ? () => setDialog('add') : null}
        onRemove={may ? (entry) => setDialog({ remove: entry }) : null}
      />
      {dialog === 'add' && <AddNumber onClose={close} />}
      {dialog === 'load' && <LoadNumbers onClose={close} />}
      {dialog !== null && typeof dialog === 'object' && (
        <Remove entry={dialog.remove} onClose={close} />
      )}
    </Page>
  );
}

/** For whom an entry holds, in words. */
function Whom({ entry }: { entry: DoNotCallEntry }) {
  const { t } = useTranslation();
  if (entry.scope === 'account') return <>{t('contacts.dnc_scope.account')}</>;
  return (
    <>
      <span className="muted">{t(`contacts.dnc_scope.${entry.scope}`)}</span>{' '}
      {entry.target_name ?? t('contacts.dnc_gone')}
    </>
  );
}

function Table({
  onAdd,
  onRemove,
}: {
  onAdd: (() => void) | null;
  onRemove: ((entry: DoNotCallEntry) => void) | null;
}) {
  const { t } = useTranslation();
  const { q, scope } = route.useSearch();
  const navigate = useNavigate();
  const [wish, setWish] = useState(q ?? '');
  const [settled] = useDebouncedValue(wish.trim(), 300);
  useEffect(() => {
    if ((q ?? '') !== settled)
      void navigate({
        to: '/campaigns/do-not-call',
        search: { q: settled || undefined, scope },
        replace: true,
      });
  }, [settled, q, scope, navigate]);
  const found = useInfiniteQuery(doNotCallQuery(q, scope));
  const rows = found.data?.pages.flatMap((page) => page.items);
  const filtered = q !== undefined || scope !== undefined;

  const columns: Column<DoNotCallEntry>[] = [
    {
      id: 'phone',
      title: t('contacts.dnc_number'),
      cell: (entry) => (
        <div>
          <div className="num nowrap">{fmt.phone(entry.phone)}</div>
          <div className={css.under}>
            <Whom entry={entry} />
          </div>
        </div>
      ),
    },
    {
      id: 'reason',
      title: t('contacts.dnc_why'),
      cell: (entry) => entry.reason || <span className="muted">{t('contacts.dnc_no_reason')}</span>,
      from: 'sm',
    },
    {
      id: 'whom',
      title: t('contacts.dnc_whom'),
      cell: (entry) => <Whom entry={entry} />,
      from: 'md',
    },
    {
      id: 'since',
      title: t('contacts.dnc_since'),
      cell: (entry) => (
        <div>
          <div className="nowrap">{fmt.brief(entry.forbidden_at)}</div>
          <div className="muted small">
            {entry.by ?? t('contacts.dnc_nobody')} · {t(`contacts.dnc_source.${entry.source}`)}
          </div>
        </div>
      ),
      from: 'sm',
    },
    {
      id: 'until',
      title: t('contacts.dnc_until'),
      cell: (entry) =>
        entry.expires_at ? (
          <span className="nowrap">{fmt.brief(entry.expires_at)}</span>
        ) : (
          <span className="muted">{t('contacts.dnc_forever')}</span>
        ),
      from: 'md',
    },
  ];
  if (onRemove)
    columns.push({
      id: 'actions',
      title: t('common.actions'),
      quiet: true,
      align: 'end',
      width: '56px',
      cell: (entry) => (
        <ActionIcon
          variant="subtle"
          color="gray"
          onClick={() => onRemove(entry)}
          aria-label={t('contacts.dnc_remove_for', { phone: fmt.phone(entry.phone) })}
        >
          <Trash2 size={16} />
        </ActionIcon>
      ),
    });

  const clear = () => {
    setWish('');
    void navigate({ to: '/campaigns/do-not-call', search: {}, replace: true });
  };
  return (
    <>
      {(filtered || (rows?.length ?? 0) > 0) && (
        <div className="toolbar">
          <TextInput
            className="toolbar-search"
            aria-label={t('contacts.dnc_find')}
            placeholder={t('contacts.dnc_find')}
            data-search
            value={wish}
            onChange={(event) => setWish(event.currentTarget.value)}
          />
          <ChoiceChips<DoNotCallScope | ''>
            label={t('contacts.dnc_whom')}
            value={scope ?? ''}
            choices={[
              { value: '', label: t('contacts.dnc_scope.any') },
              { value: 'account', label: t('contacts.dnc_scope.account') },
              { value: 'campaign', label: t('contacts.dnc_scope.campaign') },
              { value: 'list', label: t('contacts.dnc_scope.list') },
            ]}
            onChange={(next) =>
              void navigate({
                to: '/campaigns/do-not-call',
                search: { q, scope: next || undefined },
                replace: true,
              })
            }
          />
        </div>
      )}
      {found.isError && <FailureBox failure={found.error} retry={() => void found.refetch()} />}
      {!(found.isError && !found.data) && (
        <LongTable
          caption={t('shell.menu.do_not_call')}
          columns={columns}
          rows={rows}
          rowKey={(entry) => entry.id}
          more={
            found.hasNextPage ? () => void (found.isFetching || found.fetchNextPage()) : undefined
          }
          loadingMore={found.isFetchingNextPage}
          loading={<Loading what={t('contacts.dnc_loading')} retry={() => void found.refetch()} />}
          empty={
            filtered ? (
              <Empty
                title={t('common.nothing_matches')}
                action={
                  <Button variant="default" onClick={clear}>
                    {t('common.clear_filters')}
                  </Button>
                }
              >
                {t('contacts.dnc_none_like')}
              </Empty>
            ) : (
              <Empty
                icon={<PhoneOff size={22} />}
                title={t('contacts.dnc_none')}
                action={
                  onAdd && (
                    <Button leftSection={<Plus size={16} />} onClick={onAdd}>
                      {t('contacts.dnc_add')}
                    </Button>
                  )
                }
              >
                {t('contacts.dnc_none_text')}
              </Empty>
            )
          }
        />
      )}
    </>
  );
}

function Remove({ entry, onClose }: { entry: DoNotCallEntry; onClose: () => void }) {
  const { t } = useTranslation();
  const phone = fmt.phone(entry.phone);
  const step = async () => {
    await contacts.removeDoNotCall(entry.id);
    await doNotCallChanged();
    toast(t('contacts.dnc_removed', { phone }));
    onClose();
  };
  return (
    <ConfirmStep
      onClose={onClose}
      title={t('contacts.dnc_remove_title', { phone })}
      confirm={t('contacts.allow')}
      step={step}
    >
      {t(`contacts.dnc_remove_text.${entry.scope}`, { phone, name: entry.target_name ?? '' })}
    </ConfirmStep>
  );
}
