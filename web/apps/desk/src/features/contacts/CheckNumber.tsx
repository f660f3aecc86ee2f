// May a number be called? The answer with who forbade it, when and why.
import { asProblem, contacts, type DoNotCallCheck, type Problem } from '@switchbell/api';
import { fmt, useTranslation } from '@switchbell/i18n';
import { Button, FailureBox, failureWords, Panel, TextInput } from '@switchbell/ui';
import { Check, PhoneOff } from 'lucide-react';
import { useState, type FormEvent } from 'react';

import css from './DoNotCallPage.module.css';

export function CheckNumber() {
  const { t } = useTranslation();
  const [phone, setPhone] = useState('');
  const [busy, setBusy] = useState(false);
  const [answer, setAnswer] = useState<DoNotCallCheck | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const ask = async (event: FormEvent) => {
    event.preventDefault();
    if (phone.trim() === '') return;
    setBusy(true);
    setAnswer(null);
    setProblem(null);
    try {
      setAnswer(await contacts.checkDoNotCall(phone.trim()));
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  const fault = problem?.errors[0];
  return (
    <Panel>
      <form className={css.check} onSubmit={(event) => void ask(event)}>
        <TextInput
          label={t('contacts.dnc_check')}
          type="tel"
          value={phone}
          onChange={(event) => setPhone(event.currentTarget.value)}
          error={
            fault && failureWords({ code: fault.code, params: fault.params ?? {}, detail: '' })
          }
        />
        <Button type="submit" variant="default" loading={busy} disabled={phone.trim() === ''}>
          {t('contacts.dnc_check_do')}
        </Button>
      </form>
      {problem && !fault && <FailureBox failure={problem} />}
      <div role="status">{answer && <Verdict answer={answer} />}</div>
    </Panel>
  );
}

function Verdict({ answer }: { answer: DoNotCallCheck }) {
  const { t } = useTranslation();
  const phone = fmt.phone(answer.phone);
  const free = answer.allowed && answer.entries.length === 0;
  return (
    <div className={css.verdict} data-allowed={answer.allowed}>
      {answer.allowed ? (
        <Check size={18} aria-hidden="true" />
      ) : (
        <PhoneOff size={18} aria-hidden="true" />
      )}
      <div>
        <p>
          {free
            ? t('contacts.dnc_yes', { phone })
            : answer.allowed
              ? t('contacts.dnc_partly', { phone })
              : t('contacts.dnc_no', { phone })}
        </p>
        {!free && (
          <ul>
            {answer.entries.map((entry) => (
              <li key={entry.id}>
                {t(`contacts.dnc_says.${entry.scope}`, {
                  name: entry.target_name ?? t('contacts.dnc_gone'),
                  when: fmt.brief(entry.forbidden_at),
                  by: entry.by ?? t('contacts.dnc_nobody'),
                })}
                {entry.reason !== '' && ` ${t('contacts.dnc_says_why', { reason: entry.reason })}`}
                {entry.expires_at &&
                  ` ${t('contacts.dnc_says_until', { when: fmt.brief(entry.expires_at) })}`}
              </li>
            ))}
          </ul>
        )}
      </div>
    </div>
  );
}
