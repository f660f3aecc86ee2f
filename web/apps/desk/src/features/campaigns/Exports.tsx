// Files of contacts or calls: asked for, followed while they are written, downloaded.
import {
  apiUrl,
  asProblem,
  campaigns,
  type Campaign,
  type CampaignExport,
  type ExportWish,
  type Problem,
} from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import {
  ActionIcon,
  Badge,
  Button,
  DataTable,
  Drawer,
  Empty,
  FailureBox,
  Loading,
  Menu,
  ProgressBar,
  type Column,
} from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { CircleAlert, CircleCheck, Download, FileDown, Trash2 } from 'lucide-react';
import { useState } from 'react';

import { queryClient } from '../../shared/query';
import { useCan } from '../../shared/session';
import { exportsQuery } from './api';

export function ExportButton({
  campaign,
  what,
  filter,
}: {
  campaign: Campaign;
  what: ExportWish['what'];
  filter: ExportWish['filter'];
}) {
  const { t } = useTranslation();
  const can = useCan();
  const [opened, setOpened] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const ask = async (format: ExportWish['format']) => {
    setProblem(null);
    setOpened(true);
    try {
      await campaigns.export(campaign.id, { what, format, filter });
    } catch (error) {
      setProblem(asProblem(error));
    }
    await queryClient.invalidateQueries({ queryKey: exportsQuery(campaign.id).queryKey });
  };
  if (!can('list.export')) return null;
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button variant="default" leftSection={<FileDown size={16} />}>
            {t('campaigns.export.title')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>{t(`campaigns.export.${what}`)}</Menu.Label>
          <Menu.Item onClick={() => void ask('xlsx')}>{t('campaigns.export.xlsx')}</Menu.Item>
          <Menu.Item onClick={() => void ask('csv')}>{t('campaigns.export.csv')}</Menu.Item>
          <Menu.Divider />
          <Menu.Item onClick={() => setOpened(true)}>{t('campaigns.export.files')}</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Drawer
        opened={opened}
        onClose={() => setOpened(false)}
        title={t('campaigns.export.files')}
        closeButtonProps={{ 'aria-label': t('common.close') }}
      >
        <div className="sheet">
          {problem && <FailureBox failure={problem} title={t('campaigns.not_done')} />}
          {opened && <Files campaign={campaign} />}
        </div>
      </Drawer>
    </>
  );
}

function Files({ campaign }: { campaign: Campaign }) {
  const { t } = useTranslation();
  const found = useQuery({
    ...exportsQuery(campaign.id),
    // Progress is told as long as something is being written.
    refetchInterval: (query) =>
      query.state.data?.some((row) => row.state === 'running') ? 700 : false,
  });
  const [problem, setProblem] = useState<Problem | null>(null);
  const remove = async (row: CampaignExport) => {
    setProblem(null);
    try {
      await campaigns.deleteExport(campaign.id, row.id);
    } catch (error) {
      setProblem(asProblem(error));
    }
    await found.refetch();
  };
  const columns: Column<CampaignExport>[] = [
    {
      id: 'what',
      title: t('campaigns.export.file'),
      cell: (row) => (
        <div>
          <div>
            {t(`campaigns.export.${row.what}`)} · {row.format.toUpperCase()}
          </div>
          <div className="muted small num">{fmt.brief(row.created_at)}</div>
        </div>
      ),
    },
    {
      id: 'state',
      title: t('campaigns.state'),
      cell: (row) => <State row={row} />,
    },
    {
      id: 'actions',
      title: t('common.actions'),
      quiet: true,
      align: 'end',
      cell: (row) => (
        <span className="row gap-1 actions-end">
          {row.state === 'ready' && (
            <Button
              component="a"
              size="xs"
              variant="default"
              leftSection={<Download size={14} />}
              href={apiUrl(`campaigns/${campaign.id}/exports/${row.id}/file`)}
              download
            >
              {t('common.download')}
            </Button>
          )}
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t(row.state === 'running' ? 'common.cancel' : 'common.delete')}
            onClick={() => void remove(row)}
          >
            <Trash2 size={16} />
          </ActionIcon>
        </span>
      ),
    },
  ];
  return (
    <>
      {problem && <FailureBox failure={problem} />}
      {found.isError && <FailureBox failure={found.error} retry={() => void found.refetch()} />}
      {!(found.isError && !found.data) && (
        <DataTable
          caption={t('campaigns.export.files')}
          columns={columns}
          rows={found.data}
          rowKey={(row) => row.id}
          loading={<Loading rows={3} what={t('common.loading')} />}
          empty={
            <Empty compact icon={<FileDown size={22} />} title={t('campaigns.export.none')}>
              {t('campaigns.export.none_text')}
            </Empty>
          }
        />
      )}
      <p className="muted small">{t('campaigns.export.kept')}</p>
    </>
  );
}

function State({ row }: { row: CampaignExport }) {
  const { t } = useTranslation();
  const rows = t('campaigns.export.rows', { count: row.done });
  switch (row.state) {
    case 'running':
      return (
        <div className="stack gap-1" role="status">
          <ProgressBar
            part={row.total ? row.done / row.total : 0}
            label={t('campaigns.export.running')}
          />
          <span className="muted small num">{rows}</span>
        </div>
      );
    case 'ready':
      return (
        <div>
          <Badge plain tone="ok" icon={<CircleCheck size={15} />}>
            {t('campaigns.export.ready')}
          </Badge>
          <div className="muted small num">
            {rows}
            {row.bytes != null && ` · ${fmt.bytes(row.bytes)}`}
          </div>
        </div>
      );
    case 'failed':
      return (
        <Badge plain tone="danger" icon={<CircleAlert size={15} />}>
          {t('campaigns.export.failed')}
        </Badge>
      );
    case 'cancelled':
      return <Badge plain>{t('campaigns.export.cancelled')}</Badge>;
  }
}
