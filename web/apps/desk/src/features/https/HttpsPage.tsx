// Who vouches for this server, until when, what is wrong, and how devices come to trust it.
import { asProblem, certificate, type Certificate, type Problem } from '@switchbell/api';
import { fmt, useTranslation, wordsFor } from '@switchbell/i18n';
import {
  Badge,
  Button,
  CopyButton,
  CopyField,
  FailureBox,
  Facts,
  Note,
  Page,
  Panel,
  Select,
  toast,
} from '@switchbell/ui';
import { useQuery } from '@tanstack/react-query';
import { CircleAlert, Download, RotateCw, TriangleAlert } from 'lucide-react';
import { useState, type ReactNode } from 'react';

import { Loaded } from '../../shared/Loaded';
import { Guarded } from '../../shared/NoAccess';
import { queryClient } from '../../shared/query';
import { useCan } from '../../shared/session';
import { certificateQuery } from './api';
import css from './HttpsPage.module.css';

export function HttpsPage() {
  const { t } = useTranslation();
  const query = useQuery(certificateQuery);
  return (
    <Guarded permission="account.view">
      <Page
        title={t('https.title')}
        documentTitle={t('https.title')}
        subtitle={t('https.text')}
        width="form"
      >
        <Loaded query={query} what={t('common.loading')}>
          {(data) => (
            <>
              <InForce data={data} />
              {data.authority && <Devices authority={data.authority} />}
            </>
          )}
        </Loaded>
      </Page>
    </Guarded>
  );
}

/** A certificate of 90 days has a new one after 60; with a week left, something is wrong. */
const soon = 7 * 24 * 3_600_000;

function InForce({ data }: { data: Certificate }) {
  const { t } = useTranslation();
  const facts: [ReactNode, ReactNode][] = [
    [t('https.mode'), wordsFor(`https.modes.${data.mode}`) ?? data.mode],
  ];
  if (data.directory) facts.push([t('https.directory'), <code key="d">{data.directory}</code>]);
  if (data.not_after) {
    facts.push(
      [
        t('https.names'),
        <ul key="n" className={css.names}>
          {data.names.map((name) => (
            <li key={name}>
              <code>{name}</code>
            </li>
          ))}
        </ul>,
      ],
      [t('https.issuer'), data.issuer],
    );
    if (data.not_before) facts.push([t('https.valid_from'), fmt.dateTime(data.not_before)]);
    facts.push([
      t('https.valid_until'),
      <span key="u" className="row gap-2">
        {fmt.dateTime(data.not_after)}
        <Validity data={data} until={data.not_after} />
      </span>,
    ]);
  }
  if (data.renewal) facts.push([t('https.renewal'), fmt.dateTime(data.renewal)]);
  return (
    <Panel title={t('https.certificate')} hint={wordsFor(`https.mode_texts.${data.mode}`)}>
      <div className={css.notes}>
        {data.fault && <FaultNote data={data} fault={data.fault} />}
        {data.stand_in && (
          <Note tone="warn" icon={<TriangleAlert size={18} />} title={t('https.stand_in')}>
            {t('https.stand_in_text')}
          </Note>
        )}
        {data.left_out.length > 0 && (
          <Note
            tone="warn"
            icon={<TriangleAlert size={18} />}
            title={t('https.left_out', { names: data.left_out.join(', ') })}
          >
            {t('https.left_out_text')}
          </Note>
        )}
      </div>
      <Facts items={facts} />
    </Panel>
  );
}

function Validity({ data, until }: { data: Certificate; until: string }) {
  const { t } = useTranslation();
  const left = new Date(until).getTime() - Date.now();
  if (left <= 0) return <Badge tone="danger">{t('https.expired')}</Badge>;
  if (left < soon) return <Badge tone="warn">{t('https.soon')}</Badge>;
  if (data.stand_in) return <Badge tone="warn">{t('https.stand_in')}</Badge>;
  return <Badge tone="ok">{t('https.ok')}</Badge>;
}

function FaultNote({
  data,
  fault,
}: {
  data: Certificate;
  fault: NonNullable<Certificate['fault']>;
}) {
  const { t } = useTranslation();
  const may = useCan()('account.manage');
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const again = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await certificate.renew();
      toast(t('https.asked'));
      await queryClient.invalidateQueries({ queryKey: certificateQuery.queryKey });
    } catch (error) {
      setProblem(asProblem(error));
    } finally {
      setBusy(false);
    }
  };
  const times = [
    `${t('https.tried')}: ${fmt.dateTime(fault.at)}`,
    ...(fault.next_try ? [`${t('https.next_try')}: ${fmt.dateTime(fault.next_try)}`] : []),
  ];
  return (
    <>
      <Note
        tone="danger"
        icon={<CircleAlert size={18} />}
        title={t('https.fault')}
        action={
          may &&
          data.mode === 'acme' && (
            <Button
              size="xs"
              variant="default"
              leftSection={<RotateCw size={14} />}
              loading={busy}
              onClick={() => void again()}
            >
              {t('https.try_now')}
            </Button>
          )
        }
      >
        <p>{wordsFor(`https.faults.${fault.code}`, { name: fault.name ?? '' }) ?? fault.detail}</p>
        <p className={css.said}>
          {t('https.said')}: <q>{fault.detail}</q>
        </p>
        <p className="muted small">{times.join(' · ')}</p>
      </Note>
      {problem && <FailureBox failure={problem} />}
    </>
  );
}

const systems = ['windows', 'macos', 'ios', 'android', 'linux', 'firefox'] as const;
type System = (typeof systems)[number];

/** What the person is sitting at, most likely. */
function ownSystem(agent: string): System {
  if (agent.includes('Firefox/')) return 'firefox';
  if (/iPhone|iPad/.test(agent)) return 'ios';
  if (agent.includes('Android')) return 'android';
  if (agent.includes('Mac OS X')) return 'macos';
  return agent.includes('Windows') ? 'windows' : 'linux';
}

function stepsOf(system: System): string[] {
  const steps: string[] = [];
  for (;;) {
    const step = wordsFor(`https.steps.${system}.${steps.length + 1}`);
    if (step === null) return steps;
    steps.push(step);
  }
}

function Devices({ authority }: { authority: NonNullable<Certificate['authority']> }) {
  const { t } = useTranslation();
  const [system, setSystem] = useState<System>(() => ownSystem(navigator.userAgent));
  // The encrypted port answers plain http as well; without a number, a browser would go to port 80.
  const { hostname, port, protocol } = window.location;
  const address = `http://${hostname}:${port || (protocol === 'https:' ? '443' : '80')}/trust`;
  return (
    <Panel title={t('https.devices')} hint={t('https.devices_text')}>
      <div className={css.notes}>
        <Facts
          items={[
            [t('https.authority'), authority.name],
            [t('https.valid_until'), fmt.dateTime(authority.not_after)],
          ]}
        />
        <div>
          <div className="row gap-2">
            <h3 className={css.heading}>{t('https.fingerprint')}</h3>
            <CopyButton text={authority.fingerprint} label={t('common.copy')} />
          </div>
          <code className={css.digits}>{authority.fingerprint}</code>
          <p className="muted small">{t('https.fingerprint_text')}</p>
        </div>
        <div className="row gap-2">
          <Button
            component="a"
            href="/trust/switchbell-ca.crt"
            leftSection={<Download size={16} />}
          >
            {t('https.trust.download')}
          </Button>
          <Button component="a" href="/trust/switchbell-ca.pem" download variant="default">
            {t('https.trust.download_pem')}
          </Button>
        </div>
        <CopyField label={t('https.without_sign_in')} text={address} />
        <Select
          label={t('https.system')}
          allowDeselect={false}
          data={systems.map((value) => ({
            value,
            label: wordsFor(`https.systems.${value}`) ?? value,
          }))}
          value={system}
          onChange={(value) => {
            const chosen = systems.find((known) => known === value);
            if (chosen) setSystem(chosen);
          }}
        />
        <ol className={css.steps}>
          {stepsOf(system).map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ol>
      </div>
    </Panel>
  );
}
