// Ctrl+K: everything that can be done or reached from here, by typing a part of its name.
import { campaigns } from '@switchbell/api';
import { useTranslation } from '@switchbell/i18n';
import { Key, Modal, useDebouncedValue } from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Megaphone } from 'lucide-react';
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from 'react';

import { useCommandList, type Command } from '../../shared/commands';
import { fold } from '../../shared/fold';
import { keysOf } from '../../shared/keyboard';
import { useCan } from '../../shared/session';
import css from './CommandBar.module.css';

export function CommandBar({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal.Root
      opened={opened}
      onClose={onClose}
      size={600}
      centered={false}
      yOffset="12dvh"
      padding={0}
    >
      <Modal.Overlay />
      <Modal.Content aria-label={t('shell.command_bar')}>
        <Palette onClose={onClose} />
      </Modal.Content>
    </Modal.Root>
  );
}

function useFoundCampaigns(wish: string): Command[] {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const can = useCan();
  const [q] = useDebouncedValue(wish.trim(), 200);
  const { data } = useQuery({
    queryKey: ['campaigns', 'find', q],
    queryFn: ({ signal }) => campaigns.list({ q }, { signal }),
    enabled: q.length > 1 && can('campaign.view'),
  });
  return (data?.items ?? []).slice(0, 6).map((campaign) => ({
    id: `campaign.${campaign.id}`,
    title: campaign.name,
    group: t('shell.menu.campaigns'),
    icon: Megaphone,
    run: () => void navigate({ to: '/campaigns/$id', params: { id: campaign.id } }),
  }));
}

function Palette({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const [wish, setWish] = useState('');
  const [at, setAt] = useState(0);
  const listId = useId();
  const list = useRef<HTMLDivElement>(null);
  const commands = useCommandList();
  const found = useFoundCampaigns(wish.startsWith('>') ? '' : wish);

  const shown = useMemo(() => {
    const words = fold(wish.replace(/^>/, '')).split(/\s+/).filter(Boolean);
    const matching = commands.filter(
      (command) =>
        !command.hidden &&
        words.every((word) =>
          fold(`${command.title} ${command.group} ${command.also ?? ''}`).includes(word),
        ),
    );
    // What belongs to the screen comes first: it was registered last.
    const groups = [...new Set(matching.map((command) => command.group))].toReversed();
    return [
      ...groups.flatMap((group) => matching.filter((command) => command.group === group)),
      ...found,
    ];
  }, [commands, wish, found]);

  const current = Math.min(at, shown.length - 1);
  useEffect(() => {
    list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' });
  }, [current]);

  const run = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    // After the dialog has given the focus back.
    window.setTimeout(command.run, 0);
  };
  const keys = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    const moves: Record<string, number> = {
      ArrowDown: (current + 1) % Math.max(1, shown.length),
      ArrowUp: (current - 1 + shown.length) % Math.max(1, shown.length),
      PageDown: Math.min(shown.length - 1, current + 8),
      PageUp: Math.max(0, current - 8),
    };
    const move = moves[event.key];
    if (move !== undefined) {
      event.preventDefault();
      setAt(move);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(shown[current]);
    }
  };

  return (
    <div className={css.palette}>
      <input
        className={css.input}
        value={wish}
        onChange={(event) => {
          setWish(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={keys}
        role="combobox"
        aria-expanded="true"
        aria-controls={listId}
        aria-activedescendant={shown[current] ? `${listId}-${current}` : undefined}
        aria-label={t('shell.command_hint')}
        placeholder={t('shell.command_hint')}
        autoComplete="off"
        spellCheck={false}
        data-autofocus
      />
      <div
        id={listId}
        ref={list}
        role="listbox"
        aria-label={t('shell.command_bar')}
        className={css.list}
      >
        {shown.map((command, index) => {
          const Icon = command.icon;
          const heading = shown[index - 1]?.group !== command.group;
          return (
            <div key={command.id} role="presentation">
              {heading && (
                <p className={css.group} role="presentation">
                  {command.group}
                </p>
              )}
              <div
                id={`${listId}-${index}`}
                role="option"
                aria-selected={index === current}
                className={css.option}
                onMouseMove={() => setAt(index)}
                onClick={() => run(command)}
              >
                <span className={css.icon} aria-hidden="true">
                  {Icon && <Icon size={16} />}
                </span>
                <span className={css.title}>{command.title}</span>
                {command.keys?.[0] && (
                  <span aria-hidden="true">
                    {keysOf(command.keys[0]).map((stroke, place) => (
                      <span key={place} className={css.stroke}>
                        {stroke.map((key) => (
                          <Key key={key}>{key}</Key>
                        ))}
                      </span>
                    ))}
                  </span>
                )}
              </div>
            </div>
          );
        })}
      </div>
      {shown.length === 0 && (
        <p className={css.none} role="status">
          {t('shell.nothing_found', { wish })}
        </p>
      )}
    </div>
  );
}
