type CallerBase = {
  /** Of a token of another issuer, the id of that issuer's registration (`iss_…`). */
  clientId: string;
  scopes: ReadonlySet<string>;
};

/** A tenant's client; `phoneNumberIds` limits it to those numbers, `null` means all of its tenant. */
export type TenantCaller = CallerBase & {
  kind: "tenant";
  tenantId: string;
  phoneNumberIds: readonly string[] | null;
};

export type PartnerCaller = CallerBase & { kind: "partner" };

/** Who makes a call, as its verified token says. */
export type Caller = TenantCaller | PartnerCaller;
