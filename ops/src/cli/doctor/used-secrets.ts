import type { Config } from '../../../../functions/src/settings.ts';
import { secretSettings } from '../../deploy/settings.ts';

export interface UsedSecret {
  /** In Secret Manager. */
  readonly name: string;
  /** As docs/iam.md calls it. */
  readonly usual: string;
  /** Whether it is replaced from time to time. */
  readonly isRenewed: boolean;
}

/** The secrets that functions with these settings read. */
export const usedSecrets = ({
  registry,
  webhook,
  register,
  memberReferenceSecret,
  chainKeySecret,
}: Config): UsedSecret[] => {
  const usual = new Map(secretSettings().map(({ setting, usual: name }) => [setting, name]));
  const renewed = (setting: string, name: string): UsedSecret => ({
    name,
    usual: usual.get(setting) ?? name,
    isRenewed: true,
  });
  return [
    renewed('DJANGO_TOKEN_SECRET', registry.tokenSecret),
    renewed('WEBHOOK_SIGNING_SECRET', webhook.signingSecret),
    ...(webhook.allowLegacy ? [renewed('LEGACY_KEY_SECRET', webhook.legacyKeySecret)] : []),
    // Kept for good: another key makes old log entries impossible to relate to members.
    { ...renewed('MEMBER_REFERENCE_SECRET', memberReferenceSecret), isRenewed: false },
    { ...renewed('CHAIN_KEY_SECRET', chainKeySecret), isRenewed: false },
    ...(register.target === null
      ? []
      : [
          renewed('ADMIN_KEY_SECRET', register.adminKeySecret),
          ...register.subscribers.map(({ name }) => renewed('', `register-webhook-${name}`)),
        ]),
  ];
};
