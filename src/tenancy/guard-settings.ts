import type { GuardMode, GuardName, SendGuardName } from "../store/schema/tenancy.ts";

/** What each guard does with what it would refuse. */
export type GuardSettings = Readonly<Record<GuardName, GuardMode>>;
/** Of those that judge a send: all that path 1 asks, and all that a tenant sees and sets. */
export type SendGuardSettings = Readonly<Record<SendGuardName, GuardMode>>;
/** As they are stored: only what was set. */
export type SetGuards = Partial<GuardSettings>;
/** A change of some: `null` makes a number's as its tenant's again. */
export type GuardsWish = { [Name in GuardName]?: GuardMode | null };

/** What counts where nothing is set. */
const UNSET: GuardSettings = {
  customer_service_window: "off",
  opt_in: "off",
  destination: "off",
  template: "off",
  // Who sets STORAGE_REGION wants to hear of a number elsewhere, and a warning stops nothing.
  storage_region: "warn",
};

/** A tenant's: what counts, set or not. */
export function tenantGuards(set: SetGuards): Record<GuardName, GuardMode> {
  return eachGuard((name) => set[name] ?? UNSET[name]);
}

/** A number's own: `null` is as its tenant's. */
export function numberGuards(set: SetGuards): Record<GuardName, GuardMode | null> {
  return eachGuard((name) => set[name] ?? null);
}

/** What counts for a number. */
export function effectiveGuards(
  ofTenant: SetGuards,
  ofNumber: SetGuards,
): Record<GuardName, GuardMode> {
  return tenantGuards({ ...ofTenant, ...ofNumber });
}

/** Of some settings those of the guards that judge a send. */
export function sendGuards<Setting>(
  settings: Readonly<Record<GuardName, Setting>>,
): Record<SendGuardName, Setting> {
  const { storage_region: _, ...ofSends } = settings;
  return ofSends;
}

/** `undefined` when all that judge a send are off, so that path 1 asks once and goes on. */
export function guardsIfAnyIsOn(settings: GuardSettings): SendGuardSettings | undefined {
  const ofSends = sendGuards(settings);
  return Object.values(ofSends).some((mode) => mode !== "off") ? ofSends : undefined;
}

/** What is set once the wish is laid over it. */
export function changedGuards(set: SetGuards, wish: GuardsWish): SetGuards {
  return Object.fromEntries(
    Object.entries({ ...set, ...wish }).filter(([, mode]) => mode !== null),
  );
}

function eachGuard<Setting>(settingOf: (name: GuardName) => Setting): Record<GuardName, Setting> {
  return {
    customer_service_window: settingOf("customer_service_window"),
    opt_in: settingOf("opt_in"),
    destination: settingOf("destination"),
    template: settingOf("template"),
    storage_region: settingOf("storage_region"),
  };
}
