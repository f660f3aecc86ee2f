// From a file to contacts: upload, look and map the columns, run, result.
import {
  apiUrl,
  asProblem,
  contacts,
  Problem,
  type Delimiter,
  type Encoding,
  type Import,
  type Mapping,
} from '@switchbell/api';
import { countries, fmt, useTranslation } from '@switchbell/i18n';
import {
  Button,
  Empty,
  FailureBox,
  FileDrop,
  Note,
  Page,
  Panel,
  ProgressBar,
  SegmentedControl,
  Select,
  Stat,
  Switch,
  TextInput,
} from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate, useRouter } from '@tanstack/react-router';
import { CircleCheck, Download, FileX2, Square } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';

import { ButtonLink } from '../../shared/ButtonLink';
import { useTopic } from '../../shared/live';
import { Loaded } from '../../shared/Loaded';
import { Guarded } from '../../shared/NoAccess';
import { queryClient } from '../../shared/query';
import { useCan, useMe } from '../../shared/session';
import { importQuery, listQuery, listsChanged } from './api';
import { ImportBadge } from './ImportBadge';
import { meaningOf, withMeaning, type Meaning } from './mapping';
import css from './ImportWizard.module.css';

const route = getRouteApi('/shell/campaigns/lists/$id/import');

export function ImportWizard() {
  const { t } = useTranslation();
  const { id } = route.useParams();
  const { import: importId, back } = route.useSearch();
  const list = useQuery(listQuery(id));
  const name = list.data?.name ?? '';
  return (
    <Guarded permission="list.edit">
      <Page
        title={t('contacts.import_into', { name })}
        documentTitle={t('contacts.import')}
        above={
          <>
            <Link to="/campaigns/lists">{t('shell.menu.lists')}</Link>
            {' / '}
            <Link to="/campaigns/lists/$id" params={{ id }}>
              {name || '…'}
            </Link>
          </>
        }
        width="wide"
      >
        {importId ? (
          <Run key={importId} list={id} id={importId} back={back} />
        ) : (
          <Upload list={id} back={back} />
        )}
      </Page>
    </Guarded>
  );
}

const largest = 200_000_000;

function Upload({ list, back }: { list: string; back: string | undefined }) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const [part, setPart] = useState<number | null>(null);
  const [file, setFile] = useState<File | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => abort.current?.abort(), []);

  const send = async (chosen: File) => {
    setFile(chosen);
    setProblem(null);
    if (chosen.size > largest) {
      setProblem(
        new Problem({ status: 413, code: 'body_too_large', params: { max_bytes: largest } }),
      );
      return;
    }
    setPart(0);
    const stop = new AbortController();
    abort.current = stop;
    try {
      const made = await contacts.upload(list, chosen, { progress: setPart, signal: stop.signal });
      queryClient.setQueryData(importQuery(made.id).queryKey, made);
      await navigate({
        to: '/campaigns/lists/$id/import',
        params: { id: list },
        search: { import: made.id, back },
        replace: true,
      });
    } catch (error) {
      const refused = asProblem(error);
      if (refused.code !== 'cancelled') setProblem(refused);
    } finally {
      setPart(null);
    }
  };
  return (
    <Panel>
      <FileDrop
        title={t('contacts.choose_file')}
        hint={t('contacts.file_hint')}
        accept=".csv,.txt,.tsv,.xlsx,text/csv,text/plain"
        disabled={part !== null}
        onFiles={([chosen]) => chosen && void send(chosen)}
      />
      {part !== null && file && (
        <div className="stack gap-2">
          <div className="spread">
            <span>
              {file.name} · {fmt.bytes(file.size)}
            </span>
            <Button size="xs" variant="default" onClick={() => abort.current?.abort()}>
              {t('common.cancel')}
            </Button>
          </div>
          <ProgressBar part={part} label={t('contacts.uploading')} />
        </div>
      )}
      {problem && (
        <FailureBox
          failure={problem}
          title={t('contacts.not_uploaded')}
          retry={file && problem.status !== 413 ? () => void send(file) : undefined}
        />
      )}
      <p>
        <a href={apiUrl('lists/template.csv', { language: i18n.language })} download>
          {t('contacts.template')}
        </a>{' '}
        <span className="muted">{t('contacts.template_text')}</span>
      </p>
      <p>
        <a href={apiUrl('lists/template.xlsx', { language: i18n.language })} download>
          {t('contacts.template_xlsx')}
        </a>
      </p>
    </Panel>
  );
}

function Run({ list, id, back }: { list: string; id: string; back: string | undefined }) {
  const { t } = useTranslation();
  const first = useQuery(importQuery(id));
  const live = useTopic<Partial<Import>>(`import:${id}`);
  const busy = first.data?.state === 'previewing' || first.data?.state === 'running';

  // The live topic carries the progress; the whole import is read again when its state moves on.
  const liveState = live?.state;
  useEffect(() => {
    if (liveState && liveState !== first.data?.state)
      void queryClient.invalidateQueries({ queryKey: importQuery(id).queryKey });
  }, [liveState, first.data?.state, id]);
  // Without a live connection it is asked for now and then.
  useQuery({ ...importQuery(id), refetchInterval: busy ? 3_000 : false });
  useEffect(() => {
    if (first.data?.state === 'done' || first.data?.state === 'cancelled') void listsChanged();
  }, [first.data?.state]);

  return (
    <Loaded query={first} what={t('contacts.loading_import')}>
      {(data) => {
        const now: Import = {
          ...data,
          ...(live?.state === data.state ? live : {}),
          sample: data.sample,
          columns: data.columns,
        };
        if (now.state === 'previewing')
          return (
            <Panel>
              <p role="status">{t('contacts.reading_file')}</p>
            </Panel>
          );
        if (now.state === 'ready') return <Preview key={lookOf(now)} data={now} />;
        if (now.state === 'running') return <Running data={now} />;
        return <Result data={now} list={list} back={back} />;
      }}
    </Loaded>
  );
}

/** What a file is read as: with another reading, what was said of its columns is void. */
const lookOf = ({ encoding, delimiter, has_header, sheet, preset_at }: Import) =>
  JSON.stringify([encoding, delimiter, has_header, sheet, preset_at]);

const encodings: readonly { value: Encoding; label: string }[] = [
  { value: 'utf-8', label: 'UTF-8' },
  { value: 'windows-1251', label: 'Windows-1251' },
];
const certain: readonly { value: Encoding; label: string }[] = [
  { value: 'utf-16le', label: 'UTF-16' },
  { value: 'utf-16be', label: 'UTF-16 BE' },
];

function Preview({ data }: { data: Import }) {
  const { t, i18n } = useTranslation();
  const me = useMe();
  const [mapping, setMapping] = useState<Mapping>(data.mapping);
  const [region, setRegion] = useState(data.region || me.account.country);
  const [busy, setBusy] = useState<'look' | 'start' | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const regions = useMemo(
    () => countries().map(({ code, name }) => ({ value: code, label: name })),
    // Names follow the language.
    // oxlint-disable-next-line react/exhaustive-deps
    [i18n.language],
  );

  const work = async (kind: 'look' | 'start', run: () => Promise<Import>) => {
    setBusy(kind);
    setProblem(null);
    try {
      queryClient.setQueryData(importQuery(data.id).queryKey, await run());
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(null);
    }
  };
  const lookAgain = (change: {
    encoding?: Encoding;
    delimiter?: Delimiter;
    has_header?: boolean;
    sheet?: string;
    preset?: boolean;
  }) => void work('look', () => contacts.previewAgain(data.id, change));
  const isBook = data.sheets.length > 0;
  const isCertain = certain.some(({ value }) => value === data.encoding);
  const start = () => void work('start', () => contacts.startImport(data.id, { mapping, region }));
  const meanings: { value: Meaning; label: string }[] = [
    { value: 'skip', label: t('contacts.meaning.skip') },
    { value: 'phone', label: t('contacts.meaning.phone') },
    { value: 'name', label: t('contacts.meaning.name') },
    { value: 'id', label: t('contacts.meaning.id') },
    { value: 'zone', label: t('contacts.meaning.zone') },
    { value: 'variable', label: t('contacts.meaning.variable') },
  ];

  return (
    <>
      <Panel
        title={t('contacts.file_title', { name: data.filename })}
        hint={isBook ? t('contacts.book_guess') : t('contacts.file_guess')}
      >
        <div className={css.format}>
          {isBook ? (
            <Select
              label={t('contacts.sheet_of_book')}
              data={data.sheets}
              value={data.sheet ?? null}
              searchable={data.sheets.length > 10}
              allowDeselect={false}
              disabled={busy !== null}
              onChange={(sheet) => sheet && lookAgain({ sheet })}
            />
          ) : (
            <>
              <Select
                label={t('contacts.encoding')}
                description={isCertain ? t('contacts.encoding_certain') : undefined}
                data={isCertain ? certain : encodings}
                value={data.encoding}
                allowDeselect={false}
                disabled={busy !== null || isCertain}
                onChange={(encoding) => encoding && lookAgain({ encoding })}
              />
              <div>
                <p className={css.label} id="delimiter">
                  {t('contacts.delimiter')}
                </p>
                <SegmentedControl
                  aria-labelledby="delimiter"
                  value={data.delimiter}
                  disabled={busy !== null}
                  onChange={(delimiter) => lookAgain({ delimiter })}
                  data={[
                    { value: ',', label: t('contacts.comma') },
                    { value: ';', label: t('contacts.semicolon') },
                    { value: '\t', label: t('contacts.tab') },
                  ]}
                />
              </div>
            </>
          )}
          <Select
            label={t('contacts.region')}
            description={t('contacts.region_help')}
            data={regions}
            value={region}
            searchable
            limit={250}
            allowDeselect={false}
            onChange={(code) => code && setRegion(code)}
          />
          <Switch
            className={css.switch}
            label={t('contacts.has_header')}
            checked={data.has_header}
            disabled={busy !== null}
            onChange={(event) => lookAgain({ has_header: event.currentTarget.checked })}
          />
        </div>
      </Panel>
      {data.preset_at && (
        <Note
          title={t('contacts.preset_title')}
          action={
            <Button
              size="xs"
              variant="default"
              disabled={busy !== null}
              onClick={() => lookAgain({ preset: false })}
            >
              {t('contacts.preset_undo')}
            </Button>
          }
        >
          {t('contacts.preset_text', { when: fmt.date(data.preset_at) })}
        </Note>
      )}
      <Panel
        title={t('contacts.columns')}
        hint={t('contacts.columns_hint', { count: data.sample.length })}
        flush
      >
        <div
          className={css.frame}
          role="region"
          aria-label={t('contacts.columns')}
          tabIndex={0}
          aria-busy={busy === 'look'}
        >
          <table className={css.table}>
            <thead>
              <tr>
                {data.columns.map((column) => {
                  const meaning = meaningOf(mapping, column);
                  return (
                    <th key={column} scope="col" data-skip={meaning === 'skip' || undefined}>
                      <span className={css.columnName}>{column}</span>
                      <Select
                        size="xs"
                        aria-label={t('contacts.column_holds', { column: column })}
                        data={meanings}
                        value={meaning}
                        allowDeselect={false}
                        onChange={(value) =>
                          value && setMapping(withMeaning(mapping, column, value, data.columns))
                        }
                      />
                      {meaning === 'variable' && (
                        <TextInput
                          size="xs"
                          aria-label={t('contacts.variable_name', { column: column })}
                          value={mapping.variables?.[column] ?? ''}
                          maxLength={64}
                          onChange={(event) =>
                            setMapping({
                              ...mapping,
                              variables: {
                                ...mapping.variables,
                                [column]: event.currentTarget.value,
                              },
                            })
                          }
                        />
                      )}
                    </th>
                  );
                })}
              </tr>
            </thead>
            <tbody>
              {data.sample.map((row, index) => (
                <tr key={index}>
                  {data.columns.map((column, place) => (
                    <td key={column} data-skip={meaningOf(mapping, column) === 'skip' || undefined}>
                      {row[place]}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Panel>
      {problem && <FailureBox failure={problem} />}
      {mapping.phone.length === 0 && <Note tone="warn">{t('contacts.phone_needed')}</Note>}
      <div className="row actions-end">
        <Button
          variant="default"
          onClick={() => void work('start', () => contacts.cancelImport(data.id))}
          disabled={busy !== null}
        >
          {t('contacts.discard')}
        </Button>
        <Button
          onClick={start}
          loading={busy === 'start'}
          disabled={mapping.phone.length === 0 || busy === 'look'}
        >
          {t('contacts.start_import')}
        </Button>
      </div>
    </>
  );
}

function Counts({ data }: { data: Import }) {
  const { t } = useTranslation();
  const { counts } = data;
  return (
    <div className={css.counts}>
      <Stat value={fmt.number(counts.added)} label={t('contacts.added')} />
      <Stat value={fmt.number(counts.updated)} label={t('contacts.updated_count')} />
      <Stat value={fmt.number(counts.duplicates)} label={t('contacts.duplicates')} />
      <Stat value={fmt.number(counts.rejected)} label={t('contacts.rejected')} />
    </div>
  );
}

function Running({ data }: { data: Import }) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const cancel = async () => {
    setBusy(true);
    setProblem(null);
    try {
      queryClient.setQueryData(importQuery(data.id).queryKey, await contacts.cancelImport(data.id));
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Panel
      title={data.filename}
      hint={t('contacts.running_hint')}
      actions={
        <Button
          variant="default"
          leftSection={<Square size={14} />}
          loading={busy}
          onClick={() => void cancel()}
        >
          {t('contacts.cancel_import')}
        </Button>
      }
    >
      <div className="stack gap-2">
        <div className="spread">
          <ImportBadge state={data.state} />
          <span className="num muted">{t('contacts.rows_read', { count: data.counts.rows })}</span>
        </div>
        <ProgressBar
          part={data.total > 0 ? data.done / data.total : 0}
          label={t('contacts.import')}
        />
      </div>
      <Counts data={data} />
      {problem && <FailureBox failure={problem} />}
    </Panel>
  );
}

function Result({ data, list, back }: { data: Import; list: string; back: string | undefined }) {
  const { t } = useTranslation();
  const router = useRouter();
  const mayExport = useCan()('list.export');
  const next = (
    <div className="row">
      {back ? (
        <Button onClick={() => router.history.push(back)}>{t('contacts.back_to_campaign')}</Button>
      ) : (
        <ButtonLink to="/campaigns/lists/$id" params={{ id: list }}>
          {t('contacts.open_list')}
        </ButtonLink>
      )}
      <ButtonLink
        to="/campaigns/lists/$id/import"
        params={{ id: list }}
        search={{ back }}
        variant="default"
      >
        {t('contacts.another_file')}
      </ButtonLink>
    </div>
  );
  if (data.state === 'failed') {
    return (
      <Panel>
        <Empty compact icon={<FileX2 size={22} />} title={t('contacts.import_failed')} />
        {data.problem && (
          <FailureBox
            failure={{
              code: data.problem.code,
              params: data.problem.params ?? {},
              detail: '',
              reference: null,
            }}
          />
        )}
        {next}
      </Panel>
    );
  }
  return (
    <Panel
      title={
        <span className={css.resultTitle}>
          {data.state === 'done' && <CircleCheck size={20} className={css.ok} aria-hidden="true" />}
          {data.state === 'done' ? t('contacts.import_done') : t('contacts.import_cancelled')}
        </span>
      }
      hint={
        data.state === 'cancelled'
          ? t('contacts.cancelled_text', { count: data.counts.rows })
          : t('contacts.done_text', { count: data.counts.rows, name: data.filename })
      }
    >
      <Counts data={data} />
      {data.counts.rejected > 0 && (
        <Note
          tone="warn"
          title={t('contacts.rejected_title', { count: data.counts.rejected })}
          action={
            mayExport && (
              <Button
                component="a"
                href={apiUrl(`imports/${data.id}/rejected.csv`)}
                download
                size="xs"
                variant="default"
                leftSection={<Download size={14} />}
              >
                {t('contacts.download_rejected')}
              </Button>
            )
          }
        >
          {t('contacts.rejected_text')}
        </Note>
      )}
      {next}
    </Panel>
  );
}
