import { CircleAlert, CircleCheck, Inbox, TriangleAlert } from 'lucide-react';
import { type ReactNode, useEffect, useRef } from 'react';
import type { CodeKind } from '../texts/code-kinds.ts';
import { useTexts } from '../texts/language.tsx';

export type Tone = 'good' | 'warn' | 'bad' | 'quiet';

/** A page's heading takes the focus when the page opens, so that a screen reader says where one is. */
export const Page = (props: {
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
  back?: readonly [href: string, text: string];
  children: ReactNode;
}) => {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <>
      <div className="page-head">
        <div>
          {props.back !== undefined && (
            <a className="back" href={props.back[0]}>
              ← {props.back[1]}
            </a>
          )}
          <h1 ref={heading} tabIndex={-1}>
            {props.title}
          </h1>
          {props.lead !== undefined && <p className="lead">{props.lead}</p>}
        </div>
        {props.actions !== undefined && <div className="actions">{props.actions}</div>}
      </div>
      {props.children}
    </>
  );
};

export const Card = (props: {
  title?: string;
  aside?: ReactNode;
  id?: string;
  tone?: Tone;
  children: ReactNode;
}) => (
  <section
    className={`card ${props.tone ?? ''}`}
    {...(props.title !== undefined && { 'aria-label': props.title })}
    {...(props.id !== undefined && { id: props.id })}
  >
    {props.title !== undefined && (
      <header className="card-head">
        <h2>{props.title}</h2>
        {props.aside}
      </header>
    )}
    {props.children}
  </section>
);

const TONES: Readonly<Record<string, Tone>> = {
  published: 'good',
  unchanged: 'good',
  synced: 'good',
  resolved: 'good',
  success: 'good',
  blocked: 'bad',
  failed: 'bad',
  error: 'bad',
  partial: 'warn',
  conflict: 'warn',
  open: 'warn',
  running: 'warn',
};

/** A state in words; its colour only repeats them. */
export const Badge = ({ kind, code }: { kind: CodeKind; code: string }) => {
  const { tCode } = useTexts();
  return <span className={`badge ${TONES[code] ?? 'quiet'}`}>{tCode(kind, code)}</span>;
};

/** Names and values, those without a value left out. */
export const Facts = ({ of }: { of: readonly (readonly [string, ReactNode])[] }) => (
  <dl className="facts">
    {of
      .filter(([, value]) => value !== null && value !== undefined && value !== '' && value !== false)
      .map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
  </dl>
);

const ICONS = { good: CircleCheck, warn: TriangleAlert, bad: CircleAlert, quiet: Inbox } as const;

export const ToneIcon = ({ tone }: { tone: Tone }) => {
  const Icon = ICONS[tone];
  return <Icon className={`icon ${tone}`} size={18} aria-hidden="true" />;
};

/** Something to know about what is on the page; with `role="status"` where it comes by itself. */
export const Notice = (props: { tone: Tone; isNew?: boolean; title?: string; children?: ReactNode }) => (
  <div className={`notice ${props.tone}`} {...(props.isNew === true && { role: 'status' })}>
    <ToneIcon tone={props.tone} />
    <div>
      {props.title !== undefined && <strong>{props.title}</strong>}
      {props.children}
    </div>
  </div>
);

/** Nothing here yet: what will come, and what to do. */
export const Empty = ({ title, children }: { title: string; children?: ReactNode }) => (
  <div className="empty">
    <Inbox size={28} aria-hidden="true" />
    <strong>{title}</strong>
    {children !== undefined && <p>{children}</p>}
  </div>
);
