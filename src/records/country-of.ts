import { parsePhoneNumberFromString } from "libphonenumber-js/min";
import { isPhoneNumber } from "./users.ts";

/**
 * Where a user is, as ISO 3166 alpha-2: a BSUID says it itself, a phone number by the numbering
 * plans (15 µs; the `min` metadata tells the countries of +1, +7 and +44 apart as `max` does). A
 * number that no plan knows is still of its calling code, if only one country has that.
 */
export function countryOf(user: string): string | undefined {
  if (!isPhoneNumber(user)) {
    return user.slice(0, 2);
  }
  const parsed = parsePhoneNumberFromString(`+${user}`);
  const possible = parsed?.getPossibleCountries() ?? [];
  return parsed?.country ?? (possible.length === 1 ? possible[0] : undefined);
}
