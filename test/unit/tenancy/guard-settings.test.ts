import { describe, expect, it } from "vitest";
import {
  changedGuards,
  effectiveGuards,
  guardsIfAnyIsOn,
  numberGuards,
  tenantGuards,
} from "../../../src/tenancy/guard-settings.ts";

const NOTHING_SET = tenantGuards({});

describe("the guards that count for a number", () => {
  it("are off unless somebody sets them, but for the region, which is warned of", () => {
    expect(NOTHING_SET).toEqual({
      customer_service_window: "off",
      opt_in: "off",
      destination: "off",
      template: "off",
      storage_region: "warn",
    });
    expect(effectiveGuards({}, {})).toEqual(NOTHING_SET);
  });

  it("are its tenant's, but for those that it has itself", () => {
    const ofTenant = { opt_in: "enforce", template: "warn", storage_region: "enforce" } as const;
    const ofNumber = { opt_in: "off", destination: "warn", storage_region: "off" } as const;
    expect(effectiveGuards(ofTenant, ofNumber)).toEqual({
      customer_service_window: "off",
      opt_in: "off",
      destination: "warn",
      template: "warn",
      storage_region: "off",
    });
    expect(effectiveGuards(ofTenant, {}).storage_region).toBe("enforce");
  });

  it("are told to path 1 when any that judges a send is on", () => {
    const some = tenantGuards({ destination: "warn", storage_region: "off" });
    expect(guardsIfAnyIsOn(some)).toEqual({
      customer_service_window: "off",
      opt_in: "off",
      destination: "warn",
      template: "off",
    });
  });

  it.each(["off", "warn", "enforce"] as const)(
    "are none to path 1, and so cost it nothing, where only the region's is %s",
    (storage_region) => {
      expect(guardsIfAnyIsOn(tenantGuards({ storage_region }))).toBeUndefined();
    },
  );

  it("are changed by what a wish names, and set no more by null", () => {
    const set = { opt_in: "warn", template: "off" } as const;
    expect(changedGuards(set, { opt_in: null, storage_region: "off" })).toEqual({
      template: "off",
      storage_region: "off",
    });
  });

  it("are shown as null where they are the tenant's", () => {
    expect(numberGuards({ template: "off" })).toEqual({
      customer_service_window: null,
      opt_in: null,
      destination: null,
      template: "off",
      storage_region: null,
    });
  });
});
