import type { Webhook } from "../numbers/phone-number.ts";
import { PerOwner } from "../per-owner.ts";

/** A further webhook of a number, found by its name. */
export type Destination = Webhook & { name: string };

/** What a number's notifications go to besides its own webhook. */
export type ExtraDestinations = { enabled: boolean; destinations: Destination[] };

/** The extra destinations of every number. */
export class DestinationBook {
  readonly #byNumber = new PerOwner<ExtraDestinations>(() => ({
    enabled: false,
    destinations: [],
  }));

  of(phoneNumberId: string): ExtraDestinations {
    return this.#byNumber.of(phoneNumberId);
  }

  /** The names that a copy goes to, in order. */
  namesOf(phoneNumberId: string): string[] {
    const { enabled, destinations } = this.of(phoneNumberId);
    return enabled ? destinations.map(({ name }) => name) : [];
  }

  find(phoneNumberId: string, name: string): Destination | undefined {
    return this.of(phoneNumberId).destinations.find((destination) => destination.name === name);
  }
}
