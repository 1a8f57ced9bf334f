/** One try to deliver a notification. */
export type Attempt = {
  at: Date;
  durationMs: number;
  /** Where it went; absent when the number had no webhook. */
  url?: string;
  /** What the receiver answered; absent when it did not. */
  status?: number;
  /** Why there was no answer. */
  error?: string;
};

/** One POST to a number's webhook, repeated until it is answered 200 or the horizon is reached. */
export type Notification = {
  readonly phoneNumberId: string;
  /** The extra destination that it is a copy for; absent for the number's own webhook. */
  readonly destination?: string;
  readonly body: Buffer;
  readonly createdAt: Date;
  readonly attempts: readonly Attempt[];
  /** True once no further attempt will be made. */
  readonly settled: boolean;
  /** How it ended. */
  readonly outcome?: "delivered" | "expired";
};
