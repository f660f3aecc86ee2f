// `?`: the keys that work on this screen.
import { useTranslation } from '@switchbell/i18n';
import { Key, Modal } from '@switchbell/ui';

import { useCommandList } from '../../shared/commands';
import { keysOf } from '../../shared/keyboard';
import css from './Help.module.css';

export function Help({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={t('shell.shortcuts')}
      size={720}
      closeButtonProps={{ 'aria-label': t('common.close') }}
    >
      <Shortcuts />
      <p className={css.note}>{t('shell.shortcuts_note')}</p>
    </Modal>
  );
}

function Shortcuts() {
  const commands = useCommandList().filter((command) => command.keys?.length);
  const groups = [...new Set(commands.map((command) => command.group))];
  return (
    <div className={css.groups}>
      {groups.map((group) => (
        <section key={group}>
          <h3 className={css.title}>{group}</h3>
          <ul className={css.list}>
            {commands
              .filter((command) => command.group === group)
              .map((command) => (
                <li key={command.id} className={css.item}>
                  <span>{command.title}</span>
                  <span className={css.keys}>
                    {keysOf(command.keys?.[0] ?? '').map((stroke, place) => (
                      <span key={place} className={css.stroke}>
                        {stroke.map((key) => (
                          <Key key={key}>{key}</Key>
                        ))}
                      </span>
                    ))}
                  </span>
                </li>
              ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
