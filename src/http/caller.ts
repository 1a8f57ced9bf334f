type CallerBase = {
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
