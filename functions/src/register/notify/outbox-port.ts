export interface DueNotification {
  readonly id: string;
  readonly messageId: string;
  readonly subscriber: string;
  readonly body: string;
  /** This one included. Names the claim: only its owner closes it. */
  readonly attempts: number;
}

/** Every call throws `database_unavailable` or `database_rejected`. */
export interface Outbox {
  /** Takes what is due, oldest first. What is not closed within `claimMs` is due again: its deliverer has died. */
  claimDue(options: {
    readonly at: Date;
    readonly limit: number;
    readonly claimMs: number;
  }): Promise<DueNotification[]>;
  markDelivered(claim: DueNotification, at: Date): Promise<void>;
  /** A null `nextAttemptAt` gives the message up. */
  markFailed(
    claim: DueNotification,
    failure: { readonly at: Date; readonly error: string; readonly nextAttemptAt: Date | null },
  ): Promise<void>;
}
