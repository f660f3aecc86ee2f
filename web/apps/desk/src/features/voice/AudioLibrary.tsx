// Recordings that campaigns play: upload, listen, rename, delete.
import { apiUrl, asProblem, Problem, voice, type Audio } from '@switchbell/api';
import { fmt, useTranslation, wordsFor } from '@switchbell/i18n';
import {
  ActionIcon,
  AudioPlayer,
  Badge,
  DataTable,
  Empty,
  FailureBox,
  FileDrop,
  Loading,
  Menu,
  Page,
  ProgressBar,
  toast,
  Tooltip,
  type Column,
} from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { AudioLines, Ellipsis, Pencil, Play, Trash2, X } from 'lucide-react';
import { useRef, useState } from 'react';

import { ConfirmStep } from '../../shared/ConfirmStep';
import { useCommands } from '../../shared/commands';
import { audioQuery } from '../../shared/lookups';
import { Guarded } from '../../shared/NoAccess';
import { queryClient } from '../../shared/query';
import { RenameDialog } from '../../shared/RenameDialog';
import { useCan } from '../../shared/session';
import css from './AudioLibrary.module.css';

const largest = 50_000_000;
const changed = () => queryClient.invalidateQueries({ queryKey: audioQuery.queryKey });

export function AudioLibrary() {
  return (
    <Guarded permission="audio.view">
      <Library />
    </Guarded>
  );
}

interface Sending {
  id: number;
  name: string;
  bytes: number;
  part: number;
  problem: Problem | null;
  abort: AbortController;
  file: File;
}

const nameOf = (file: File) => file.name.replace(/\.[^.]+$/, '');

function Library() {
  const { t } = useTranslation();
  const may = useCan()('audio.edit');
  const audio = useQuery(audioQuery);
  const [sending, setSending] = useState<Sending[]>([]);
  const [dialog, setDialog] = useState<{ kind: 'rename' | 'delete'; audio: Audio } | null>(null);
  const lastId = useRef(0);
  const drop = useRef<HTMLDivElement>(null);

  useCommands(
    may
      ? [
          {
            id: 'audio.upload',
            title: t('voice.audio.upload'),
            group: t('shell.menu.audio'),
            icon: AudioLines,
            keys: ['n'],
            run: () => drop.current?.querySelector('button')?.click(),
          },
        ]
      : [],
  );

  const update = (id: number, change: Partial<Sending>) =>
    setSending((before) =>
      before.map((entry) => (entry.id === id ? { ...entry, ...change } : entry)),
    );
  const remove = (id: number) => setSending((before) => before.filter((entry) => entry.id !== id));

  const send = async (file: File) => {
    lastId.current += 1;
    const id = lastId.current;
    const entry: Sending = {
      id,
      file,
      name: nameOf(file),
      bytes: file.size,
      part: 0,
      problem: null,
      abort: new AbortController(),
    };
    setSending((before) => [...before, entry]);
    if (file.size > largest) {
      update(id, {
        problem: new Problem({
          status: 413,
          code: 'body_too_large',
          params: { max_bytes: largest },
        }),
      });
      return;
    }
    try {
      const made = await voice.uploadAudio(entry.name, file, {
        signal: entry.abort.signal,
        progress: (part) => update(id, { part }),
      });
      remove(id);
      await changed();
      toast(t('voice.audio.uploaded', { name: made.name }));
    } catch (error) {
      const problem = asProblem(error);
      if (problem.code === 'cancelled') remove(id);
      else update(id, { problem });
    }
  };

  const columns: Column<Audio>[] = [
    {
      id: 'name',
      title: t('voice.audio.name'),
      cell: (row) => (
        <div>
          <div className="row gap-2">
            <span className={css.name}>{row.name}</span>
            {row.used_by_running && (
              <Tooltip label={t('voice.audio.in_use_tip')}>
                <span tabIndex={0}>
                  <Badge tone="accent" icon={<Play size={12} />}>
                    {t('voice.audio.in_use')}
                  </Badge>
                </span>
              </Tooltip>
            )}
          </div>
          <div className="muted small">
            {[
              wordsFor(`voice.audio.formats.${row.format}`) ?? row.format,
              t('voice.audio.hz', { hz: row.sample_rate }),
              row.channels === 1 ? t('voice.audio.mono') : t('voice.audio.stereo'),
              fmt.bytes(row.bytes),
            ].join(' · ')}
          </div>
        </div>
      ),
    },
    {
      id: 'player',
      title: t('voice.audio.listen'),
      width: '44%',
      cell: (row) => (
        <AudioPlayer
          compact
          src={apiUrl(`audio/${row.id}/file`)}
          duration={row.duration_s}
          label={t('voice.audio.player_of', { name: row.name })}
        />
      ),
    },
    {
      id: 'created',
      title: t('voice.audio.added'),
      from: 'md',
      cell: (row) => <span className="muted nowrap">{fmt.date(row.created_at)}</span>,
    },
  ];
  if (may)
    columns.push({
      id: 'actions',
      title: t('common.actions'),
      quiet: true,
      align: 'end',
      width: '56px',
      cell: (row) => (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={t('common.actions_for', { name: row.name })}
            >
              <Ellipsis size={18} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              leftSection={<Pencil size={16} />}
              onClick={() => setDialog({ kind: 'rename', audio: row })}
            >
              {t('common.rename')}
            </Menu.Item>
            <Menu.Item
              color="red"
              leftSection={<Trash2 size={16} />}
              onClick={() => setDialog({ kind: 'delete', audio: row })}
            >
              {t('common.delete')}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      ),
    });

  return (
    <Page
      title={t('shell.menu.audio')}
      documentTitle={t('shell.menu.audio')}
      subtitle={t('voice.audio.text')}
      width="wide"
    >
      {may && (
        <div ref={drop}>
          <FileDrop
            title={t('voice.audio.upload')}
            hint={t('voice.audio.hint')}
            accept="audio/*,.wav,.mp3,.flac,.ogg"
            multiple
            onFiles={(files) => files.forEach((file) => void send(file))}
          />
        </div>
      )}
      {sending.map((entry) => (
        <div key={entry.id} className={css.sending}>
          <div className="spread">
            <span>
              {entry.name} <span className="muted small">{fmt.bytes(entry.bytes)}</span>
            </span>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={t('common.cancel')}
              onClick={() => (entry.problem ? remove(entry.id) : entry.abort.abort())}
            >
              <X size={16} />
            </ActionIcon>
          </div>
          {entry.problem ? (
            <FailureBox
              failure={entry.problem}
              title={t('voice.audio.not_uploaded')}
              retry={
                entry.problem.status === 0
                  ? () => {
                      remove(entry.id);
                      void send(entry.file);
                    }
                  : undefined
              }
            />
          ) : (
            <ProgressBar
              part={entry.part}
              label={t('voice.audio.uploading', { name: entry.name })}
            />
          )}
        </div>
      ))}
      {audio.isError && <FailureBox failure={audio.error} retry={() => void audio.refetch()} />}
      {!(audio.isError && !audio.data) && (
        <DataTable
          caption={t('shell.menu.audio')}
          columns={columns}
          rows={audio.data}
          rowKey={(row) => row.id}
          loading={<Loading what={t('voice.audio.loading')} retry={() => void audio.refetch()} />}
          empty={
            <Empty icon={<AudioLines size={22} />} title={t('voice.audio.empty')}>
              {t('voice.audio.empty_text')}
            </Empty>
          }
        />
      )}
      {dialog?.kind === 'rename' && <Rename audio={dialog.audio} onClose={() => setDialog(null)} />}
      {dialog?.kind === 'delete' && <Delete audio={dialog.audio} onClose={() => setDialog(null)} />}
    </Page>
  );
}

function Rename({ audio, onClose }: { audio: Audio; onClose: () => void }) {
  const { t } = useTranslation();
  const save = async (name: string) => {
    await voice.renameAudio(audio.id, name);
    await changed();
  };
  return (
    <RenameDialog
      title={t('voice.audio.rename')}
      label={t('voice.audio.name')}
      name={audio.name}
      save={save}
      onClose={onClose}
    />
  );
}

function Delete({ audio, onClose }: { audio: Audio; onClose: () => void }) {
  const { t } = useTranslation();
  const step = async () => {
    await voice.deleteAudio(audio.id);
    await changed();
    toast(t('voice.audio.deleted', { name: audio.name }));
    onClose();
  };
  return (
    <ConfirmStep
      onClose={onClose}
      title={t('voice.audio.delete_title', { name: audio.name })}
      confirm={t('common.delete')}
      step={step}
    >
      {t('voice.audio.delete_text')}
    </ConfirmStep>
  );
}
