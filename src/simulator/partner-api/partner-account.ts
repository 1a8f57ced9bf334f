/** What signs a partner in, and what proves that an event comes from 360dialog. */
export type PartnerLogin = {
  partnerId: string;
  /** The value of `X-API-Key`. */
  apiKey: string;
  /** For the older login by `POST /token`. */
  username: string;
  password: string;
  /** Key of the signature on partner events. */
  platformSecret: string;
};

/** The partner's account as the Partner API shows and changes it. */
export type PartnerAccount = {
  brandName: string;
  webhookUrl: string | null;
  redirectUrl: string | null;
  autoApprove: boolean;
};

/** The one partner that every simulator has; it is known to all, as nothing real hangs on it. */
export const SIMULATED_PARTNER: PartnerLogin = {
  partnerId: "SimulatedPA",
  apiKey: "simulated-partner-api-key",
  username: "partner@example.com",
  password: "simulated-partner-password",
  platformSecret: "simulated-platform-secret",
};
