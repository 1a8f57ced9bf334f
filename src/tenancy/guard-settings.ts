import { type RawBuilder, sql } from "kysely";
import type { GuardMode, GuardName } from "../store/schema/tenancy.ts";

/** What each guard does with a send that it would refuse. */
export type GuardSettings = Readonly<Record<GuardName, GuardMode>>;
/** As they are stored: only what was set. */
export type SetGuards = Partial<GuardSettings>;
/** A change of some: `null` makes a number's as its tenant's again. */
export type GuardsWish = { [Name in GuardName]?: GuardMode | null };

/** A tenant's: what is not set is off. */
export function tenantGuards(set: SetGuards): Record<GuardName, GuardMode> {
  return eachGuard((name) => set[name] ?? "off");
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

/** `undefined` when all are off, so that path 1 asks once and goes on. */
export function guardsIfAnyIsOn(settings: GuardSettings): GuardSettings | undefined {
  return Object.values(settings).some((mode) => mode !== "off") ? settings : undefined;
}

/** The column `guards` with the wish laid over it. */
export function changedGuards(wish: GuardsWish): RawBuilder<string> {
  return sql`jsonb_strip_nulls(guards || ${JSON.stringify(wish)}::jsonb)`;
}

function eachGuard<Value>(valueOf: (name: GuardName) => Value): Record<GuardName, Value> {
  return {
    customer_service_window: valueOf("customer_service_window"),
    opt_in: valueOf("opt_in"),
    destination: valueOf("destination"),
    template: valueOf("template"),
  };
}
