import { describe, expect, it } from "vitest";
import {
  effectiveGuards,
  guardsIfAnyIsOn,
  numberGuards,
  tenantGuards,
} from "../../../src/tenancy/guard-settings.ts";

const OFF = tenantGuards({});

describe("the guards that count for a number", () => {
  it("are all off unless somebody sets them", () => {
    expect(OFF).toEqual({
      customer_service_window: "off",
      opt_in: "off",
      destination: "off",
      template: "off",
    });
    expect(effectiveGuards({}, {})).toEqual(OFF);
    expect(guardsIfAnyIsOn(OFF)).toBeUndefined();
  });

  it("are its tenant's, but for those that it has itself", () => {
    const ofTenant = { opt_in: "enforce", template: "warn" } as const;
    expect(effectiveGuards(ofTenant, { opt_in: "off", destination: "warn" })).toEqual({
      customer_service_window: "off",
      opt_in: "off",
      destination: "warn",
      template: "warn",
    });
  });

  it("are told when any is on", () => {
    const some = tenantGuards({ destination: "warn" });
    expect(guardsIfAnyIsOn(some)).toBe(some);
  });

  it("are shown as null where they are the tenant's", () => {
    expect(numberGuards({ template: "off" })).toEqual({
      customer_service_window: null,
      opt_in: null,
      destination: null,
      template: "off",
    });
  });
});
