import type { MirrorStatus, StatusAnswer } from '../../../functions/src/ops/schemas.ts';
import { useTexts } from '../i18n/language.tsx';

const BOX = { width: 128, height: 92, top: 108 };
const LEFT = { roster: 4, portal: 146, register: 288 } as const;
const IS = { roster: 'rosterIs', portal: 'portalIs', register: 'registerIs' } as const;

/** The registry, its three mirrors and the way back, each mirror with its age; the cards below say the same in words. */
export const Picture = ({ status }: { status: StatusAnswer }) => {
  const { t, format } = useTexts();
  const ageOf = ({ healthy, ageSeconds }: MirrorStatus): string =>
    healthy === null
      ? t('notConfigured')
      : ageSeconds === null
        ? t('never')
        : t('age', { age: format.age(ageSeconds) });
  const label = status.mirrors.map((mirror) => `${t(mirror.mirror)}: ${ageOf(mirror)}`).join('; ');
  const waits = t('waitingEdits', { count: format.number(status.twoWay.pending) });
  return (
    <svg class="picture" viewBox="0 0 436 250" role="img" aria-label={`${t('picture')}. ${label}. ${waits}.`}>
      <defs>
        <marker
          id="tip"
          viewBox="0 0 8 8"
          refX="7"
          refY="4"
          markerWidth="7"
          markerHeight="7"
          orient="auto-start-reverse"
        >
          <path d="M0 0 8 4 0 8z" class="tip" />
        </marker>
      </defs>
      <rect x="130" y="6" width="160" height="48" rx="8" class="box" />
      <text x="210" y="35" class="strong">
        {t('registry')}
      </text>
      <path class="line" marker-end="url(#tip)" d="M150 54 68 106" />
      <path class="line" marker-end="url(#tip)" d="M210 54v52" />
      <path class="line" marker-end="url(#tip)" d="M270 54l82 52" />
      {status.mirrors.map((mirror) => {
        const x = LEFT[mirror.mirror];
        const middle = x + BOX.width / 2;
        return (
          <g key={mirror.mirror} class={toneOf(mirror)}>
            <rect x={x} y={BOX.top} width={BOX.width} height={BOX.height} rx="8" class="box" />
            <text x={middle} y="130" class="strong">
              {t(mirror.mirror)}
            </text>
            <text x={middle} y="148">
              {t(IS[mirror.mirror])}
            </text>
            <text x={middle} y="168">
              {format.number(mirror.members)}
            </text>
            <text x={middle} y="187">
              {ageOf(mirror)}
            </text>
          </g>
        );
      })}
      <g class={status.twoWay.healthy ? 'good' : 'bad'}>
        <path class="line back" marker-end="url(#tip)" d="M210 200v20H428V30H292" />
        <text x="210" y="242">
          {t('twoWay')}: {waits}
        </text>
      </g>
    </svg>
  );
};

const toneOf = ({ healthy }: MirrorStatus): string => (healthy === null ? 'off' : healthy ? 'good' : 'bad');
