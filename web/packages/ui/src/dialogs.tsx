// Confirmation of what cannot be taken back.
import { Button, Modal, TextInput } from '@mantine/core';
import { fmt, useTranslation } from '@switchbell/i18n';
import { useState, type FormEvent, type ReactNode } from 'react';

import { FailureBox, type Failure } from './states';

export interface ConfirmProps {
  opened: boolean;
  onClose: () => void;
  title: string;
  children?: ReactNode;
  confirm: string;
  danger?: boolean;
  busy?: boolean;
  failure?: Failure | null | undefined;
  onConfirm: () => void;
  /** How many things go; above a hundred the number must be typed. */
  typedNumber?: number | undefined;
}

export function ConfirmDialog({
  opened,
  onClose,
  title,
  children,
  confirm,
  danger = false,
  busy = false,
  failure,
  onConfirm,
  typedNumber,
}: ConfirmProps) {
  const { t } = useTranslation();
  const [typed, setTyped] = useState('');
  const mustType = typedNumber !== undefined && typedNumber > 100;
  const ready = !mustType || typed.replaceAll(/\D/g, '') === String(typedNumber);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready && !busy) onConfirm();
  };
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={title}
      closeButtonProps={{ 'aria-label': t('common.close') }}
      size={460}
    >
      <form onSubmit={submit} className="stack gap-3">
        {children && <div>{children}</div>}
        {mustType && (
          <TextInput
            label={t('common.type_number', { number: fmt.number(typedNumber) })}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            inputMode="numeric"
            autoComplete="off"
            data-autofocus
          />
        )}
        {failure && <FailureBox failure={failure} />}
        <div className="row actions-end">
          <Button variant="default" onClick={onClose}>
            {t('common.cancel')}
          </Button>
          <Button type="submit" color={danger ? 'red' : 'blue'} loading={busy} disabled={!ready}>
            {confirm}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
