// The button on a contact's row: nobody in the account calls these numbers again, or calls are allowed again.
import { asProblem, contacts, type ListContact, type Problem } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import { Button, ConfirmDialog, TextInput, toast } from '@switchbell/ui';
import { PhoneOff } from 'lucide-react';
import { useState } from 'react';

import { doNotCallChanged } from './api';

export function DoNotCall({ contact }: { contact: ListContact }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const phones = contact.numbers.map(({ phone }) => phone);
  const run = async () => {
    setBusy(true);
    setProblem(null);
    try {
      for (const phone of phones) {
        if (contact.do_not_call) await contacts.allowCalls(phone);
        else await contacts.doNotCall(phone, reason.trim() || undefined);
      }
      await doNotCallChanged();
      toast(contact.do_not_call ? t('contacts.allowed_again') : t('contacts.put_on_dnc'));
      setOpen(false);
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button
        size="xs"
        variant={contact.do_not_call ? 'light' : 'default'}
        color={contact.do_not_call ? 'red' : 'gray'}
        leftSection={<PhoneOff size={14} />}
        aria-pressed={contact.do_not_call}
        onClick={() => setOpen(true)}
        aria-label={t('contacts.do_not_call_for', { name: contact.name ?? phones[0] ?? '' })}
      >
        {t('contacts.do_not_call')}
      </Button>
      <ConfirmDialog
        opened={open}
        danger={!contact.do_not_call}
        onClose={() => setOpen(false)}
        title={contact.do_not_call ? t('contacts.allow_title') : t('contacts.dnc_title')}
        confirm={contact.do_not_call ? t('contacts.allow') : t('contacts.do_not_call')}
        busy={busy}
        failure={problem}
        onConfirm={() => void run()}
      >
        <div className="stack gap-3">
          <p>
            {contact.do_not_call
              ? t('contacts.allow_text', { phones: fmt.list(phones.map(fmt.phone)) })
              : t('contacts.dnc_text', { phones: fmt.list(phones.map(fmt.phone)) })}
          </p>
          {!contact.do_not_call && (
            <TextInput
              label={t('contacts.dnc_reason')}
              value={reason}
              onChange={(event) => setReason(event.currentTarget.value)}
              maxLength={200}
            />
          )}
        </div>
      </ConfirmDialog>
    </>
  );
}
