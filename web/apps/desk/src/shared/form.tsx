// A form: its values, what the server says about each field, and where the focus goes when it refuses.
import { asProblem, type FieldProblem, type Problem } from '@switchbell/api';
import { useTranslation } from '@switchbell/i18n';
import { FailureBox, failureWords } from '@switchbell/ui';
import { useRef, useState, type FormEvent } from 'react';

export interface FieldFault {
  field: string;
  words: string;
}

const wordsOf = (fault: FieldProblem & { detail?: string }): FieldFault => ({
  field: fault.field,
  words: failureWords({
    code: fault.code,
    params: fault.params ?? {},
    detail: fault.detail ?? fault.code,
  }),
});

export interface Form<T> {
  values: T;
  set: <K extends keyof T>(key: K, value: T[K]) => void;
  setValues: (values: T) => void;
  /** The fault of a field, by its name in the API. */
  error: (field: string) => string | undefined;
  faults: FieldFault[];
  problem: Problem | null;
  busy: boolean;
  submit: (event?: FormEvent) => Promise<boolean>;
  ref: React.RefObject<HTMLFormElement | null>;
}

export function useForm<T extends object>(
  initial: T,
  save: (values: T) => Promise<void>,
  check?: (values: T) => FieldFault[],
): Form<T> {
  const [values, setValues] = useState(initial);
  const [faults, setFaults] = useState<FieldFault[]>([]);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const ref = useRef<HTMLFormElement>(null);

  const focusFirst = () =>
    window.setTimeout(
      () => ref.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(),
      30,
    );
  const refuse = (found: FieldFault[]) => {
    setFaults(found);
    focusFirst();
  };

  return {
    values,
    ref,
    busy,
    problem,
    faults,
    setValues,
    set: (key, value) => {
      setValues((before) => ({ ...before, [key]: value }));
      setFaults((before) => before.filter((fault) => fault.field !== key));
    },
    error: (field) => faults.find((fault) => fault.field === field)?.words,
    submit: async (event) => {
      event?.preventDefault();
      if (busy) return false;
      setProblem(null);
      const own = check?.(values) ?? [];
      if (own.length > 0) {
        refuse(own);
        return false;
      }
      setFaults([]);
      setBusy(true);
      try {
        await save(values);
        return true;
      } catch (error) {
        const refused = asProblem(error);
        setProblem(refused);
        refuse(refused.errors.map(wordsOf));
        return false;
      } finally {
        setBusy(false);
      }
    },
  };
}

/** What the whole form was refused for, or a summary of its faults when there are several. */
export function FormProblem({
  form,
}: {
  form: Form<never> | Pick<Form<object>, 'problem' | 'faults' | 'ref'>;
}) {
  const { t } = useTranslation();
  if (form.faults.length > 1) {
    return (
      <div role="alert" className="form-summary">
        <p>{t('common.faults', { count: form.faults.length })}</p>
        <ul>
          {form.faults.map((fault) => (
            <li key={fault.field}>
              <button
                type="button"
                className="link-button"
                onClick={() =>
                  form.ref.current
                    ?.querySelector<HTMLElement>(`[name="${CSS.escape(fault.field)}"]`)
                    ?.focus()
                }
              >
                {fault.words}
              </button>
            </li>
          ))}
        </ul>
      </div>
    );
  }
  if (form.problem === null || form.faults.length > 0) return null;
  return <FailureBox failure={form.problem} />;
}

/** Whether the text has the form of an e-mail address; the server has the last word. */
export const looksLikeEmail = (text: string) => /^\S+@\S+\.\S+$/.test(text.trim());
