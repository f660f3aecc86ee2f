// The sources of a list, as a part of its page.
import type { Source } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import { Button, FailureBox, Menu } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Braces, Plus, Sheet } from 'lucide-react';

import { useTopicChange } from '../../shared/live';
import { sourcesChanged, sourcesQuery } from './api';
import { faultWords } from '../../shared/faultWords';
import { PullBadge } from './PullBadge';
import css from './ListPage.module.css';

export function Sources({ list, may }: { list: string; may: boolean }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const sources = useQuery(sourcesQuery(list));
  if (sources.isError)
    return <FailureBox failure={sources.error} retry={() => void sources.refetch()} />;
  const found = sources.data ?? [];
  const add = (kind: string) =>
    void navigate({
      to: '/campaigns/lists/$id/sources/$source',
      params: { id: list, source: 'new' },
      search: { kind },
    });
  if (found.length === 0 && !may) return null;
  return (
    <div>
      <div className="spread">
        <h3>{t('contacts.sources')}</h3>
        {may && (
          <Menu position="bottom-end">
            <Menu.Target>
              <Button size="xs" variant="default" leftSection={<Plus size={14} />}>
                {t('contacts.add_source')}
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item leftSection={<Braces size={16} />} onClick={() => add('feed')}>
                {t('contacts.source_kinds.feed')}
              </Menu.Item>
              <Menu.Item leftSection={<Sheet size={16} />} onClick={() => add('sheet')}>
                {t('contacts.source_kinds.sheet')}
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        )}
      </div>
      {found.length === 0 ? (
        <p className="muted small">{t('contacts.no_sources')}</p>
      ) : (
        <ul className={css.imports}>
          {found.map((source) => (
            <Row key={source.id} source={source} />
          ))}
        </ul>
      )}
    </div>
  );
}

function Row({ source }: { source: Source }) {
  const { t } = useTranslation();
  useTopicChange(`source:${source.id}`, () => void sourcesChanged());
  const { last_pull: last } = source;
  return (
    <li className={css.import}>
      {last && <PullBadge state={last.state} />}
      <Link
        to="/campaigns/lists/$id/sources/$source"
        params={{ id: source.list, source: source.id }}
        className="truncate"
      >
        {source.name}
      </Link>
      <span className="muted small">{t(`contacts.source_kinds.${source.settings.kind}`)}</span>
      {!source.enabled ? (
        <span className="muted small">{t('contacts.source_off')}</span>
      ) : source.next_at ? (
        <span className="muted small">
          {t('contacts.next_load', { when: fmt.brief(source.next_at) })}
        </span>
      ) : null}
      {last?.fault && <span className="small">{faultWords(last.fault)}</span>}
    </li>
  );
}
