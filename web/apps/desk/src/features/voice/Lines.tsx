// The lines that calls leave on, with their health.
import type { Line } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import {
  Badge,
  Button,
  DataTable,
  Empty,
  FailureBox,
  Loading,
  Page,
  StackedBar,
  type Column,
} from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { FlaskConical, Phone, Plus } from 'lucide-react';

import { useCommands } from '../../shared/commands';
import { linesQuery } from '../../shared/lookups';
import { Guarded } from '../../shared/NoAccess';
import { useCan } from '../../shared/session';
import { useFreshLines } from './api';
import { LineHealthBadge } from './LineHealthBadge';
import { sipWords } from '../../shared/sip';

export function Lines() {
  return (
    <Guarded permission="line.view">
      <LineTable />
    </Guarded>
  );
}

function LineTable() {
  const { t } = useTranslation();
  const may = useCan()('line.manage');
  const navigate = useNavigate();
  const lines = useQuery(linesQuery);
  const fresh = useFreshLines();
  const create = () => void navigate({ to: '/settings/lines/$id', params: { id: 'new' } });

  useCommands(
    may
      ? [
          {
            id: 'line.new',
            title: t('voice.line.new'),
            group: t('shell.menu.lines'),
            icon: Plus,
            keys: ['n'],
            run: create,
          },
        ]
      : [],
  );

  const columns: Column<Line>[] = [
    {
      id: 'name',
      title: t('voice.line.name'),
      cell: (line) => (
        <div>
          <Link
            to="/settings/lines/$id"
            params={{ id: line.id }}
            data-row-link
            className="row-link"
          >
            {line.name}
          </Link>{' '}
          {line.demo && (
            <Badge tone="info" icon={<FlaskConical size={14} />}>
              {t('voice.demo.badge')}
            </Badge>
          )}
          <div className="muted small mono">
            {line.demo ? (
              `×${fmt.number(line.demo.speed)}`
            ) : (
              <>
                {line.user ? `${line.user}@` : ''}
                {line.host}
                {line.port === 5060 ? '' : `:${line.port}`}
              </>
            )}
          </div>
        </div>
      ),
    },
    {
      id: 'health',
      title: t('voice.line.health'),
      cell: (line) => (
        <div>
          <LineHealthBadge line={line} />
          {line.enabled && line.health.state !== 'ok' && line.health.code != null && (
            <div className="muted small">{sipWords(line.health.code)}</div>
          )}
        </div>
      ),
    },
    {
      id: 'use',
      title: t('voice.line.in_use'),
      tip: t('voice.line.in_use_tip'),
      from: 'sm',
      width: '170px',
      cell: (line) => {
        const words = t('voice.line.of_channels', {
          used: fmt.number(line.in_use),
          channels: fmt.number(line.channels),
        });
        return (
          <div>
            <div className="num">{words}</div>
            <StackedBar
              label={words}
              whole={line.channels}
              parts={[{ id: 'used', label: words, value: line.in_use, tone: 'accent' }]}
            />
          </div>
        );
      },
    },
    {
      id: 'caller',
      title: t('voice.line.caller_id'),
      from: 'md',
      cell: (line) => (
        <span className="num nowrap">{line.caller_id ? fmt.phone(line.caller_id) : '—'}</span>
      ),
    },
    {
      id: 'mode',
      title: t('voice.line.mode'),
      from: 'lg',
      cell: (line) => t(`voice.modes.${line.mode}`),
    },
  ];
  return (
    <Page
      title={t('shell.menu.lines')}
      documentTitle={t('shell.menu.lines')}
      subtitle={t('voice.line.text')}
      width="wide"
      actions={
        may && (
          <Button leftSection={<Plus size={16} />} onClick={create}>
            {t('voice.line.new')}
          </Button>
        )
      }
    >
      {lines.isError && <FailureBox failure={lines.error} retry={() => void lines.refetch()} />}
      {!(lines.isError && !lines.data) && (
        <DataTable
          caption={t('shell.menu.lines')}
          columns={columns}
          rows={lines.data?.map(fresh)}
          rowKey={(line) => line.id}
          dim={(line) => !line.enabled}
          onOpen={(line) => void navigate({ to: '/settings/lines/$id', params: { id: line.id } })}
          loading={<Loading what={t('voice.line.loading')} retry={() => void lines.refetch()} />}
          empty={
            <Empty
              icon={<Phone size={22} />}
              title={t('voice.line.empty')}
              action={
                may && (
                  <Button leftSection={<Plus size={16} />} onClick={create}>
                    {t('voice.line.connect')}
                  </Button>
                )
              }
            >
              {t('voice.line.empty_text')}
            </Empty>
          }
        />
      )}
    </Page>
  );
}
