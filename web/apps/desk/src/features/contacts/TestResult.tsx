// What became of a test load: what was asked, what came, and what an import would make of it.
import type { SourceSettings, TestLoad } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import { Button, Note, Panel } from '@switchbell/ui';
import { CircleCheck, CircleX } from 'lucide-react';
import { useEffect, useMemo, useRef } from 'react';

import { faultWords } from '../../shared/faultWords';
import css from './SourcePage.module.css';

/** JSON with its levels to be seen; anything else as it came. */
function pretty(raw: string): string {
  try {
    return JSON.stringify(JSON.parse(raw), null, 2);
  } catch {
    return raw;
  }
}

export function TestResult({
  result,
  settings,
  takePath,
}: {
  result: TestLoad;
  settings: SourceSettings;
  takePath: (path: string) => void;
}) {
  const { t } = useTranslation();
  const raw = useMemo(() => pretty(result.raw), [result.raw]);
  const top = useRef<HTMLDivElement>(null);
  // It stands below a long form: whoever asked for it is led to it.
  useEffect(() => {
    // New browsers return a promise, which is no clean-up.
    void top.current?.scrollIntoView({ block: 'start' });
  }, [result]);
  const here = settings.kind === 'feed' ? settings.path : null;
  const others = result.arrays.filter((array) => array.path !== here && array.rows > 0);
  const offer = here !== null && others.length > 0 && (result.fault != null || result.rows === 0);
  return (
    <div ref={top} className={css.result}>
      <Panel title={t('contacts.test_result')}>
        <Note
          tone={result.fault ? 'danger' : result.rows === 0 ? 'warn' : 'ok'}
          icon={result.fault ? <CircleX size={18} /> : <CircleCheck size={18} />}
          title={
            result.fault
              ? faultWords(result.fault)
              : result.rows === 0
                ? t('contacts.test_empty')
                : t('contacts.test_rows', {
                    count: result.rows,
                    refused: fmt.number(result.refused),
                  })
          }
        >
          {result.more && <p>{t('contacts.test_more')}</p>}
          {result.fault?.code === 'sheet_private' && result.robot && (
            <p>{t('contacts.sheet.share', { email: result.robot })}</p>
          )}
          {offer && (
            <>
              <p>{t('contacts.arrays_found')}</p>
              <div className={css.arrays}>
                {others.slice(0, 6).map((array) => (
                  <Button
                    key={array.path}
                    size="xs"
                    variant="default"
                    onClick={() => takePath(array.path)}
                  >
                    {t('contacts.use_array', {
                      path: array.path || t('contacts.whole_answer'),
                      rows: fmt.number(array.rows),
                    })}
                  </Button>
                ))}
              </div>
            </>
          )}
        </Note>
        <div>
          <p className={css.request}>GET {result.url}</p>
          {result.headers.map((header) => (
            <p key={header.name} className={css.request}>
              {header.name}: {header.value}
            </p>
          ))}
          <p className={`${css.facts} muted small`}>
            {result.status != null && (
              <span>{t('contacts.status', { status: result.status })}</span>
            )}
            <span>{t('contacts.took', { ms: fmt.number(result.took_ms) })}</span>
            <span>{fmt.bytes(result.bytes)}</span>
            {result.content_type && <span>{result.content_type}</span>}
          </p>
        </div>
        {result.sample.length > 0 && <Sample result={result} />}
        {result.raw && (
          <details>
            <summary>{t('contacts.raw_answer')}</summary>
            <pre className={css.raw} tabIndex={0}>
              {raw}
            </pre>
          </details>
        )}
      </Panel>
    </div>
  );
}

function Sample({ result }: { result: TestLoad }) {
  const { t } = useTranslation();
  const keys = [...new Set(result.sample.flatMap((row) => Object.keys(row.variables)))].slice(0, 6);
  return (
    <div className={css.frame} role="region" aria-label={t('contacts.first_rows')} tabIndex={0}>
      <table className={css.table}>
        <caption>{t('contacts.first_rows')}</caption>
        <thead>
          <tr>
            <th scope="col">#</th>
            <th scope="col">{t('contacts.meaning.id')}</th>
            <th scope="col">{t('contacts.meaning.name')}</th>
            <th scope="col">{t('contacts.meaning.phone')}</th>
            {keys.map((key) => (
              <th key={key} scope="col">
                {key}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {result.sample.map((row) => (
            <tr key={row.line}>
              <td className="num">{row.line}</td>
              <td>{row.id}</td>
              <td>{row.name}</td>
              <td>
                {row.problem ? (
                  <>
                    <span>{row.written}</span> <span className={css.refused}>{row.problem}</span>
                  </>
                ) : (
                  <>
                    <span className="num nowrap">{row.phones.map(fmt.phone).join(', ')}</span>{' '}
                    {row.written !== row.phones.join(' ') && (
                      <span className="muted">← {row.written}</span>
                    )}
                  </>
                )}
              </td>
              {keys.map((key) => (
                <td key={key}>{row.variables[key] ?? ''}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
